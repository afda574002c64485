// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses to positions, and back. */
#include "scan/memory.h"

#include <stdlib.h>

void memory_init(struct memory *memory)
{
	*memory = (struct memory){.segments = NULL};
	pthread_mutex_init(&memory->lock, NULL);
}

void memory_fini(struct memory *memory)
{
	free(memory->segments);
	free(memory->by_vaddr);
	free(memory->by_offset);
	pthread_mutex_destroy(&memory->lock);
}

static int add(struct memory *m, const struct segment *segment)
{
	if (m->nr == SEGMENTS_MAX) {
		m->full = true;
		return -ENOSPC;
	}
	if (m->nr == m->room) {
		size_t room = m->room ? m->room * 2 : 64;
		struct segment *more = reallocarray(m->segments, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		m->segments = more;
		m->room = room;
	}
	m->segments[m->nr++] = *segment;
	return 0;
}

int memory_add(struct memory *memory, const struct segment *segment)
{
	int err;

	pthread_mutex_lock(&memory->lock);
	err = add(memory, segment);
	pthread_mutex_unlock(&memory->lock);
	return err;
}

void memory_clear(struct memory *memory)
{
	pthread_mutex_lock(&memory->lock);
	memory->nr = 0;
	pthread_mutex_unlock(&memory->lock);
}

static int by_vaddr(const void *a, const void *b, void *segments)
{
	const struct segment *x = (const struct segment *)segments + *(const size_t *)a;
	const struct segment *y = (const struct segment *)segments + *(const size_t *)b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

static int by_offset(const void *a, const void *b, void *segments)
{
	const struct segment *x = (const struct segment *)segments + *(const size_t *)a;
	const struct segment *y = (const struct segment *)segments + *(const size_t *)b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int sort(struct memory *m)
{
	size_t *vaddr = calloc(m->nr + 1, sizeof(*vaddr));
	size_t *offset = calloc(m->nr + 1, sizeof(*offset));

	if (!vaddr || !offset) {
		free(vaddr);
		free(offset);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->nr; i++)
		vaddr[i] = offset[i] = i;
	if (m->nr)
		qsort_r(vaddr, m->nr, sizeof(*vaddr), by_vaddr, m->segments);
	if (m->nr)
		qsort_r(offset, m->nr, sizeof(*offset), by_offset, m->segments);
	m->by_vaddr = vaddr;
	m->by_offset = offset;
	m->sorted = m->nr;
	return 0;
}

int memory_sort(struct memory *memory)
{
	int err = 0;

	pthread_mutex_lock(&memory->lock);
	if (!memory->by_vaddr)
		err = sort(memory);
	pthread_mutex_unlock(&memory->lock);
	return err;
}

/* The last segment that begins at or before `value`, by one of the orders. */
static const struct segment *last_before(const struct memory *m, bool vaddr, uint64_t value)
{
	const size_t *order = vaddr ? m->by_vaddr : m->by_offset;
	size_t low = 0, high = order ? m->sorted : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct segment *s = &m->segments[order[middle]];

		if ((vaddr ? s->vaddr : s->offset) <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &m->segments[order[low - 1]] : NULL;
}

bool memory_vaddr(struct memory *memory, uint64_t offset, uint64_t *out_vaddr)
{
	const struct segment *s;
	bool found;

	pthread_mutex_lock(&memory->lock);
	s = last_before(memory, false, offset);
	found = s && s->has_vaddr && offset - s->offset < s->len;
	if (found)
		*out_vaddr = s->vaddr + (offset - s->offset);
	pthread_mutex_unlock(&memory->lock);
	return found;
}

bool memory_offset(struct memory *memory, uint64_t vaddr, uint64_t *out_offset, uint64_t *out_len)
{
	const struct segment *s;
	bool found;

	pthread_mutex_lock(&memory->lock);
	s = last_before(memory, true, vaddr);
	found = s && s->has_vaddr && vaddr - s->vaddr < s->len;
	if (found) {
		*out_offset = s->offset + (vaddr - s->vaddr);
		*out_len = s->len - (vaddr - s->vaddr);
	}
	pthread_mutex_unlock(&memory->lock);
	return found;
}
