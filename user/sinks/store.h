/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The alert store: what `keytrail alerts` reads, in SQLite.
 *
 * A sink like the others (WAL, synchronous NORMAL: an alert survives the daemon's death, a power
 * cut may cost the last ones) and a reader for the control socket. Each alert is kept once by its
 * id. Bounded in rows and bytes: when over, the oldest of the lowest severity go first, among them
 * those that the user caused who has most of them; but who caused more than half of all there are
 * gives way before all others. So neither a flood of small things washes out the big one, nor one
 * user's those of others. A database of an older version is brought up to date; a damaged database
 * is moved aside to NAME.damaged (replacing an earlier one) and a new one is begun; one that a
 * newer version wrote is left alone and not used. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/sink.h"

#define STORE_SCHEMA	    3
#define STORE_ROWS_DEFAULT  100000
#define STORE_BYTES_DEFAULT (256ULL * 1024 * 1024)

struct store_options {
	const char *path;
	uint64_t max_rows; /* 0 = STORE_ROWS_DEFAULT */
	uint64_t max_bytes; /* 0 = STORE_BYTES_DEFAULT; of the main file */
	size_t memory_max; /* for what cannot be written now; 0 = QUEUE_MEMORY_DEFAULT */
};

struct store_query {
	uint64_t since_ns; /* time of the alert, CLOCK_REALTIME; 0 = all */
	enum alert_type type; /* 0 = all */
	enum severity min_severity; /* 0 = all */
	int64_t after; /* only what was stored after this number */
};

/* json: the line of alert_json(), valid during the call. Nonzero stops the query and is returned.
 */
typedef int (*store_row)(void *userdata, int64_t number, const char *json, size_t len);

/* Strings are copied. A database that cannot be opened is no error here: alerts queue in memory and
 * stats tell why. -ENOMEM, -EINVAL (path not absolute). */
int store_sink_new(const struct store_options *options, struct sink **out_sink);

/* The newest `nr` that match are those with a number above *out_after. Negative errno if there is
 * no database: -ENODATA, -EIO. `sink` must be of store_sink_new(). */
int store_newest(struct sink *sink, const struct store_query *query, uint64_t nr,
		 int64_t *out_after);

/* At most `max` that match, in the order in which they were stored. Returns how many, or a negative
 * errno. */
long store_read(struct sink *sink, const struct store_query *query, uint64_t max, store_row row,
		void *userdata);
