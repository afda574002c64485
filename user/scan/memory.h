/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The segments of one dump, for looking things up afterwards: which address stands where in the
 * file, and back. Filled by one thread while others look.
 */
#pragma once

#include <pthread.h>

#include "scan/container.h"

struct memory {
	pthread_mutex_t lock;
	struct segment *segments; /* as they came */
	size_t nr, room;
	size_t *by_vaddr, *by_offset, sorted; /* of memory_sort() */
	bool full;
};

void memory_init(struct memory *memory);
void memory_fini(struct memory *memory);

/* -ENOMEM; -ENOSPC, and memory->full, with SEGMENTS_MAX of them. */
int memory_add(struct memory *memory, const struct segment *segment);
void memory_clear(struct memory *memory); /* for others; what was sorted stays as it was */
/* When all are there; until then look-ups find nothing. -ENOMEM. */
int memory_sort(struct memory *memory);

bool memory_vaddr(struct memory *memory, uint64_t offset, uint64_t *out_vaddr);
/* *out_len: how many bytes follow in the same segment. */
bool memory_offset(struct memory *memory, uint64_t vaddr, uint64_t *out_offset, uint64_t *out_len);
