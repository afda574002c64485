// SPDX-License-Identifier: GPL-2.0-or-later
/* A reader and a writer of DER elements. */
#include "scan/der.h"

bool der_next(struct bytes *in, uint8_t *out_tag, struct bytes *out_content)
{
	struct bytes rest = *in;
	struct bytes content;
	uint8_t tag, first;
	size_t len;

	if (!bytes_u8(&rest, &tag) || (tag & 0x1f) == 0x1f || !bytes_u8(&rest, &first))
		return false;
	len = first;
	if (first & 0x80) {
		unsigned nr = first & 0x7f;

		if (nr < 1 || nr > 4)
			return false;
		len = 0;
		for (unsigned i = 0; i < nr; i++) {
			uint8_t b;

			if (!bytes_u8(&rest, &b) || (!i && !b))
				return false;
			len = len << 8 | b;
		}
		if (len < 0x80)
			return false;
	}
	if (!bytes_take(&rest, len, &content))
		return false;
	*in = rest;
	*out_tag = tag;
	*out_content = content;
	return true;
}

bool der_expect(struct bytes *in, uint8_t tag, struct bytes *out_content)
{
	struct bytes rest = *in;
	struct bytes content;
	uint8_t got;

	if (!der_next(&rest, &got, &content) || got != tag)
		return false;
	*in = rest;
	*out_content = content;
	return true;
}

bool der_number(struct bytes *in, struct bytes *out_number)
{
	struct bytes rest = *in;
	struct bytes content;

	if (!der_expect(&rest, DER_INTEGER, &content) || !content.len || content.p[0] & 0x80)
		return false;
	*in = rest;
	*out_number = bytes_trim_zeros(content);
	return true;
}

void der_out_init(struct der_out *out, uint8_t *memory, size_t size)
{
	*out = (struct der_out){.start = memory, .p = memory + size, .end = memory + size};
}

void der_put(struct der_out *out, struct bytes raw)
{
	if (out->full || raw.len > (size_t)(out->p - out->start)) {
		out->full = true;
		return;
	}
	if (!raw.len)
		return;
	out->p -= raw.len;
	memcpy(out->p, raw.p, raw.len);
}

static void put_byte(struct der_out *out, uint8_t byte)
{
	der_put(out, (struct bytes){&byte, 1});
}

void der_wrap(struct der_out *out, uint8_t tag, const uint8_t *mark)
{
	size_t len = out->full ? 0 : (size_t)(mark - out->p);
	uint8_t nr = 0;

	if (len < 0x80) {
		put_byte(out, (uint8_t)len);
	} else {
		for (; len; len >>= 8, nr++)
			put_byte(out, (uint8_t)len);
		put_byte(out, 0x80 | nr);
	}
	put_byte(out, tag);
}

void der_put_number(struct der_out *out, struct bytes number)
{
	const uint8_t *mark = out->p;

	number = bytes_trim_zeros(number);
	der_put(out, number);
	if (!number.len || number.p[0] & 0x80)
		put_byte(out, 0);
	der_wrap(out, DER_INTEGER, mark);
}
