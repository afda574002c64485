// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LiME and AVML: physical memory, range after range, each with a header of 32 bytes. AVML's second
 * version packs each range as a stream of Snappy frames, followed by how long it is.
 */
#include <snappy-c.h>
#include <string.h>

#include "scan/container.h"
#include "scan/wipe.h"

#define HEADER	   32
#define FRAME_MAX  65536 /* bytes of a Snappy frame when unpacked */
#define PACKED_MAX (FRAME_MAX + FRAME_MAX / 6 + 64) /* what it may take packed */
#define FRAMES_MAX (1U << 26) /* empty ones, which would never end */

struct lime {
	struct source *source;
	uint64_t *flags;
	uint64_t at; /* of the next header, or the next frame */
	bool packed;
	unsigned empty;
	/* Of a packed range. */
	uint64_t left; /* bytes of it that are not unpacked yet */
	uint8_t *frame; /* unpacked; then the packed one */
	size_t frame_at, frame_len;
};

static bool is_lime(struct bytes head)
{
	return head.len >= HEADER && memcmp(head.p, "EMiL\1\0\0\0", 8) == 0;
}

static bool is_avml(struct bytes head)
{
	return head.len >= HEADER && memcmp(head.p, "AVML\2\0\0\0", 8) == 0;
}

static void close_lime(void *state)
{
	struct lime *lime = state;

	if (lime)
		wipe_free(lime->frame);
	free(lime);
}

static int open_lime(struct source *source, const struct container_context *context,
		     struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct lime *lime = calloc(1, sizeof(*lime));

	if (!lime)
		return -ENOMEM;
	lime->source = source;
	lime->flags = flags;
	lime->packed = about->container == CONTAINER_AVML;
	if (lime->packed) {
		lime->frame = wipe_alloc(FRAME_MAX + PACKED_MAX);
		if (!lime->frame) {
			close_lime(lime);
			return -ENOMEM;
		}
	}
	*flags |= SCAN_CORE;
	*out_state = lime;
	return 1;
}

/* Of a range with its end: 1, 0: no more. */
static int next_range(struct lime *lime, struct segment *out)
{
	uint8_t raw[HEADER] = {0};
	struct bytes b = {raw, sizeof(raw)};
	long got = source_read(lime->source, raw, sizeof(raw), lime->at);
	uint64_t start, last;

	if (got < 0)
		return (int)got;
	if (!got)
		return 0;
	start = GET64(b, 8);
	last = GET64(b, 16);
	if (got < HEADER) {
		*lime->flags |= SCAN_TRUNCATED;
		return 0;
	}
	if (!(lime->packed ? is_avml(b) : is_lime(b)) || last < start ||
	    last - start == UINT64_MAX) {
		*lime->flags |= SCAN_DAMAGED;
		return 0;
	}
	lime->at += HEADER;
	*out = (struct segment){
		.offset = lime->packed ? start : lime->at,
		.len = last - start + 1,
		.vaddr = start,
		.has_vaddr = true,
		.kind = SEGMENT_PHYSICAL,
	};
	return 1;
}

static int next_lime(void *state, struct segment *out_segment)
{
	struct lime *lime = state;
	int r = next_range(lime, out_segment);

	if (r > 0 && __builtin_add_overflow(lime->at, out_segment->len, &lime->at))
		lime->at = UINT64_MAX;
	return r;
}

static int damaged(struct lime *lime, uint64_t flag)
{
	*lime->flags |= flag;
	lime->left = 0;
	lime->at = UINT64_MAX; /* where the next range would be is not known */
	return 0;
}

/* The frame at lime->at, unpacked: 1; 0: not to be had. See framing_format.txt of Snappy. */
static int read_frame(struct lime *lime)
{
	uint8_t *packed = lime->frame + FRAME_MAX;
	size_t len, unpacked = FRAME_MAX;
	uint8_t head[4];
	long got;

	got = source_read(lime->source, head, sizeof(head), lime->at);
	if (got < 0)
		return (int)got;
	if (got < (long)sizeof(head))
		return damaged(lime, SCAN_TRUNCATED);
	len = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16;
	lime->at += sizeof(head) + len;
	lime->frame_at = lime->frame_len = 0;
	if (head[0] >= 0x80) /* the name of the format, padding, what can be skipped */
		return ++lime->empty > FRAMES_MAX ? damaged(lime, SCAN_DAMAGED) : 1;
	if (head[0] > 1 || len < 4 || len > PACKED_MAX)
		return damaged(lime, SCAN_DAMAGED);
	got = source_read(lime->source, packed, len, lime->at - len);
	if (got < 0)
		return (int)got;
	if ((size_t)got < len)
		return damaged(lime, SCAN_TRUNCATED);
	/* Four bytes of checksum, which we leave to others. */
	if (head[0] == 1) {
		unpacked = len - 4 < FRAME_MAX ? len - 4 : FRAME_MAX;
		memcpy(lime->frame, packed + 4, unpacked);
	} else if (snappy_uncompress((char *)packed + 4, len - 4, (char *)lime->frame, &unpacked) !=
		   SNAPPY_OK) {
		return damaged(lime, SCAN_DAMAGED);
	}
	lime->frame_len = unpacked;
	if (!unpacked && ++lime->empty > FRAMES_MAX)
		return damaged(lime, SCAN_DAMAGED);
	return 1;
}

static long read_avml(void *state, void *out, size_t len)
{
	struct lime *lime = state;
	size_t n;

	if (!lime->left)
		return 0;
	while (lime->frame_at == lime->frame_len) {
		int r = read_frame(lime);

		if (r <= 0)
			return r;
	}
	n = lime->frame_len - lime->frame_at;
	n = n < len ? n : len;
	n = n < lime->left ? n : (size_t)lime->left;
	memcpy(out, lime->frame + lime->frame_at, n);
	lime->frame_at += n;
	lime->left -= n;
	if (!lime->left) {
		lime->frame_at = lime->frame_len = 0;
		lime->at += 8; /* how long the range was, packed */
	}
	return (long)n;
}

static int next_avml(void *state, struct segment *out_segment)
{
	struct lime *lime = state;
	int r;

	if (lime->at == UINT64_MAX)
		return 0;
	r = next_range(lime, out_segment);
	if (r > 0)
		lime->left = out_segment->len;
	return r;
}

const struct container_type container_lime = {
	.container = CONTAINER_LIME,
	.align = 8,
	.is = is_lime,
	.open = open_lime,
	.next = next_lime,
	.close = close_lime,
};

const struct container_type container_avml = {
	.container = CONTAINER_AVML,
	.align = 8,
	.is = is_avml,
	.open = open_lime,
	.next = next_avml,
	.read = read_avml,
	.close = close_lime,
};
