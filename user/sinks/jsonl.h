/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON lines sink: each alert as one line (alert_json()) at the end of a file.
 *
 * The file is made with mode 0640 and opened O_APPEND; one line is one write. Before each write the
 * path is compared with the open file, so a logrotate that renames needs to signal nobody. Lines
 * are not synced one by one: a power cut may cost the last seconds, the copy that must survive is
 * the one off the host. A half-written line (disk full) is taken back, or ended, before the next
 * one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sinks/sink.h"

struct jsonl_options {
	const char *path; /* settings.jsonl */
	const char *spool_path; /* NULL: no spool */
	uint64_t spool_max; /* bytes, 0 = QUEUE_SPOOL_DEFAULT */
	size_t memory_max; /* bytes, 0 = QUEUE_MEMORY_DEFAULT */
};

/* Strings are copied. A file that cannot be opened now is no error: lines queue. -EINVAL: path is
 * not absolute; -ENOMEM. The directory is made (0750) if only its last component is missing. */
int jsonl_sink_new(const struct jsonl_options *options, struct sink **out_sink);
