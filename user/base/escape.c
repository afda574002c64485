// SPDX-License-Identifier: GPL-2.0-or-later
/* Untrusted bytes to one line of printable UTF-8, and back. */
#include "base/escape.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define UNIT_MAX 16 /* longest escape of one unit: four bytes as \xHH */

/*
 * The text of the next unit (a character, or one byte that is part of none). Returns its length;
 * *out_used is the number of bytes it stands for.
 */
static size_t escape_unit(const unsigned char *p, size_t left, char out[UNIT_MAX], size_t *out_used)
{
	static const char hex[] = "0123456789abcdef";
	uint32_t code = 0;
	size_t n = utf8_char(p, left, &code), len = 0;

	if (n == 1 && code == '\\') {
		out[0] = out[1] = '\\';
		*out_used = 1;
		return 2;
	}
	if (n && utf8_is_plain(code)) {
		memcpy(out, p, n);
		*out_used = n;
		return n;
	}
	*out_used = n ? n : 1;
	for (size_t i = 0; i < *out_used; i++) {
		out[len++] = '\\';
		out[len++] = 'x';
		out[len++] = hex[p[i] >> 4];
		out[len++] = hex[p[i] & 15];
	}
	return len;
}

static inline bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

size_t escape_bytes(const char *in, size_t len, char *out, size_t size, bool *truncated)
{
	const unsigned char *p = (const unsigned char *)in, *end = len ? p + len : p;
	char unit[UNIT_MAX];
	size_t at = 0;

	if (truncated)
		*truncated = len > 0;
	if (size == 0)
		return 0;
	while (p < end) {
		size_t n, used;

		if (plain(*p)) { /* nearly all there is */
			if (at + 1 >= size)
				break;
			out[at++] = (char)*p++;
			continue;
		}
		n = escape_unit(p, (size_t)(end - p), unit, &used);
		if (n >= size - at)
			break;
		memcpy(out + at, unit, n);
		at += n;
		p += used;
	}
	out[at] = '\0';
	if (truncated)
		*truncated = p < end;
	return at;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

long escape_undo(const char *in, size_t len, char *out, size_t size)
{
	char unit[UNIT_MAX];
	size_t i = 0, at = 0;

	if (len > LONG_MAX)
		return -EINVAL;
	while (i < len) {
		int hi, lo;
		char c = in[i];

		if (c != '\\') {
			i++;
		} else if (len - i >= 2 && in[i + 1] == '\\') {
			i += 2;
		} else if (len - i >= 4 && in[i + 1] == 'x') {
			hi = hex_digit(in[i + 2]);
			lo = hex_digit(in[i + 3]);
			if (hi < 0 || lo < 0)
				return -EINVAL;
			c = (char)(hi << 4 | lo);
			i += 4;
		} else {
			return -EINVAL;
		}
		if (at == size)
			return -ENOBUFS;
		out[at++] = c;
	}
	/*
	 * Exactly one text stands for given bytes: whatever is not that text (raw control
	 * characters, \x41, a character in two halves) was not made by escape_bytes().
	 */
	for (size_t done = 0, pos = 0; done < at;) {
		size_t used, n;

		if (plain((unsigned char)out[done])) {
			if (in[pos] != out[done])
				return -EINVAL;
			pos++;
			done++;
			continue;
		}
		n = escape_unit((const unsigned char *)out + done, at - done, unit, &used);
		if (n > len - pos || memcmp(in + pos, unit, n))
			return -EINVAL;
		pos += n;
		done += used;
	}
	return (long)at;
}
