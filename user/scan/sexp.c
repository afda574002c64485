// SPDX-License-Identifier: GPL-2.0-or-later
/* A tokeniser of s-expressions. */
#include "scan/sexp.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* What libgcrypt allows in a word without quotes. */
static bool is_word(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("-./_:*+=", c));
}

static int hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static enum sexp_token take_hex(struct bytes *in, uint8_t *memory, size_t size, struct bytes *out)
{
	size_t len = 0;
	int high = -1;
	uint8_t c;

	while (bytes_u8(in, &c)) {
		int digit = hex_digit(c);

		if (c == '#') {
			*out = (struct bytes){memory, len};
			return high < 0 ? SEXP_ATOM : SEXP_BAD;
		}
		if (is_blank(c))
			continue;
		if (digit < 0)
			return SEXP_BAD;
		if (high < 0) {
			high = digit;
			continue;
		}
		if (len == size)
			return SEXP_BAD;
		memory[len++] = (uint8_t)(high << 4 | digit);
		high = -1;
	}
	return SEXP_BAD;
}

static enum sexp_token take_quoted(struct bytes *in, uint8_t *memory, size_t size,
				   struct bytes *out)
{
	size_t len = 0;
	uint8_t c;

	while (bytes_u8(in, &c)) {
		if (c == '"') {
			*out = (struct bytes){memory, len};
			return SEXP_ATOM;
		}
		/* Only texts stand in quotes where we look; an escape need not be exact. */
		if (c == '\\' && !bytes_u8(in, &c))
			return SEXP_BAD;
		if (len == size)
			return SEXP_BAD;
		memory[len++] = c;
	}
	return SEXP_BAD;
}

static enum sexp_token take_word(struct bytes *in, struct bytes *out)
{
	size_t len = 0, count = 0;

	/* Digits and a colon announce that many raw bytes. */
	while (len < in->len && len < 8 && is_digit(in->p[len]))
		count = count * 10 + (size_t)(in->p[len++] - '0');
	if (len && len < in->len && in->p[len] == ':')
		return bytes_skip(in, len + 1) && bytes_take(in, count, out) ? SEXP_ATOM : SEXP_BAD;
	while (len < in->len && is_word(in->p[len]))
		len++;
	return len && bytes_take(in, len, out) ? SEXP_ATOM : SEXP_BAD;
}

enum sexp_token sexp_next(struct bytes *in, uint8_t *memory, size_t size, struct bytes *out_atom)
{
	while (in->len && is_blank(in->p[0]))
		bytes_skip(in, 1);
	if (!in->len)
		return SEXP_END;
	switch (in->p[0]) {
	case '(':
		bytes_skip(in, 1);
		return SEXP_OPEN;
	case ')':
		bytes_skip(in, 1);
		return SEXP_CLOSE;
	case '#':
		bytes_skip(in, 1);
		return take_hex(in, memory, size, out_atom);
	case '"':
		bytes_skip(in, 1);
		return take_quoted(in, memory, size, out_atom);
	default:
		return take_word(in, out_atom);
	}
}
