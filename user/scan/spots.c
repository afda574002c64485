// SPDX-License-Identifier: GPL-2.0-or-later
/* Beginnings of stretches, and of what follows a gap within them. */
#include "scan/spots.h"

static unsigned step_of(enum finding_layout layout, const struct stretch *s)
{
	if (s->bytes || layout == LAYOUT_BE || layout == LAYOUT_RAW)
		return 1;
	return layout == LAYOUT_DIGITS_15 ? 2 : 4;
}

/*
 * The word at `start` is the first that looks random. Something else may fill its lower bytes (a
 * length, a header), and the one before it may hold the first few bytes of the number.
 */
static bool around(const struct harvest *h, const struct stretch *s, enum finding_layout layout,
		   long start, bool (*spot)(void *userdata, long at), void *userdata)
{
	const uint8_t *p = stretch_bytes(h, s);
	unsigned step = step_of(layout, s);
	long first = step == 1 && start > -HARVEST_MARGIN ? start - 7 : start;

	if (first < -HARVEST_MARGIN)
		first = -HARVEST_MARGIN;
	for (long at = first; at < start + 8; at += step) {
		/* What comes before bytes at an odd address: a zero, an array's type, a length
		 * (of 32 bytes, or of the next ones). */
		if (step == 1 && at % 8 && at > -HARVEST_MARGIN && p[at - 1] > 10 &&
		    p[at - 1] != 32 && p[at - 1] != 48 && p[at - 1] != 66)
			continue;
		if (!spot(userdata, at))
			return false;
	}
	return true;
}

/* The zero that keeps a number positive in DER, SSH and s-expressions, or ends its length. */
static bool after_zeros(const struct harvest *h, const struct stretch *s, long from,
			bool (*spot)(void *userdata, long at), void *userdata)
{
	const uint8_t *p = stretch_bytes(h, s), *zero;

	for (long at = from; at < s->len && (zero = memchr(p + at, 0, (size_t)(s->len - at)));) {
		at = zero - p + 1;
		if (!spot(userdata, at))
			return false;
	}
	return true;
}

/* The zeros of a length in big-endian bytes (SSH); DER's INTEGER and OCTET STRING; CBOR's byte
 * string; protobuf's fields 1 to 15. */
static bool before_a_length(uint8_t byte)
{
	return byte == 0 || byte == 4 || byte == 0x58 || (byte & 0x87) == 2;
}

static bool is_length(uint8_t byte)
{
	return byte == 32 || byte == 48 || byte == 64 || byte == 66;
}

/* The length of a scalar or a seed, or of a seed with its public key: in containers, and what is
 * left of PKCS#8 and SEC1 when their first bytes, or the public half, were written over. */
static bool after_lengths(const struct harvest *h, const struct stretch *s,
			  bool (*spot)(void *userdata, long at), void *userdata)
{
	const uint8_t *p = stretch_bytes(h, s);

	for (long at = 1; at + 1 < s->len; at++)
		if (is_length(p[at]) && before_a_length(p[at - 1]) && !spot(userdata, at + 1))
			return false;
	return true;
}

bool spots_after_length(const struct harvest *h, const struct stretch *s, long at)
{
	const uint8_t *p = stretch_bytes(h, s) + at - 1;
	int zeros = 0;

	if (at < 6 - HARVEST_MARGIN)
		return false;
	for (; zeros < 4 && !*p; zeros++)
		p--;
	return is_length(*p) && (zeros || before_a_length(p[-1]));
}

void spots(const struct harvest *h, const struct stretch *s, enum finding_layout layout,
	   bool (*spot)(void *userdata, long at), void *userdata)
{
	const uint8_t *p = stretch_bytes(h, s);
	bool bytes = layout == LAYOUT_BE || layout == LAYOUT_RAW;
	bool before = false;

	/* Words of a number that were not taken for such by chance may stand before the stretch;
	 * or, with text before it, it may begin too early. */
	for (long at = -HARVEST_MARGIN; at < s->len; at += 8) {
		bool now = run_word(p + at);

		if (((now && !before) || !at) && !around(h, s, layout, at, spot, userdata))
			return;
		before = now;
	}
	if (bytes && after_zeros(h, s, 7, spot, userdata) && layout == LAYOUT_RAW)
		after_lengths(h, s, spot, userdata);
}

void spots_all(const struct harvest *h, const struct stretch *s, enum finding_layout layout,
	       bool (*spot)(void *userdata, long at), void *userdata)
{
	for (long at = -HARVEST_MARGIN; at < s->len; at += step_of(layout, s))
		if (!spot(userdata, at))
			return;
}

long spots_piece(const struct harvest *h, const struct stretch *s, long at, long most)
{
	const uint8_t *p = stretch_bytes(h, s);
	long end = at & ~7L;

	while (end - at < most && end + 8 <= s->len + HARVEST_MARGIN && run_word(p + end))
		end += 8;
	return end - at;
}
