/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that write the evidence log share; nobody else includes this. */
#pragma once

#include "base/buf.h"
#include "journal/journal.h"
#include "journal/recover.h"
#include "journal/segments.h"
#include "journal/syncer.h"

/* What can fail, each by itself: told once, and once when it is over. */
enum fault { FAULT_OPEN, FAULT_WRITE, FAULT_SYNC, FAULT_MOVED, FAULT_REMOVE, FAULT_NR };

struct journal {
	char *dir;
	int dirfd, fd; /* -1: not open; fd alone: the segment's file is to be made */
	bool opened; /* what stood there was read, and the chain goes on */
	struct hasher *hasher;
	struct syncer *syncer; /* NULL: no thread */
	struct journal_io io;
	uint64_t max_bytes, segment_bytes, segment_wish;
	uint32_t keep_days;

	struct segments segments; /* the last one is written to */
	size_t told_gone; /* so many of the oldest are gone, as the log says, and still there */
	uint64_t segment_first; /* of the file that is to be made */
	char id[JOURNAL_ID_LEN + 1];
	uint64_t seq, last_time; /* of the newest record */
	uint8_t hash[LINE_HASH];

	struct buf wait; /* lines that are not in the file yet */
	struct buf early; /* records from before the log was opened: struct early and a body */
	uint64_t lost, lost_from, lost_to; /* records that had no room, to be told */
	int faults[FAULT_NR]; /* 0 or negative errno */
	bool unsynced, syncing;
	bool sync_refused; /* which is to be told in the log */
	uint64_t syncing_in, refused_in; /* which segments, by their first records */
	uint64_t synced, tried, looked, retained; /* mono: when that was done last */

	uint64_t written, lost_ever;
	struct body body; /* of the log's own records */
	char line[LINE_MAX_BYTES];
};

/* Takes a record into the chain, whatever kind it is. Errors as journal_append(). */
int journal_seal(struct journal *j, enum journal_kind kind, const struct body *body, uint64_t now);
/* The chain goes on in a file of its own, which is made when it is written to. */
int journal_begin_segment(struct journal *j, uint64_t now);
int journal_fail(struct journal *j, enum fault fault, int error); /* returns error */
/* journal_damaged: says in the log that something before it is missing or broken. line 0: none. */
int journal_damaged(struct journal *j, const char *file, uint64_t line, const char *why,
		    uint64_t now);
int journal_write_out(struct journal *j, uint64_t now); /* flush, without looking at limits */

/* open.c */
int journal_open(struct journal *j, uint64_t now);
/* Looks whether directory and file are where they were. */
void journal_look(struct journal *j, uint64_t now);

/* retain.c: removes what the limits say. */
void journal_retain(struct journal *j, uint64_t now);
