/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for keys in dumps: what was closed after writing is taken up at once, scanned a few at a
 * time by children of the lowest priority, and what comes of it is fed as EVENT_SCAN. Nothing is
 * passed over in silence: what is too large, takes too long, finds no place in the queue, or ends
 * its scanner has the verdict unscanned.
 *
 * The file stays open while it waits, so it is scanned although its name may be gone by then.
 *
 * What may be a copy of a key is scanned likewise, and neither waits for the other: such files wait
 * in a queue of their own, and one is scanned at a time, beside the dumps. Each owner of such files
 * has a share of the queue, the turn is his who has used least of the scanner's time, and after two
 * minutes of it his have a tenth; what subordinate uids own counts for whom they are given to. One
 * in which the key is found is watched from then on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

struct app;
struct scans;

struct scans_stats {
	uint32_t queued, running;
	uint64_t taken; /* files that were taken up */
	uint64_t known; /* closes of content that waits, or whose verdict is known */
	uint64_t done[SCANSTATE_NR]; /* verdicts: clean, key, incomplete */
	uint64_t unscanned[SCANCAUSE_NR]; /* by cause */
	uint64_t bytes; /* looked at */
	uint32_t needles;
	/* The same of copies, which are in none of those but `bytes` and `known`. */
	uint32_t copies_queued;
	uint64_t copies_taken, copies_done[SCANSTATE_NR], copies_unscanned[SCANCAUSE_NR];
	uint64_t copies_kept; /* in which a key was found that has a name, and that are watched */
	/* That are not: their owner, or all together, have as many as can be; it failed. */
	uint64_t copies_left_owner, copies_left_full, copies_left_other;
};

int scans_new(struct app *app, struct scans **out_scans);
void scans_free(struct scans *scans); /* ends children; what waits is told as unscanned: stopped */

/* The policy in force has changed: limits, needles. What waits waits on. */
void scans_set_policy(struct scans *scans);

/*
 * EVENT_WRITTEN of a dump, or of what a dump's helper wrote; fd: open at it, stays the caller's.
 * urgent: memory of a process that had read a key is in it.
 */
void scans_written(struct scans *scans, const struct event *event, int fd, bool urgent);

/* EVENT_WRITTEN of what may be a copy of a key, as above. */
void scans_copy(struct scans *scans, const struct event *event, int fd);

/* EVENT_ACCESS of a watched dump: closed after writing, or read before anybody scanned it; of a
 * copy: closed after writing. */
void scans_access(struct scans *scans, const struct event *event);

void scans_stats(const struct scans *scans, struct scans_stats *out_stats);
