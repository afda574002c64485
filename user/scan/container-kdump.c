// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compressed kernel dumps of makedumpfile and QEMU: headers, two bitmaps of frames, a descriptor
 * for each frame that is there, packed pages (makedumpfile's diskdump_mod.h). Read here and not by
 * libkdumpfile, of which Debian 12 has 0.5.1: it wants a descriptor, so it can read neither what
 * stands flattened in a file (source-flat.c) nor what is unpacked from one.
 */
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "scan/container.h"
#include "scan/wipe.h"

#define PAGE_MIN   4096
#define PAGE_MAX   65536
#define DESC	   24 /* bytes of a descriptor */
#define CHUNK	   65536 /* of the bitmap, and of descriptors */
#define AHEAD	   (256 << 10) /* of packed pages */
#define INCOMPLETE 8 /* of the header's status */
#define RUN_PAGES  65536 /* pages in a segment */
#define FRAMES_MAX (1ULL << 34) /* 64 TiB of the smallest pages: more than a machine has */

enum { PACKED_ZLIB = 1, PACKED_LZO = 2, PACKED_SNAPPY = 4, PACKED_ZSTD = 0x20 };

/* A part of the source that is read front to back. */
struct part {
	uint8_t *p;
	size_t room, len;
	uint64_t at;
};

struct kdump {
	struct source *source;
	uint64_t *flags;
	uint32_t page;
	uint64_t bitmap_at, descs_at;
	uint64_t frames, frame, first; /* all; the next one; where a split dump begins */
	uint64_t desc; /* the next descriptor */
	uint64_t left; /* pages of the segment that are still packed */
	struct part bitmap, descs, data;
	uint8_t *memory; /* of the parts and the page */
	uint8_t *unpacked;
	size_t unpacked_at, unpacked_len;
	uint64_t zero_at; /* where the page of zeros stands that all of them share */
	bool has_zero;
};

static bool is_kdump(struct bytes head)
{
	return head.len >= 464 && memcmp(head.p, "KDUMP   ", 8) == 0;
}

static void close_kdump(void *state)
{
	struct kdump *dump = state;

	if (dump)
		wipe_free(dump->memory);
	free(dump);
}

static bool is_page_size(uint32_t size)
{
	return size >= PAGE_MIN && size <= PAGE_MAX && !(size & (size - 1));
}

/* The bytes at a position, up to len of them, from a part that is read on as needed. */
static long part_read(struct kdump *dump, struct part *part, uint64_t at, size_t len,
		      const uint8_t **out)
{
	if (at < part->at || at - part->at > part->len || part->len - (at - part->at) < len) {
		long got = source_read(dump->source, part->p, part->room, at);

		part->at = at;
		part->len = got < 0 ? 0 : (size_t)got;
		if (got < 0)
			return got;
	}
	*out = part->p + (at - part->at);
	return (long)(part->len - (at - part->at) < len ? part->len - (at - part->at) : len);
}

/* Where a header of 64 bits has its fields, and one of 32. 1; 0: it is none. */
static int read_header(struct kdump *dump, struct scan_about *about)
{
	uint8_t raw[464], sub[128] = {0};
	struct bytes h = {raw, sizeof(raw)}, s = {sub, sizeof(sub)};
	long got = source_read(dump->source, raw, sizeof(raw), 0);
	size_t base = 424; /* of the status, behind utsname and a time */
	uint32_t sub_blocks, bitmap_blocks, version;

	if (got < (long)sizeof(raw))
		return got < 0 ? (int)got : 0;
	about->bits = 64;
	if (!is_page_size(GET32(h, base + 4))) {
		base = 412;
		about->bits = 32;
	}
	dump->page = GET32(h, base + 4);
	sub_blocks = GET32(h, base + 8);
	bitmap_blocks = GET32(h, base + 12);
	dump->frames = GET32(h, base + 16);
	version = GET32(h, 8);
	if (!is_page_size(dump->page))
		return 0;
	if (GET32(h, base) & INCOMPLETE)
		*dump->flags |= SCAN_TRUNCATED;
	if (sub_blocks) {
		got = source_read(dump->source, sub, sizeof(sub), dump->page);
		if (got < 0)
			return (int)got;
	}
	/* physical base, level of filtering, split, first and last frame, ..., the same in 64 bits.
	 */
	if (about->bits == 64) {
		/* Level 1 leaves out pages of zeros only, as QEMU does. */
		if (GET32(s, 8) & ~1U)
			*dump->flags |= SCAN_FILTERED;
		if (version >= 5 && GET64(s, 72))
			*dump->flags |= SCAN_ERASED;
		if (version >= 2 && GET32(s, 12))
			dump->first = version >= 6 ? GET64(s, 80) : GET64(s, 16);
		if (version >= 6 && GET64(s, 96))
			dump->frames = GET64(s, 96);
		if (version >= 2 && GET32(s, 12)) {
			uint64_t end = version >= 6 ? GET64(s, 88) : GET64(s, 24);

			dump->frames = end < dump->frames ? end : dump->frames;
			*dump->flags |= SCAN_FILTERED; /* the other parts are other files */
		}
	} else if (GET32(s, 4) & ~1U) {
		*dump->flags |= SCAN_FILTERED;
	}
	/* The second bitmap tells what is there. */
	dump->bitmap_at = (1 + (uint64_t)sub_blocks + bitmap_blocks / 2) * dump->page;
	dump->descs_at = (1 + (uint64_t)sub_blocks + bitmap_blocks) * dump->page;
	if (dump->frames > 4ULL * bitmap_blocks * dump->page)
		dump->frames = 4ULL * bitmap_blocks * dump->page;
	if (dump->frames > FRAMES_MAX) {
		dump->frames = FRAMES_MAX;
		*dump->flags |= SCAN_DAMAGED;
	}
	dump->frame = dump->first;
	return dump->frames > 0;
}

static int open_kdump(struct source *source, const struct container_context *context,
		      struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct kdump *dump = calloc(1, sizeof(*dump));
	uint8_t *p;
	int r;

	if (!dump)
		return -ENOMEM;
	dump->source = source;
	dump->flags = flags;
	r = read_header(dump, about);
	/* Of a stream the descriptors must still be there when their pages go by. */
	if (r > 0 && !source_seekable(source) &&
	    dump->descs_at + dump->frames * DESC > SOURCE_KEPT) {
		*flags |= SCAN_UNSUPPORTED;
		r = 0;
	}
	if (r > 0) {
		dump->memory = wipe_alloc(2 * CHUNK + AHEAD + PAGE_MAX);
		r = dump->memory && lzo_init() == LZO_E_OK ? 1 : -ENOMEM;
	}
	if (r <= 0) {
		close_kdump(dump);
		return r;
	}
	p = dump->memory;
	dump->bitmap = (struct part){.p = p, .room = CHUNK};
	dump->descs = (struct part){.p = p + CHUNK, .room = CHUNK / DESC * DESC};
	dump->data = (struct part){.p = p + 2 * CHUNK,
				   .room = source_seekable(source) ? AHEAD : PAGE_MAX};
	dump->unpacked = p + 2 * CHUNK + AHEAD;
	*flags |= SCAN_CORE;
	*out_state = dump;
	return 1;
}

/* Is the frame there? -1: the file ends before. */
static int is_there(struct kdump *dump, uint64_t frame)
{
	const uint8_t *p;
	long got = part_read(dump, &dump->bitmap, dump->bitmap_at + frame / 8, 1, &p);

	return got < 1 ? -1 : *p >> frame % 8 & 1;
}

/*
 * Moves on to the next frame that is there: 1, 0 if there is none, -1 as above. By as many bytes as
 * are at hand, since what a flattened dump leaves out reads as zeros for as long as it says.
 */
static int skip_absent(struct kdump *dump)
{
	while (dump->frame < dump->frames) {
		int there = is_there(dump, dump->frame);
		const uint8_t *p;
		size_t len, i = 0;

		if (there)
			return there;
		if (dump->frame % 8) {
			dump->frame++;
			continue;
		}
		if (part_read(dump, &dump->bitmap, dump->bitmap_at + dump->frame / 8, 1, &p) < 1)
			return -1;
		len = dump->bitmap.len - (size_t)(p - dump->bitmap.p);
		if (!p[0] && !memcmp(p, p + 1, len - 1))
			i = len;
		while (i < len && !p[i])
			i++;
		dump->frame += i ? 8 * i : 1;
	}
	dump->frame = dump->frames;
	return 0;
}

static int next_kdump(void *state, struct segment *out_segment)
{
	struct kdump *dump = state;
	uint64_t first, nr = 0;
	int there = skip_absent(dump);

	first = dump->frame;
	while (dump->frame < dump->frames && nr < RUN_PAGES &&
	       (there = is_there(dump, dump->frame)) > 0) {
		dump->frame++;
		nr++;
	}
	if (there < 0) {
		*dump->flags |= SCAN_TRUNCATED;
		dump->frames = dump->frame;
	}
	if (!nr)
		return 0;
	if (first > UINT64_MAX / PAGE_MAX / 2) {
		*dump->flags |= SCAN_DAMAGED;
		return 0;
	}
	dump->left = nr;
	dump->unpacked_len = dump->unpacked_at = 0;
	*out_segment = (struct segment){
		.offset = first * dump->page,
		.len = nr * dump->page,
		.vaddr = first * dump->page,
		.has_vaddr = true,
		.kind = SEGMENT_PHYSICAL,
	};
	return 1;
}

/* One page, packed as its flags say, to dump->unpacked; false if it cannot be. */
static bool unpack(struct kdump *dump, const uint8_t *p, size_t len, uint32_t flags)
{
	unsigned long zlib_len = dump->page;
	lzo_uint lzo_len = dump->page;
	size_t other_len = dump->page;

	if (flags & PACKED_ZLIB)
		return uncompress(dump->unpacked, &zlib_len, p, len) == Z_OK &&
		       zlib_len == dump->page;
	if (flags & PACKED_LZO)
		return lzo1x_decompress_safe(p, len, dump->unpacked, &lzo_len, NULL) == LZO_E_OK &&
		       lzo_len == dump->page;
	if (flags & PACKED_SNAPPY)
		return snappy_uncompress((const char *)p, len, (char *)dump->unpacked,
					 &other_len) == SNAPPY_OK &&
		       other_len == dump->page;
	if (flags & PACKED_ZSTD)
		return ZSTD_decompress(dump->unpacked, dump->page, p, len) == dump->page;
	if (len != dump->page)
		return false;
	memcpy(dump->unpacked, p, len);
	return true;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	return !*p && !memcmp(p, p + 1, len - 1);
}

/* The next page: 1; 0: the end came before. What cannot be unpacked is zeros, and said. */
static int next_page(struct kdump *dump)
{
	const uint8_t *p;
	struct bytes b;
	uint64_t at;
	uint32_t len, flags;
	long got = part_read(dump, &dump->descs, dump->descs_at + dump->desc * DESC, DESC, &p);

	if (got < 0)
		return (int)got;
	if (got < DESC) {
		*dump->flags |= SCAN_TRUNCATED;
		return 0;
	}
	dump->desc++;
	dump->left--;
	b = (struct bytes){p, DESC};
	at = GET64(b, 0);
	len = GET32(b, 8);
	flags = GET32(b, 12);
	dump->unpacked_at = 0;
	dump->unpacked_len = dump->page;
	if (dump->has_zero && at == dump->zero_at) {
		memset(dump->unpacked, 0, dump->page);
		return 1;
	}
	got = 0;
	if (len && len <= PAGE_MAX && at && at < INT64_MAX)
		got = part_read(dump, &dump->data, at, len, &p);
	if (got < 0 && got != -ESPIPE)
		return (int)got;
	if (got < (long)len || !len || !unpack(dump, p, len, flags)) {
		/* A page that the dump announces as missing has no place: excluded at random by
		 * makedumpfile when it ran out of room. */
		*dump->flags |= at && got >= (long)len ? SCAN_DAMAGED : SCAN_TRUNCATED;
		memset(dump->unpacked, 0, dump->page);
	} else if (all_zero(dump->unpacked, dump->page)) {
		dump->has_zero = true;
		dump->zero_at = at;
	}
	return 1;
}

static long read_kdump(void *state, void *out, size_t len)
{
	struct kdump *dump = state;
	size_t n;

	if (dump->unpacked_at == dump->unpacked_len) {
		int r = dump->left ? next_page(dump) : 0;

		if (r <= 0)
			return r;
	}
	n = dump->unpacked_len - dump->unpacked_at;
	n = n < len ? n : len;
	memcpy(out, dump->unpacked + dump->unpacked_at, n);
	dump->unpacked_at += n;
	return (long)n;
}

const struct container_type container_kdump = {
	.container = CONTAINER_KDUMP,
	.align = 8,
	.is = is_kdump,
	.open = open_kdump,
	.next = next_kdump,
	.read = read_kdump,
	.close = close_kdump,
};
