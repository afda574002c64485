/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Just enough DER (X.690) to see what a structure is and to write a SubjectPublicKeyInfo. */
#pragma once

#include "scan/bytes.h"

enum der_tag {
	DER_INTEGER = 0x02,
	DER_BITS = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT0 = 0xa0,
	DER_CONTEXT1 = 0xa1,
};

/*
 * Takes one element off `in`: low tag numbers and definite, minimal lengths only. False, with
 * nothing changed, for anything else and for an element that ends beyond the input.
 */
bool der_next(struct bytes *in, uint8_t *out_tag, struct bytes *out_content);

/* The same for an element that must have this tag. */
bool der_expect(struct bytes *in, uint8_t tag, struct bytes *out_content);

/* A non-negative INTEGER without leading zeros ({p, 0} for 0). */
bool der_number(struct bytes *in, struct bytes *out_number);

/*
 * Writes DER into fixed memory, back to front, as lengths come before what they count. What does
 * not fit sets `full`, checked once at the end.
 */
struct der_out {
	uint8_t *start; /* of the memory */
	uint8_t *p; /* first byte written */
	uint8_t *end;
	bool full;
};

void der_out_init(struct der_out *out, uint8_t *memory, size_t size);
void der_put(struct der_out *out, struct bytes raw);
/* Heads what was written since `mark` (a former value of out->p) as one element. */
void der_wrap(struct der_out *out, uint8_t tag, const uint8_t *mark);
void der_put_number(struct der_out *out, struct bytes number); /* unsigned, big endian */
