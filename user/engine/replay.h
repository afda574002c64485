/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the engine over a recorded trace: the whole way without a kernel. */
#pragma once

#include <stdint.h>

#include "base/diag.h"
#include "engine/engine.h"

struct replay_options {
	const struct policy *policy;
	engine_alert_fn alert; /* called for each alert, in order; may be NULL */
	void *ctx;
	const struct engine_evidence *evidence; /* as engine_config; may be NULL */
	uint32_t max_processes, max_pending; /* as engine_config */
	const struct trail_sink *trail; /* as engine_config */
};

struct replay_result {
	uint64_t items; /* lines behind the header */
	uint64_t first, last; /* CLOCK_BOOTTIME ns: earliest and latest time in the trace */
	struct engine_stats stats;
};

/*
 * Feeds the file at `path` ("-" = standard input) to an engine of its own. If the trace holds ticks
 * (keytraild records them), they are what drives time and the alerts are the recorded run's, ids
 * included; in one without, time follows the events. At the end everything pending is settled and
 * summed up. out_result may be NULL.
 *
 * 0; -EINVAL, -EPROTONOSUPPORT, -EIO: with a message in diags (what was read until then has been
 * fed, its alerts given); -ENOMEM; another negative errno from opening the file, with a message.
 */
int replay_run(const char *path, const struct replay_options *options, struct diag_list *diags,
	       struct replay_result *out_result);

/* The same from an open file that stays the caller's; `name` stands for it in messages. */
int replay_file(FILE *f, const char *name, const struct replay_options *options,
		struct diag_list *diags, struct replay_result *out_result);
