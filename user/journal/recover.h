/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a segment ends: what who goes on writing has to know of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "journal/line.h"

#define JOURNAL_ID_LEN 32 /* hex digits */

struct tail {
	uint64_t records; /* that follow one upon another */
	uint64_t seq, time_ns; /* of the last one; with damage: of the highest that was read */
	uint8_t hash[LINE_HASH]; /* likewise, as it says itself */
	uint64_t whole; /* bytes up to the end of the last whole record */
	uint64_t torn; /* bytes behind, without a newline: what a crash leaves */
	bool no_newline; /* the last whole record lacks it, and nothing else */
	bool cut; /* the last one is a `cut`: the log goes on in the next file */
	/* The first line that is no record, or does not follow. line 0: there is none. */
	uint64_t damaged_line;
	char id[JOURNAL_ID_LEN + 1]; /* of the log, by the first record; "" = not known */
};

/* Reads the file from its beginning. -errno of the read. */
int tail_read(struct hasher *hasher, int fd, struct tail *out_tail);

/* Whether `p` may be the beginning of record `seq`, torn off; `seq` 0 = of any. */
bool tail_is_torn(struct hasher *hasher, const char *p, size_t len, uint64_t seq);

/* The log's id out of a `segment` record; false if it is none. */
bool tail_id(const struct line *line, char out_id[JOURNAL_ID_LEN + 1]);
