/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The four prime curves that keys of computers are on, and two questions: is this a point, and
 * which point belongs to this scalar?
 */
#pragma once

#include <openssl/ec.h>

#include "base/cleanup.h"
#include "scan/bytes.h"

enum ec_curve { EC_P256 = 0, EC_SECP256K1, EC_P384, EC_P521, EC_CURVE_NR };

#define EC_FIELD_MAX                                                                \
	72 /* bytes that a coordinate takes in memory: of P-521 in words of 8 bytes \
	    */

/* How a coordinate lies in memory. */
enum ec_form {
	EC_BYTES = 0, /* most significant first */
	EC_LIMBS, /* little endian */
	EC_WORDS, /* 32-bit words, most significant first: Java */
	EC_MONTGOMERY, /* little endian, times 2^(64 * words) modulo p: OpenSSL, Go, ring */
	EC_FORM_NR
};

struct ec_group {
	EC_GROUP *group;
	EC_POINT *point; /* scratch */
	BIGNUM *p, *a, *b, *order, *unmont, *gx;
	BN_CTX *ctx;
	unsigned field; /* bytes of a coordinate */
	unsigned words; /* bytes of it in words of 8 */
};

int ec_group_init(struct ec_group *group, enum ec_curve curve); /* -ENOMEM */
void ec_group_fini(struct ec_group *group); /* also of one that is all zeros */

const char *ec_curve_name(enum ec_curve curve); /* libcrypto's group name */
unsigned ec_curve_field(enum ec_curve curve);

/* Bytes of a coordinate or scalar in this form. */
size_t ec_form_size(const struct ec_group *group, enum ec_form form);

/* The sides of the curve's equation that a coordinate gives: as y, and as x. */
struct ec_sides {
	uint8_t value[EC_FIELD_MAX], squared[EC_FIELD_MAX], cubic[EC_FIELD_MAX];
};

/* False: no coordinate (0, or not below p), or the generator's. */
bool ec_sides(const struct ec_group *group, enum ec_form form, const uint8_t *p,
	      struct ec_sides *out);

/*
 * Is x || y on the curve? out: the coordinates one after another, most significant byte first, each
 * as long as the field.
 */
bool ec_is_point(const struct ec_group *group, const struct ec_sides *x, const struct ec_sides *y,
		 uint8_t *out);

/* The public point of the scalar, as above; false for 0 and what is not below the order. */
bool ec_public(const struct ec_group *group, enum ec_form form, const uint8_t *scalar,
	       uint8_t *out);

/* Most significant byte first, as long as the field. out: EC_FIELD_MAX bytes. */
void ec_scalar_bytes(const struct ec_group *group, enum ec_form form, const uint8_t *scalar,
		     uint8_t *out);

/*
 * Scalars, too, may be kept times R = 2^(64 * words), modulo the order (ring). Multiplied by the
 * generator these give R * point, which is worked out once for each point. Both as ec_is_point()
 * writes them; false without memory.
 */
bool ec_times_r(const struct ec_group *group, const uint8_t *point, uint8_t *out);
/* And the scalar out of such a one, as bytes, most significant first, in place. */
bool ec_scalar_unmont(const struct ec_group *group, uint8_t *scalar);
