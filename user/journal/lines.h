/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a file that others may have written, in fixed memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/line.h"

struct lines {
	int fd; /* borrowed */
	uint64_t offset; /* in the file, of the line that is told next */
	uint64_t number; /* of the line that was told last, from 1 */
	size_t at, len; /* in buf */
	bool end;
	char buf[2 * LINE_MAX_BYTES];
};

struct lines_item {
	const char *p; /* valid until the next call; without newline */
	size_t len; /* of `too_long` only so much as was kept */
	uint64_t offset, bytes; /* where it begins, and what it takes with its newline */
	bool torn; /* there is no newline behind it: the file ends */
	bool too_long; /* longer than any record */
};

void lines_init(struct lines *lines, int fd); /* from where the descriptor stands: offset 0 */
/* 1; 0 at the end; -errno of the read. */
int lines_next(struct lines *lines, struct lines_item *out_item);
