// SPDX-License-Identifier: GPL-2.0-or-later
/* Walking escaped text in units that must not be torn. */
#include "base/text.h"

#include "base/cleanup.h"
#include "base/utf8.h"

static bool hexdigit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

size_t text_unit(const char *p, size_t len, enum text_kind *out_kind)
{
	uint32_t c;
	size_t n;

	if (p[0] == '\\') {
		*out_kind = TEXT_ESCAPE;
		if (len >= 2 && p[1] == '\\')
			return 2;
		if (len >= 4 && p[1] == 'x' && hexdigit(p[2]) && hexdigit(p[3]))
			return 4;
		*out_kind = TEXT_RAW;
		return 1;
	}
	n = utf8_char((const unsigned char *)p, len, &c);
	*out_kind = TEXT_CHAR;
	if (n == 0 || !utf8_is_plain(c)) {
		*out_kind = TEXT_RAW;
		return 1;
	}
	return n;
}

/* First and last of ranges of East Asian wide or fullwidth characters and of emoji. */
static const uint32_t wide[][2] = {
	{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0x33ff}, {0x3400, 0x4dbf},
	{0x4e00, 0x9fff},   {0xa000, 0xa4cf},	{0xac00, 0xd7a3}, {0xf900, 0xfaff},
	{0xfe30, 0xfe6f},   {0xff00, 0xff60},	{0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
	{0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
/* Combining marks. What is not seen at all is escaped by now. */
static const uint32_t zero[][2] = {
	{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f},
	{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f},
};

static bool in_ranges(const uint32_t (*ranges)[2], size_t nr, uint32_t c)
{
	for (size_t i = 0; i < nr; i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

unsigned text_columns(const char *p, size_t len)
{
	unsigned columns = 0;

	while (len > 0) {
		uint32_t c;
		size_t n = utf8_char((const unsigned char *)p, len, &c);

		if (n == 0) {
			n = 1;
			columns++;
		} else if (in_ranges(wide, ARRAY_SIZE(wide), c)) {
			columns += 2;
		} else if (!in_ranges(zero, ARRAY_SIZE(zero), c)) {
			columns++;
		}
		p += n;
		len -= n;
	}
	return columns;
}
