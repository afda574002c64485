/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon has on record of keys that an inventory lists: who read one last, and its search.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "trail/store.h"

#define LAST_READ_TRAIL KT_STATEDIR "/trail.db"

struct last_reads {
	struct trail_store *trail; /* NULL: not to be had */
	int error; /* then why: negative errno */
	uint64_t since_ns; /* CLOCK_REALTIME; 0 = no record at all */
	char self[4096];
	const char *but[8]; /* programs of keytrail, which are nobody's reads */
};

/* trail: of whose records, NULL = LAST_READ_TRAIL. What cannot be had is said by `error`. */
void last_reads_open(const char *trail, struct last_reads *out_reads);
void last_reads_close(struct last_reads *reads);

/* -ENOENT: no record; else as trail_store_last_read(). */
int last_reads_of(const struct last_reads *reads, const char *path, struct trail_last_read *out);

/* A line for people: "last read 2026-01-31 12:00:00 by /usr/bin/cat (alice)", or that there is no
 * record since when. */
void last_reads_print(const struct last_reads *reads, const char *path);

/* Adds `last_read` and `records_since` to a key's object; false: out of memory. */
bool last_reads_json(const struct last_reads *reads, const char *path, json_t *object);

/* How far the daemon's search is, by its status: on stderr. Says nothing if no daemon runs. */
void last_reads_print_search(const char *socket);
