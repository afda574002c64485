/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few threads that wait for work: made once, before the walls go up, as no thread can be had
 * behind them. The caller's thread is one of the crew, worker 0.
 */
#pragma once

#include "base/cleanup.h"

#define CREW_MAX 16

struct crew;

/*
 * workers: 1 to CREW_MAX, the caller's thread included. Where so many are not to be had (a limit of
 * the user's processes, memory) it is a crew of those that are, crew_workers(): one at least. All
 * threads run when it returns. -ENOMEM: not even that, out_crew untouched; NULL will do, too.
 */
int crew_new(unsigned workers, struct crew **out_crew);
/* Ends threads until there are no more than so many workers, 1 at least, and wipes their stacks;
 * not within work. */
void crew_shrink(struct crew *crew, unsigned workers);
/* Ends the threads, and wipes their stacks; not within work. */
void crew_free(struct crew *crew);
DEFINE_CLEANUP(struct crew *, crew_free)
#define _cleanup_crew_ _cleanup_(crew_freep)

unsigned crew_workers(const struct crew *crew); /* NULL: 1 */

/*
 * Calls work(userdata, n) with n from 1 in the other threads, lead(userdata) in this one, and
 * returns when all have.
 */
void crew_run(struct crew *crew, void (*lead)(void *userdata),
	      void (*work)(void *userdata, unsigned worker), void *userdata);
