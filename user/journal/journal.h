/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence log, as it is written: appended to, chained by hashes, never changed
 * (docs/journal.md).
 *
 * A record gets its number and its hash when it is appended, goes to the file at journal_flush(),
 * to the disk at journal_sync() or, within JOURNAL_SYNC_NS, by a thread that journal_tick() sets to
 * work. What cannot be written waits (JOURNAL_WAIT_MAX bytes); beyond that records are counted, and
 * a gap record says so when writing works again. Nothing that was written is ever taken back, but
 * for the torn end that a crash leaves, which is kept aside, and whole segments that the limits
 * drop. A fault is no error of the caller's: journal_fault() tells it.
 *
 * Times are CLOCK_REALTIME ns; `mono` is any clock in ns that never steps back. Used from one
 * thread; safe to leave alone after fork().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "journal/body.h"
#include "journal/line.h"

/*
 * Of what a record may have, in each segment's first. 2: script and session of accesses. Grows by
 * members only; who reads passes over those that he does not know.
 */
#define JOURNAL_FORMAT	   2
#define JOURNAL_WAIT_MAX   (1024 * 1024)
#define JOURNAL_SYNC_NS	   200000000ULL /* from write to the disk, while the disk answers */
#define JOURNAL_RETRY_NS   1000000000ULL
#define JOURNAL_RETAIN_NS  3600000000000ULL
#define JOURNAL_FLUSH_SIZE (64 * 1024) /* so many bytes are written without being asked */

enum journal_kind {
	JOURNAL_SEGMENT = 1, /* "segment": the first of each file */
	JOURNAL_CUT, /* "cut": the last of each file but the newest */
	JOURNAL_START, /* "start": the daemon */
	JOURNAL_STOP,
	JOURNAL_RELOAD,
	JOURNAL_ACCESS,
	JOURNAL_ALERT,
	JOURNAL_GAP,
	JOURNAL_CLOCK, /* the wall clock was set */
	JOURNAL_DROPPED, /* segments were removed, by the limits */
	JOURNAL_RECOVERED, /* the end was torn */
	JOURNAL_DAMAGED, /* what stands before could not be read, or is gone */
	JOURNAL_KIND_NR
};
const char *journal_kind_str(enum journal_kind kind);

/* For tests: what writes and syncs. As write(2) and fdatasync(2). */
struct journal_io {
	ssize_t (*write)(int fd, const void *p, size_t len);
	int (*sync)(int fd);
};

struct journal_options {
	const char *dir; /* copied; made if it is not there */
	uint64_t max_bytes; /* of all segments; 0 = no bound */
	uint32_t keep_days; /* 0 = no bound */
	uint64_t segment_bytes; /* 0 = a sixteenth of max_bytes, 1 to 64 MiB */
	bool thread; /* syncs in a thread of its own, else within journal_tick() */
	const struct journal_io *io; /* NULL: the system's */
};

struct journal;

/* Nothing is opened yet: that is for journal_tick() and journal_sync(). -ENOMEM, or of making a
 * thread. */
int journal_new(const struct journal_options *options, struct journal **out_journal);
/* Writes and syncs what waits, once. NULL is fine. */
void journal_free(struct journal *journal);
DEFINE_CLEANUP(struct journal *, journal_free)

void journal_limits(struct journal *journal, uint64_t max_bytes, uint32_t keep_days);

/*
 * Appends a record; body NULL = empty. 0: it has its place in the chain, or waits for the log to be
 * opened; -ENOBUFS: no room, counted; -EMSGSIZE, -EIO: likewise.
 */
int journal_append(struct journal *journal, enum journal_kind kind, const struct body *body,
		   uint64_t now);

/* 0, or why not all is in the file, on the disk. They open what is not open, and try again what
 * failed. */
int journal_flush(struct journal *journal, uint64_t now);
int journal_sync(struct journal *journal, uint64_t now);

/* To be called when there is nothing else to do, and at least a few times a second: flushes, syncs,
 * tries again, looks whether the files are where they were, drops what is over the limits. */
void journal_tick(struct journal *journal, uint64_t now, uint64_t mono);

/* The newest record, 0 and zeros before there is one. */
struct journal_head {
	uint64_t seq;
	uint8_t hash[LINE_HASH];
};
void journal_head(const struct journal *journal, struct journal_head *out_head);

/* 0, or the negative errno of what fails now; *out_what says what: static. */
int journal_fault(const struct journal *journal, const char **out_what);

/* Nothing fails that keeps records from the disk: the head is that of a log which is there. */
bool journal_writes(const struct journal *journal);

struct journal_stats {
	uint64_t written; /* records, since journal_new() */
	uint64_t waiting; /* bytes */
	uint64_t lost; /* records that could not be written, since journal_new() */
	uint64_t segments, bytes; /* that there are */
};
void journal_stats(const struct journal *journal, struct journal_stats *out_stats);
