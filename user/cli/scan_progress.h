/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line that shows on a terminal how far a scan is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan_progress {
	bool shown; /* standard error is a terminal that can move its cursor */
	bool drawn; /* there is a line to be taken away */
	unsigned width; /* columns */
	const char *file; /* escaped; borrowed */
	uint64_t started_ns; /* CLOCK_MONOTONIC */
};

void scan_progress_init(struct scan_progress *progress);
void scan_progress_start(struct scan_progress *progress, const char *file, uint64_t now_ns);
/* total: SCAN_SIZE_UNKNOWN if it is not known. */
void scan_progress_show(struct scan_progress *progress, uint64_t done, uint64_t total,
			uint64_t now_ns);
void scan_progress_clear(struct scan_progress *progress); /* before anything else is printed */

/* The line itself, for the test. out: of `width` columns and a NUL, at most size bytes. */
void scan_progress_line(const struct scan_progress *progress, uint64_t done, uint64_t total,
			uint64_t now_ns, char *out, size_t size);
