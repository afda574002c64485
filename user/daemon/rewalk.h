/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When to walk the file system once more: after a walk that could not be sure of what it saw, and
 * when records of names were lost. Times are in microseconds, of any clock that goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REWALK_FIRST_US 1000000ULL
#define REWALK_MAX_US	64000000ULL
#define REWALK_SHARE	20 /* at most one part in so many of the time is spent so */

/* Zeroed: no walk was yet. */
struct rewalk {
	uint64_t after; /* from the last walk to the next one, 0: it was sure */
	uint64_t lost_after; /* from the last walk to the next one for what was lost */
	uint64_t walked; /* when the last one ended */
	bool lost; /* since then */
};

struct rewalk_seen {
	uint64_t now, took; /* when the walk ended, how long it went on */
	bool settled; /* it found all, and nothing moved meanwhile */
	bool bounded; /* it ended at its bound, as the next one will */
};

/*
 * A walk has ended, or could not be made (neither settled nor bounded). Returns the time to the
 * next one, 0 if none is wanted. It is twice as long each time, up to REWALK_MAX_US, which it is at
 * once after one that came to its bound; and REWALK_SHARE times what the walk took, if that is
 * more. So who keeps names moving has the daemon walk about once a minute.
 */
uint64_t rewalk_after(struct rewalk *rewalk, const struct rewalk_seen *seen);

/*
 * Records, or marks, were lost at `now`. Returns the time to the walk for that: 0 at first; while
 * losses go on from walk to walk, they are spaced as above. To be asked for no sooner by these two;
 * a walk for another reason (a reload, a new user, room for marks) does not wait.
 */
uint64_t rewalk_lost(struct rewalk *rewalk, uint64_t now);
