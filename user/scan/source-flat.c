// SPDX-License-Identifier: GPL-2.0-or-later
/* Flattened dumps by an index of their pieces. */
#include "scan/source-flat.h"

#include <string.h>

#define HEADER	   4096
#define PIECE	   16 /* bytes of a piece's header: where it belongs, how long it is; big endian */
#define PIECES_MAX (512 << 10) /* 12 MiB of index */

struct piece {
	uint64_t to; /* in the dump */
	uint64_t at; /* in the file */
	uint32_t len;
	uint32_t nr; /* later ones replace earlier ones */
};

struct flat {
	struct source *inner;
	struct piece *pieces; /* by where they belong */
	size_t nr;
	uint64_t size;
};

bool source_flat_is(struct bytes head)
{
	return head.len >= 32 && memcmp(head.p, "makedumpfile\0\0\0", 16) == 0;
}

static uint64_t big64(const uint8_t *p)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | p[i];
	return value;
}

static void free_flat(void *self)
{
	struct flat *flat = self;

	free(flat->pieces);
	free(flat);
}

static int add(struct flat *flat, const struct piece *piece)
{
	/* Doubles at each power of two. */
	if ((flat->nr & (flat->nr - 1)) == 0) {
		size_t cap = flat->nr ? flat->nr * 2 : 1;
		struct piece *more = reallocarray(flat->pieces, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		flat->pieces = more;
	}
	flat->pieces[flat->nr++] = *piece;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->to != y->to)
		return x->to > y->to ? 1 : -1;
	return (x->nr > y->nr) - (x->nr < y->nr);
}

static int read_pieces(struct flat *flat, bool *out_full, bool *out_truncated)
{
	uint64_t at = HEADER;

	*out_truncated = true;
	for (;;) {
		uint8_t raw[PIECE];
		long got = source_read(flat->inner, raw, sizeof(raw), at);
		uint64_t to = big64(raw), len = big64(raw + 8);

		if (got < 0)
			return (int)got;
		if (got < PIECE)
			break;
		if (to == UINT64_MAX) {
			*out_truncated = false;
			break;
		}
		if (len > INT32_MAX || to > INT64_MAX - len)
			break;
		at += PIECE;
		if (flat->nr == PIECES_MAX) {
			*out_full = true;
			*out_truncated = false;
			break;
		}
		if (len &&
		    add(flat, &(struct piece){to, at, (uint32_t)len, (uint32_t)flat->nr}) < 0)
			return -ENOMEM;
		if (to + len > flat->size)
			flat->size = to + len;
		at += len;
	}
	if (flat->nr)
		qsort(flat->pieces, flat->nr, sizeof(*flat->pieces), by_place);
	return 0;
}

/* The last piece that begins at or before `offset`; flat->nr if there is none. */
static size_t find(const struct flat *flat, uint64_t offset)
{
	size_t low = 0, high = flat->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (flat->pieces[middle].to <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : flat->nr;
}

/* What no piece covers is zeros. */
static long read_flat(void *self, void *out, size_t len, uint64_t offset)
{
	struct flat *flat = self;
	size_t got = 0;

	if (offset >= flat->size)
		return 0;
	if (len > flat->size - offset)
		len = (size_t)(flat->size - offset);
	while (got < len) {
		uint64_t here = offset + got;
		size_t i = find(flat, here), n = len - got;
		size_t next = i == flat->nr ? 0 : i + 1;
		const struct piece *piece = i == flat->nr ? NULL : &flat->pieces[i];

		if (next < flat->nr && flat->pieces[next].to - here < n)
			n = (size_t)(flat->pieces[next].to - here);
		if (piece && here - piece->to < piece->len) {
			uint64_t left = piece->len - (here - piece->to);
			long r;

			n = left < n ? (size_t)left : n;
			r = source_read(flat->inner, (uint8_t *)out + got, n,
					piece->at + (here - piece->to));
			if (r < 0)
				return r;
			if ((size_t)r < n)
				return (long)got + r;
		} else {
			memset((uint8_t *)out + got, 0, n);
		}
		got += n;
	}
	return (long)got;
}

int source_flat_open(struct source *inner, bool *out_full, bool *out_truncated,
		     struct source **out_source)
{
	struct flat *flat = calloc(1, sizeof(*flat));
	struct source_mapping mapping = {.read = read_flat, .free = free_flat, .self = flat};
	int err;

	if (!flat)
		return -ENOMEM;
	*out_full = false;
	flat->inner = inner;
	err = read_pieces(flat, out_full, out_truncated);
	if (!err && !flat->nr) {
		free_flat(flat);
		return 0;
	}
	if (!err)
		err = source_new_mapping(&mapping, flat->size, out_source);
	if (err) {
		free_flat(flat);
		return err;
	}
	return 1;
}
