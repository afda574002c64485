// SPDX-License-Identifier: GPL-2.0-or-later
/* Untrusted bytes to one line of printable UTF-8, and back. */
#include "base/escape.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define UNIT_MAX 16 /* longest escape of one unit: four bytes as \xHH */

/*
 * Length of the valid UTF-8 character at p (Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF), 0 if there is none. *out_code is set with it.
 */
static size_t utf8_char(const unsigned char *p, size_t left, uint32_t *out_code)
{
	unsigned char lo = 0x80, hi = 0xbf;
	uint32_t code;
	size_t len;

	if (p[0] < 0x80) {
		*out_code = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		code = p[0] & 0x1f;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		len = 3;
		code = p[0] & 0x0f;
		if (p[0] == 0xe0)
			lo = 0xa0;
		else if (p[0] == 0xed)
			hi = 0x9f;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		code = p[0] & 0x07;
		if (p[0] == 0xf0)
			lo = 0x90;
		else if (p[0] == 0xf4)
			hi = 0x8f;
	} else {
		return 0;
	}
	if (left < len || p[1] < lo || p[1] > hi)
		return 0;
	code = code << 6 | (p[1] & 0x3f);
	for (size_t i = 2; i < len; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	*out_code = code;
	return len;
}

static bool code_is_safe(uint32_t code)
{
	return !(code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 ||
		 code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
		 (code >= 0x2066 && code <= 0x2069));
}

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
	if (n && code_is_safe(code)) {
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
