/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which parts of a dump are memory, and of which addresses: an ELF core's PT_LOAD entries, or the
 * whole file as it is. Header fields are taken for hostile: clipped to the file, bounded in number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENTS_MAX 65536

struct segment {
	uint64_t offset, len; /* in the file; within it */
	uint64_t vaddr;
	bool has_vaddr;
};

struct segments {
	struct segment *items;
	size_t nr;
	uint64_t file_size;
	bool core; /* an ELF core of 64 bits, little endian */
	bool truncated; /* the file ends before what its headers announce */
	bool too_many; /* there were more than SEGMENTS_MAX */
};

/* 0, -ENOMEM, or the errno of reading. fd must be seekable. Anything that is no core is one
 * segment. */
int segments_read(int fd, struct segments *out_segments);
void segments_fini(struct segments *segments);
