// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory dumps of the Windows kernel: complete ones (runs of physical pages), and those with a
 * bitmap of the pages that are there. Fields as the debuggers' documentation and other readers have
 * them.
 */
#include <string.h>

#include "scan/container.h"

#define PAGE	     4096
#define RUNS64_MAX   42
#define RUNS32_MAX   32
#define HEADER64     0x2000
#define HEADER32     0x1000
#define BITMAP_CHUNK 4096

enum {
	TYPE_FULL = 1,
	TYPE_KERNEL = 2,
	TYPE_BITMAP_FULL = 5,
	TYPE_BITMAP_KERNEL = 6,
};

struct run {
	uint64_t first, nr; /* pages */
};

struct pagedump {
	struct source *source;
	uint64_t *flags;
	uint64_t offset; /* of the next page */
	/* Complete ones. */
	struct run runs[RUNS64_MAX];
	unsigned nr, at;
	/* With a bitmap. */
	bool bitmap;
	uint64_t bits, bit, bitmap_at;
	uint8_t chunk[BITMAP_CHUNK];
	uint64_t chunk_at; /* first bit of it */
	size_t chunk_len; /* bytes */
};

static bool is_pagedump(struct bytes head)
{
	return head.len >= 1024 &&
	       (memcmp(head.p, "PAGEDU64", 8) == 0 || memcmp(head.p, "PAGEDUMP", 8) == 0);
}

static void read_runs(struct pagedump *dump, struct bytes h, bool wide)
{
	unsigned nr = GET32(h, wide ? 0x88 : 0x64), max = wide ? RUNS64_MAX : RUNS32_MAX;

	if (nr > max)
		*dump->flags |= SCAN_DAMAGED;
	dump->nr = nr < max ? nr : max;
	for (unsigned i = 0; i < dump->nr; i++)
		dump->runs[i] =
			wide ? (struct run){GET64(h, 0x98 + 16 * i), GET64(h, 0xa0 + 16 * i)}
			     : (struct run){GET32(h, 0x6c + 8 * i), GET32(h, 0x70 + 8 * i)};
	dump->offset = wide ? HEADER64 : HEADER32;
}

/* 1; 0: it is of another kind. */
static int read_bitmap(struct pagedump *dump)
{
	uint8_t raw[0x38];
	struct bytes b = {raw, sizeof(raw)};
	long got = source_read(dump->source, raw, sizeof(raw), HEADER64);

	if (got < 0)
		return (int)got;
	if (got < (long)sizeof(raw) || memcmp(raw + 4, "DUMP", 4) != 0 ||
	    (memcmp(raw, "SDMP", 4) != 0 && memcmp(raw, "FDMP", 4) != 0))
		return 0;
	dump->bitmap = true;
	dump->offset = GET64(b, 0x20);
	dump->bits = GET64(b, 0x30);
	dump->bitmap_at = HEADER64 + 0x38;
	return 1;
}

static int open_pagedump(struct source *source, const struct container_context *context,
			 struct scan_about *about, uint64_t *flags, void **out_state)
{
	uint8_t raw[HEADER32];
	struct bytes h = {raw, sizeof(raw)};
	long got = source_read(source, raw, sizeof(raw), 0);
	bool wide = memcmp(raw, "PAGEDU64", 8) == 0;
	struct pagedump *dump;
	uint32_t type;
	int r = 1;

	if (got < (long)sizeof(raw))
		return got < 0 ? (int)got : 0;
	dump = calloc(1, sizeof(*dump));
	if (!dump)
		return -ENOMEM;
	dump->source = source;
	dump->flags = flags;
	type = GET32(h, wide ? 0xf98 : 0xf88);
	if (type == TYPE_FULL)
		read_runs(dump, h, wide);
	else if (wide &&
		 (type == TYPE_BITMAP_FULL || type == TYPE_BITMAP_KERNEL || type == TYPE_KERNEL))
		r = read_bitmap(dump);
	else
		r = 0;
	if (r > 0 && type != TYPE_FULL && type != TYPE_BITMAP_FULL)
		*flags |= SCAN_FILTERED;
	if (r <= 0) {
		free(dump);
		*flags |= SCAN_UNSUPPORTED;
		return r;
	}
	about->bits = wide ? 64 : 32;
	*flags |= SCAN_CORE;
	*out_state = dump;
	return 1;
}

/* -1: the file ends before. */
static int bit_at(struct pagedump *dump, uint64_t bit)
{
	if (bit < dump->chunk_at || bit - dump->chunk_at >= 8 * dump->chunk_len) {
		long got = source_read(dump->source, dump->chunk, sizeof(dump->chunk),
				       dump->bitmap_at + bit / 8);

		if (got <= 0)
			return -1;
		dump->chunk_at = bit / 8 * 8;
		dump->chunk_len = (size_t)got;
	}
	bit -= dump->chunk_at;
	return dump->chunk[bit / 8] >> bit % 8 & 1;
}

/* Neighbouring pages; 0: there are no more. */
static uint64_t next_bits(struct pagedump *dump, uint64_t *out_first)
{
	uint64_t nr = 0;
	int bit = 0;

	while (dump->bit < dump->bits && (bit = bit_at(dump, dump->bit)) == 0)
		dump->bit++;
	*out_first = dump->bit;
	while (dump->bit < dump->bits && (bit = bit_at(dump, dump->bit)) > 0) {
		dump->bit++;
		nr++;
	}
	if (bit < 0) {
		*dump->flags |= SCAN_TRUNCATED;
		dump->bits = dump->bit;
	}
	return nr;
}

static int next_pagedump(void *state, struct segment *out_segment)
{
	struct pagedump *dump = state;
	uint64_t first, nr, len;

	if (dump->bitmap) {
		nr = next_bits(dump, &first);
	} else {
		if (dump->at == dump->nr)
			return 0;
		first = dump->runs[dump->at].first;
		nr = dump->runs[dump->at++].nr;
	}
	if (!nr)
		return 0;
	if (__builtin_mul_overflow(nr, (uint64_t)PAGE, &len) || first > UINT64_MAX / PAGE) {
		*dump->flags |= SCAN_DAMAGED;
		return 0;
	}
	*out_segment = (struct segment){
		.offset = dump->offset,
		.len = len,
		.vaddr = first * PAGE,
		.has_vaddr = true,
		.kind = SEGMENT_PHYSICAL,
	};
	if (__builtin_add_overflow(dump->offset, len, &dump->offset))
		dump->nr = dump->at; /* nothing can stand behind it */
	return 1;
}

const struct container_type container_pagedump = {
	.container = CONTAINER_PAGEDUMP,
	.align = 8,
	.is = is_pagedump,
	.open = open_pagedump,
	.next = next_pagedump,
	.close = free,
};
