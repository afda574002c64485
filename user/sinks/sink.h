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

/* That the daemon lives, and how far its evidence log has come: no alert, and not stored. */
struct heartbeat {
	uint64_t time_ns; /* CLOCK_REALTIME */
	const char *host;
	uint64_t alerts; /* sent since the start */
	uint64_t chain_seq; /* 0: there is no log */
	const char *chain_head; /* hex */
	const char *fault; /* of the log, "" = none; escaped */
};

struct sink_ops {
	const char *name; /* "syslog", "jsonl", "store" */
	/* Takes what it needs of the alert; 0, or negative errno if it was not even queued. */
	int (*write)(struct sink *sink, const struct alert *alert);
	/* Tries to get rid of what is queued; called by the daemon's timer and when fd is ready. */
	void (*flush)(struct sink *sink);
	/* NULL: such messages are not for this sink. Otherwise as write(). */
	int (*heartbeat)(struct sink *sink, const struct heartbeat *heartbeat);
	void (*stats)(const struct sink *sink, struct sink_stats *out_stats);
	void (*free)(struct sink *sink); /* flushes once without waiting, then releases */
};

struct sink {
	const struct sink_ops *ops;
};
