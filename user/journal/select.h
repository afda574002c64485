/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of an evidence log, chosen and written out as they stand. */
#pragma once

#include <stdint.h>
#include <stdio.h>

struct select_options {
	uint64_t since_ns, until_ns; /* CLOCK_REALTIME, both inclusive; 0 = no bound */
	const char *key; /* a fingerprint, SPKI digest or keygrip; NULL = all records */
};

/*
 * Writes what stands in the directory `path` to `out`. A torn last line is left out, and so is a
 * line that is no record: *out_bad counts those. 0; -ENOENT: no log; the errno of reading or
 * writing.
 */
int select_records(const char *path, const struct select_options *options, FILE *out,
		   uint64_t *out_records, uint64_t *out_bad);
