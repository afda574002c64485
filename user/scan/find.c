// SPDX-License-Identifier: GPL-2.0-or-later
/* Markers by a pair of bytes. */
#include "scan/find.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The first i >= from with p[i] == a and p[i + 1] == b; `end` if there is none. i + 1 < end. */
static size_t find_pair(const uint8_t *p, size_t from, size_t end, uint8_t a, uint8_t b)
{
	size_t i = from;

#if defined(__SSE2__)
	const __m128i first = _mm_set1_epi8((char)a), second = _mm_set1_epi8((char)b);

	for (; i + 17 <= end; i += 16) {
		__m128i x = _mm_loadu_si128((const __m128i *)(p + i));
		__m128i y = _mm_loadu_si128((const __m128i *)(p + i + 1));
		unsigned both = (unsigned)_mm_movemask_epi8(
			_mm_and_si128(_mm_cmpeq_epi8(x, first), _mm_cmpeq_epi8(y, second)));

		if (both)
			return i + (unsigned)__builtin_ctz(both);
	}
#endif
	for (; i + 1 < end; i++)
		if (p[i] == a && p[i + 1] == b)
			return i;
	return end;
}

size_t find_marker(struct bytes memory, size_t from, struct marker marker)
{
	const uint8_t *needle = (const uint8_t *)marker.p;
	size_t at = from + marker.anchor;

	while (at < memory.len) {
		size_t start;

		at = find_pair(memory.p, at, memory.len, needle[marker.anchor],
			       needle[marker.anchor + 1]);
		if (at >= memory.len)
			break;
		start = at++ - marker.anchor;
		if (marker.len <= memory.len - start &&
		    memcmp(memory.p + start, needle, marker.len) == 0)
			return start;
	}
	return memory.len;
}
