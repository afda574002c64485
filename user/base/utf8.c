// SPDX-License-Identifier: GPL-2.0-or-later
/* Characters: where one ends, and whether a reader sees it for what it is. */
#include "base/utf8.h"

#include "base/cleanup.h"

size_t utf8_char(const unsigned char *p, size_t left, uint32_t *out_code)
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
			hi = 0x9f; /* surrogates */
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

/* First and last, ascending. From DerivedCoreProperties.txt and PropList.txt of Unicode 15. */
static const uint32_t unseen[][2] = {
	{0x0000, 0x001f}, /* controls */
	{0x007f, 0x009f}, /* DEL, C1 */
	{0x00ad, 0x00ad}, /* soft hyphen */
	{0x034f, 0x034f}, /* combining grapheme joiner */
	{0x061c, 0x061c}, /* Arabic letter mark */
	{0x115f, 0x1160}, /* Hangul fillers */
	{0x17b4, 0x17b5}, /* Khmer inherent vowels */
	{0x180b, 0x180f}, /* Mongolian variation selectors, vowel separator */
	{0x200b, 0x200f}, /* zero width, left-to-right and right-to-left mark */
	{0x2028, 0x202e}, /* line and paragraph separator, embeddings, overrides */
	{0x2060, 0x206f}, /* word joiner, invisible operators, isolates */
	{0x3164, 0x3164}, /* Hangul filler */
	{0xfe00, 0xfe0f}, /* variation selectors */
	{0xfeff, 0xfeff}, /* zero width no-break space, byte order mark */
	{0xffa0, 0xffa0}, /* halfwidth Hangul filler */
	{0xfff0, 0xfffb}, /* interlinear annotation, and what is reserved before it */
	{0x1bca0, 0x1bca3}, /* shorthand format controls */
	{0x1d173, 0x1d17a}, /* musical format controls */
	{0xe0000, 0xe0fff}, /* tags, variation selectors */
};

bool utf8_is_plain(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(unseen) && code >= unseen[i][0]; i++)
		if (code <= unseen[i][1])
			return false;
	return true;
}
