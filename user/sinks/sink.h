/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where alerts go. A sink never blocks its caller: what cannot be written now is queued, first in
 * memory, then in a spool on disk, both bounded; what is dropped is counted, and the count is
 * itself written once there is room again.
 */
#pragma once

#include <stdint.h>

#include "alert/alert.h"

struct sink;

struct sink_stats {
	uint64_t written, queued, spooled, dropped;
	char state[160]; /* one line for people: "connected to /dev/log", "refused: ..." */
};

struct sink_ops {
	const char *name; /* "syslog", "jsonl", "store" */
	/* Takes what it needs of the alert; 0, or negative errno if it was not even queued. */
	int (*write)(struct sink *sink, const struct alert *alert);
	/* Tries to get rid of what is queued; called by the daemon's timer and when fd is ready. */
	void (*flush)(struct sink *sink);
	void (*stats)(const struct sink *sink, struct sink_stats *out_stats);
	void (*free)(struct sink *sink); /* flushes once without waiting, then releases */
};

struct sink {
	const struct sink_ops *ops;
};
