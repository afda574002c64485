/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading hostile bytes front to back: a view that only shrinks, and takes that fail instead of
 * reaching beyond its end. After a failed take the view and the outputs are as before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *p; /* borrowed */
	size_t len;
};

#define BYTES_STR(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

static inline bool bytes_take(struct bytes *in, size_t n, struct bytes *out)
{
	if (n > in->len)
		return false;
	*out = (struct bytes){in->p, n};
	in->p += n;
	in->len -= n;
	return true;
}

static inline bool bytes_skip(struct bytes *in, size_t n)
{
	struct bytes ignored;

	return bytes_take(in, n, &ignored);
}

static inline bool bytes_u8(struct bytes *in, uint8_t *out)
{
	struct bytes b;

	if (!bytes_take(in, 1, &b))
		return false;
	*out = b.p[0];
	return true;
}

static inline bool bytes_be16(struct bytes *in, uint16_t *out)
{
	struct bytes b;

	if (!bytes_take(in, 2, &b))
		return false;
	*out = (uint16_t)(b.p[0] << 8 | b.p[1]);
	return true;
}

static inline bool bytes_be32(struct bytes *in, uint32_t *out)
{
	struct bytes b;

	if (!bytes_take(in, 4, &b))
		return false;
	*out = (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 | (uint32_t)b.p[2] << 8 | b.p[3];
	return true;
}

/* A length of four bytes, then as many (RFC 4251 section 5). */
static inline bool bytes_string(struct bytes *in, struct bytes *out)
{
	struct bytes rest = *in;
	uint32_t len;

	if (!bytes_be32(&rest, &len) || !bytes_take(&rest, len, out))
		return false;
	*in = rest;
	return true;
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool bytes_is(struct bytes a, const char *s)
{
	return a.len == strlen(s) && memcmp(a.p, s, a.len) == 0;
}

static inline bool bytes_starts(struct bytes a, const char *s)
{
	return a.len >= strlen(s) && memcmp(a.p, s, strlen(s)) == 0;
}

/* A number of RFC 4251 or of DER without its leading zeros. */
static inline struct bytes bytes_trim_zeros(struct bytes b)
{
	while (b.len && !b.p[0]) {
		b.p++;
		b.len--;
	}
	return b;
}

/* The next line without its end (LF or CRLF); false at the end of the input. */
static inline bool bytes_line(struct bytes *in, struct bytes *out)
{
	const uint8_t *nl;
	size_t n;

	if (!in->len)
		return false;
	nl = memchr(in->p, '\n', in->len);
	n = nl ? (size_t)(nl - in->p) : in->len;
	*out = (struct bytes){in->p, n};
	in->p += n + !!nl;
	in->len -= n + !!nl;
	if (out->len && out->p[out->len - 1] == '\r')
		out->len--;
	return true;
}
