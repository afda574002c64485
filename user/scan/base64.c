// SPDX-License-Identifier: GPL-2.0-or-later
/* Base64 there and back. */
#include "scan/base64.h"

#include <errno.h>

static int value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

long base64_decode(struct bytes in, uint8_t *out)
{
	uint32_t group = 0;
	unsigned nr = 0, pad = 0;
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.p[i];
		int v;

		if (blank(c))
			continue;
		if (c == '=') {
			if (++pad > 2)
				return -EINVAL;
			continue;
		}
		v = value(c);
		if (v < 0 || pad)
			return -EINVAL;
		group = group << 6 | (unsigned)v;
		if (++nr < 4)
			continue;
		out[len++] = (uint8_t)(group >> 16);
		out[len++] = (uint8_t)(group >> 8);
		out[len++] = (uint8_t)group;
		group = nr = 0;
	}
	if (nr == 1 || (pad && nr + pad != 4))
		return -EINVAL;
	if (nr >= 2)
		out[len++] = (uint8_t)(group >> (nr == 3 ? 10 : 4));
	if (nr == 3)
		out[len++] = (uint8_t)(group >> 2);
	return (long)len;
}

size_t base64_encode(struct bytes in, char *out)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t group = (uint32_t)in.p[i] << 16 |
				 (left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0) |
				 (left > 2 ? in.p[i + 2] : 0);

		out[n++] = set[group >> 18];
		out[n++] = set[group >> 12 & 63];
		if (left > 1)
			out[n++] = set[group >> 6 & 63];
		if (left > 2)
			out[n++] = set[group & 63];
	}
	out[n] = '\0';
	return n;
}

size_t base64_decode_some(struct bytes in, uint8_t *out, size_t size, size_t *out_used)
{
	uint32_t group = 0;
	unsigned bits = 0;
	size_t len = 0, i;

	for (i = 0; i < in.len && len < size; i++) {
		uint8_t c = in.p[i];
		int v;

		if (blank(c))
			continue;
		if (c == '\\' && i + 1 < in.len && (in.p[i + 1] == 'n' || in.p[i + 1] == 'r')) {
			i++;
			continue;
		}
		/* Five dashes are the end of a block, fewer are letters of URLs' alphabet. */
		if (c == '-' && bytes_starts((struct bytes){in.p + i, in.len - i}, "-----"))
			break;
		v = c == '-' ? 62 : c == '_' ? 63 : value(c);
		if (v < 0)
			break;
		group = group << 6 | (unsigned)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (uint8_t)(group >> bits);
		}
	}
	*out_used = i;
	return len;
}
