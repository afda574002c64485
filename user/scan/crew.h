/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few threads that wait for work: made once, before the walls go up, as no thread can be had
 * behind them. The caller's thread is one of the crew, worker 0.
 */
#pragma once

#include "base/cleanup.h"

#define CREW_MAX 16

struct crew;

/* workers: 1 to CREW_MAX, the caller's thread included. All threads run when it returns. */
int crew_new(unsigned workers, struct crew **out_crew); /* -ENOMEM, -EAGAIN */
void crew_free(struct crew *crew); /* ends the threads; not within work */
DEFINE_CLEANUP(struct crew *, crew_free)
#define _cleanup_crew_ _cleanup_(crew_freep)

unsigned crew_workers(const struct crew *crew); /* NULL: 1 */

/*
 * Calls work(userdata, n) with n from 1 in the other threads, lead(userdata) in this one, and
 * returns when all have.
 */
void crew_run(struct crew *crew, void (*lead)(void *userdata),
	      void (*work)(void *userdata, unsigned worker), void *userdata);
