/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proves an evidence log unbroken, or finds where it is broken first and why. Needs nothing but the
 * files; what stands in them may be anybody's work. What a proof is worth: docs/journal.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/line.h"

enum verify_fault {
	VERIFY_NONE = 0, /* unbroken */
	VERIFY_CHANGED, /* a line is not what was written */
	VERIFY_MISSING, /* records that were written are not there */
	VERIFY_ORDER, /* a record stands where it does not belong, or twice */
	VERIFY_TRUNCATED, /* a segment that is not the last ends within a record */
	VERIFY_FOREIGN, /* a segment of another log */
	VERIFY_HEAD, /* a head that left the host does not fit: cut or written anew */
	VERIFY_FAULT_NR
};
const char *verify_fault_str(enum verify_fault fault);

/* What left the host: of a heartbeat or an alert, chain_seq and chain_head. */
struct verify_head {
	uint64_t seq;
	uint8_t hash[LINE_HASH];
};

/* "SEQ:HASH"; false: it is none. */
bool verify_head_parse(const char *text, struct verify_head *out_head);

struct verify_result {
	enum verify_fault fault;
	/* Of the first that is broken. */
	char file[32]; /* name in the directory; "" = of none */
	uint64_t line; /* from 1; 0: the file as a whole */
	uint64_t seq; /* the number that the record has, or should have */
	char why[256]; /* one sentence without full stop */
	uint64_t breaks; /* how many such places there are */
	uint64_t whole_from; /* with breaks: from this record to the end nothing is broken, 0 = none
			      */

	uint64_t records, segments, bytes; /* that were read */
	uint64_t first, last; /* numbers of records; 0: there are none */
	uint64_t first_ns, last_ns; /* their times, CLOCK_REALTIME */
	uint8_t head[LINE_HASH]; /* hash of the last one */
	/* What came before `first` was dropped by rule, and the log says so. */
	uint64_t dropped_ns;
	char dropped_why[32];
	uint64_t torn; /* bytes at the end that are no whole record: of a crash, or being written */
	uint64_t runs; /* of a selection: stretches of records that follow one upon another */
	/* Of the heads: compared with a record; of records that are not there: dropped, or not in
	 * the selection, so that nothing can be said of them. */
	uint64_t heads_compared, heads_absent;
};

/*
 * The log in the directory `path`. 0, whether broken or not; -ENOENT: no log; -ENOMEM, or the errno
 * of opening and reading, with *out_result untouched.
 */
int verify_directory(const char *path, const struct verify_head *heads, size_t nr_heads,
		     struct verify_result *out_result);

/*
 * A selection of records, as `keytrail export` writes it: each is whole, in order, and where
 * numbers follow one upon another so do the hashes. That one is missing is no fault. Heads are
 * compared with those records that are there.
 */
int verify_selection(int fd, const struct verify_head *heads, size_t nr_heads,
		     struct verify_result *out_result);
