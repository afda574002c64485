/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files were looked at, by what they are and when they changed last: 8 bytes each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_MAX (1U << 20) /* files; then it is emptied, and each is looked at once more */

struct seen {
	uint64_t *slots; /* 0 = free */
	size_t nr, room; /* room: a power of two, or 0 */
};

struct seen_file {
	uint64_t dev, ino, size;
	int64_t ctime_s;
	uint32_t ctime_ns;
};

void seen_fini(struct seen *seen); /* leaves it empty and usable */
bool seen_has(const struct seen *seen, const struct seen_file *file);
/* Without memory it is not kept, which costs another look and nothing else. */
void seen_add(struct seen *seen, const struct seen_file *file);
