/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of an evidence log: files named by the number of their first record, twenty digits
 * and ".jsonl", so that their order is that of their names. Nothing follows a symbolic link.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_NAME_MAX 32 /* with NUL */

struct segment {
	uint64_t first; /* number of its first record, by its name */
	uint64_t bytes;
	uint64_t changed_ns; /* CLOCK_REALTIME */
};

struct segments {
	struct segment *items; /* in order */
	size_t nr;
};

/*
 * Opens the directory. create: make it if it is not there, for its owner alone. -ELOOP or -ENOTDIR:
 * it is no directory; -EPERM, only with `create`: it belongs to another user, or others can write
 * to it.
 */
int segments_open(const char *path, bool create, int *out_fd);

void segment_name(uint64_t first, char out[SEGMENT_NAME_MAX]);
/* What is kept of a torn end, beside the segments: the number of the record that tells of it. */
void segment_torn_name(uint64_t seq, char out[SEGMENT_NAME_MAX]);

/* Reads the directory. What is no segment is passed over. At most 1,000,000; -E2BIG beyond. */
int segments_list(int dirfd, struct segments *out_segments);
void segments_fini(struct segments *segments);
