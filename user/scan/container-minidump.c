// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Minidumps, of Windows and of Breakpad and Crashpad on any system: streams of a directory, of
 * which two list memory (minidumpapiset.h: MINIDUMP_HEADER and what follows).
 */
#include <string.h>

#include "scan/container.h"

#define STREAMS_MAX 1024
#define THREADS_MAX 4096

enum {
	STREAM_THREADS = 3,
	STREAM_MEMORY = 5,
	STREAM_MEMORY64 = 9,
	STREAM_MISC = 15,
	FULL_MEMORY = 2, /* of the header's flags */
};

struct minidump {
	struct segment *segments;
	size_t nr, at;
	uint64_t *stacks; /* where threads' stacks begin */
	size_t nr_stacks;
	uint64_t *flags;
	struct source *source;
	struct scan_about *about;
};

static bool is_minidump(struct bytes head)
{
	return head.len >= 32 && memcmp(head.p, "MDMP", 4) == 0 && GET16(head, 4) == 0xa793;
}

static void close_minidump(void *state)
{
	struct minidump *dump = state;

	if (!dump)
		return;
	free(dump->segments);
	free(dump->stacks);
	free(dump);
}

static int add(struct minidump *dump, const struct segment *segment)
{
	if (!segment->len)
		return 0;
	if (dump->nr == SEGMENTS_MAX) {
		*dump->flags |= SCAN_INCOMPLETE;
		return 0;
	}
	/* Doubles at each power of two. */
	if ((dump->nr & (dump->nr - 1)) == 0) {
		size_t cap = dump->nr ? dump->nr * 2 : 1;
		struct segment *more = reallocarray(dump->segments, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		dump->segments = more;
	}
	dump->segments[dump->nr++] = *segment;
	return 0;
}

/* All of a small piece: 1; 0: it is not there. */
static int read_all(struct minidump *dump, uint8_t *out, size_t len, uint64_t at)
{
	long got = source_read(dump->source, out, len, at);

	if (got < 0 && got != -ESPIPE)
		return (int)got;
	if (got == (long)len)
		return 1;
	*dump->flags |= SCAN_TRUNCATED;
	return 0;
}

/* count, then start, size and position of each. */
static int read_memory(struct minidump *dump, uint32_t at)
{
	uint8_t raw[16];
	struct bytes b = {raw, sizeof(raw)};
	int r = read_all(dump, raw, 4, at);
	uint32_t nr = r > 0 ? GET32(b, 0) : 0;

	for (uint32_t i = 0; i < nr && r > 0; i++) {
		if (i == SEGMENTS_MAX)
			break;
		r = read_all(dump, raw, sizeof(raw), (uint64_t)at + 4 + 16ULL * i);
		if (r > 0 && add(dump, &(struct segment){.vaddr = GET64(b, 0),
							 .len = GET32(b, 8),
							 .offset = GET32(b, 12),
							 .has_vaddr = true}) < 0)
			return -ENOMEM;
	}
	return r;
}

/* count and position of all, then start and size of each. */
static int read_memory64(struct minidump *dump, uint32_t at)
{
	uint8_t raw[16];
	struct bytes b = {raw, sizeof(raw)};
	int r = read_all(dump, raw, sizeof(raw), at);
	uint64_t nr = r > 0 ? GET64(b, 0) : 0, offset = GET64(b, 8);

	for (uint64_t i = 0; i < nr && r > 0; i++) {
		struct segment s;

		if (i == SEGMENTS_MAX)
			break;
		r = read_all(dump, raw, sizeof(raw), at + 16 + 16 * i);
		if (r <= 0)
			break;
		s = (struct segment){.vaddr = GET64(b, 0),
				     .len = GET64(b, 8),
				     .offset = offset,
				     .has_vaddr = true};
		if (add(dump, &s) < 0)
			return -ENOMEM;
		if (__builtin_add_overflow(offset, s.len, &offset))
			break;
	}
	return r;
}

static int read_threads(struct minidump *dump, uint32_t at)
{
	uint8_t raw[48];
	struct bytes b = {raw, sizeof(raw)};
	int r = read_all(dump, raw, 4, at);
	uint32_t nr = r > 0 ? GET32(b, 0) : 0;

	if (nr > THREADS_MAX || dump->stacks)
		return r;
	dump->stacks = calloc(nr ? nr : 1, sizeof(*dump->stacks));
	if (!dump->stacks)
		return -ENOMEM;
	dump->about->threads = nr;
	for (uint32_t i = 0; i < nr && r > 0; i++) {
		r = read_all(dump, raw, sizeof(raw), (uint64_t)at + 4 + 48ULL * i);
		if (r > 0)
			dump->stacks[dump->nr_stacks++] = GET64(b, 24);
	}
	return r;
}

static int read_misc(struct minidump *dump, uint32_t at)
{
	uint8_t raw[12];
	struct bytes b = {raw, sizeof(raw)};
	int r = read_all(dump, raw, sizeof(raw), at);

	if (r > 0 && GET32(b, 4) & 1)
		dump->about->pid = GET32(b, 8);
	return r;
}

static int read_streams(struct minidump *dump, struct bytes header)
{
	uint32_t nr = GET32(header, 8), at = GET32(header, 12);

	for (uint32_t i = 0; i < nr && i < STREAMS_MAX; i++) {
		uint8_t raw[12];
		struct bytes b = {raw, sizeof(raw)};
		int r = read_all(dump, raw, sizeof(raw), (uint64_t)at + 12ULL * i);
		uint32_t where = GET32(b, 8);

		if (r <= 0)
			return r;
		switch (GET32(b, 0)) {
		case STREAM_MEMORY:
			r = read_memory(dump, where);
			break;
		case STREAM_MEMORY64:
			r = read_memory64(dump, where);
			break;
		case STREAM_THREADS:
			r = read_threads(dump, where);
			break;
		case STREAM_MISC:
			r = read_misc(dump, where);
			break;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* No byte is shown twice, however often it is listed. */
static void without_overlaps(struct minidump *dump)
{
	uint64_t end = 0;
	size_t nr = 0;

	qsort(dump->segments, dump->nr, sizeof(*dump->segments), by_offset);
	for (size_t i = 0; i < dump->nr; i++) {
		struct segment s = dump->segments[i];
		uint64_t gone = s.offset < end ? end - s.offset : 0;

		if (gone >= s.len || s.offset + s.len < s.offset)
			continue;
		s.offset += gone;
		s.vaddr += gone;
		s.len -= gone;
		end = s.offset + s.len;
		for (size_t k = 0; k < dump->nr_stacks; k++)
			if (dump->stacks[k] >= s.vaddr && dump->stacks[k] - s.vaddr < s.len)
				s.kind = SEGMENT_STACK;
		dump->segments[nr++] = s;
	}
	dump->nr = nr;
}

static int open_minidump(struct source *source, const struct container_context *context,
			 struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct minidump *dump = calloc(1, sizeof(*dump));
	uint8_t raw[32] = {0};
	struct bytes header = {raw, sizeof(raw)};
	int r;

	if (!dump)
		return -ENOMEM;
	dump->source = source;
	dump->flags = flags;
	dump->about = about;
	r = read_all(dump, raw, sizeof(raw), 0);
	if (r > 0)
		r = read_streams(dump, header);
	if (r < 0 || !dump->nr) {
		close_minidump(dump);
		return r < 0 ? r : 0;
	}
	without_overlaps(dump);
	if (!(GET64(header, 24) & FULL_MEMORY))
		*flags |= SCAN_FILTERED;
	*flags |= SCAN_CORE;
	*out_state = dump;
	return 1;
}

static int next_minidump(void *state, struct segment *out_segment)
{
	struct minidump *dump = state;

	if (dump->at == dump->nr)
		return 0;
	*out_segment = dump->segments[dump->at++];
	return 1;
}

const struct container_type container_minidump = {
	.container = CONTAINER_MINIDUMP,
	.align = 8,
	.is = is_minidump,
	.open = open_minidump,
	.next = next_minidump,
	.close = close_minidump,
};
