// SPDX-License-Identifier: GPL-2.0-or-later
/* DER that may be cut off anywhere: what is left of it is read, the key file parser wants it whole.
 */
#include "base/cleanup.h"
#include "scan/der.h"
#include "scan/form-key.h"

/* As der_expect(), but of an element that ends beyond the input gives what there is. */
static bool expect(struct bytes *in, uint8_t tag, struct bytes *out)
{
	struct bytes rest = *in;
	uint8_t got, first;
	size_t len;

	if (!bytes_u8(&rest, &got) || got != tag || !bytes_u8(&rest, &first))
		return false;
	len = first;
	if (first & 0x80) {
		unsigned nr = first & 0x7f;
		uint8_t b;

		if (nr < 1 || nr > 3)
			return false;
		for (len = 0; nr; nr--) {
			if (!bytes_u8(&rest, &b))
				return false;
			len = len << 8 | b;
		}
	}
	return bytes_take(&rest, len < rest.len ? len : rest.len, out) && (*in = rest, true);
}

static bool pkcs1(struct bytes in, struct form_key *key)
{
	struct form_rsa numbers = {.n = {NULL, 0}};
	struct bytes version, part;
	struct bytes *const parts[] = {&numbers.n, &numbers.e, &numbers.d, &numbers.p, &numbers.q};

	if (!der_number(&in, &version) || version.len > 1)
		return false;
	/* Only whole numbers: a part of one is another. */
	for (size_t i = 0; i < ARRAY_SIZE(parts) && der_number(&in, &part); i++)
		*parts[i] = part;
	return form_rsa(&numbers, key);
}

static bool sec1(struct bytes in, const struct curve *curve, struct form_key *key)
{
	static const struct {
		const char *name;
		size_t field; /* bytes */
	} curves[] = {
		{"prime256v1", 32},
		{"secp384r1", 48},
		{"secp521r1", 66},
		{"secp256k1", 32},
	};
	struct bytes version, scalar, part, oid, public = {NULL, 0};

	if (!der_number(&in, &version) || !der_expect(&in, DER_OCTETS, &scalar))
		return false;
	if (expect(&in, DER_CONTEXT0, &part) && der_expect(&part, DER_OID, &oid))
		curve = curve_by_oid(oid);
	if (expect(&in, DER_CONTEXT1, &part) && der_expect(&part, DER_BITS, &public) && public.len)
		bytes_skip(&public, 1);
	if (curve)
		return form_ec(curve, bytes_trim_zeros(scalar), public, key);
	/* PKCS#8 names the curve outside. What is left without it is known by its public half. */
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if ((public.len == 1 + 2 * curves[i].field || public.len == 1 + curves[i].field) &&
		    form_ec(curve_by_group(curves[i].name), bytes_trim_zeros(scalar), public, key))
			return true;
	return false;
}

static bool pkcs8(struct bytes in, struct form_key *key)
{
	static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
	static const uint8_t ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
	static const uint8_t ed25519[] = {0x2b, 0x65, 0x70}, x25519[] = {0x2b, 0x65, 0x6e};
	struct bytes version, algorithm, oid, curve = {NULL, 0}, content, seed, part;
	struct bytes public = {NULL, 0};

	if (!der_number(&in, &version) || !der_expect(&in, DER_SEQUENCE, &algorithm) ||
	    !der_expect(&algorithm, DER_OID, &oid) || !expect(&in, DER_OCTETS, &content))
		return false;
	/* RSA and RSA-PSS */
	if (oid.len == sizeof(rsa) + 1 && !memcmp(oid.p, rsa, sizeof(rsa)))
		return expect(&content, DER_SEQUENCE, &part) && pkcs1(part, key);
	if (bytes_eq(oid, (struct bytes){ec, sizeof(ec)})) {
		der_expect(&algorithm, DER_OID, &curve);
		return expect(&content, DER_SEQUENCE, &part) &&
		       sec1(part, curve_by_oid(curve), key);
	}
	if (!der_expect(&content, DER_OCTETS, &seed))
		return false;
	/* RFC 5958: the public key may follow. */
	der_expect(&in, DER_CONTEXT0, &part);
	if (der_expect(&in, 0x81, &public) && public.len)
		bytes_skip(&public, 1);
	if (bytes_eq(oid, (struct bytes){ed25519, sizeof(ed25519)}))
		return form_raw(KEY_ED25519, seed, public, key);
	if (bytes_eq(oid, (struct bytes){x25519, sizeof(x25519)}))
		return form_raw(KEY_X25519, seed, public, key);
	return false;
}

bool form_der(struct bytes der, struct form_key *key)
{
	struct bytes content, version, rest;

	if (!expect(&der, DER_SEQUENCE, &content))
		return false;
	rest = content;
	if (!der_number(&rest, &version) || version.len > 1 || !rest.len)
		return false;
	switch (rest.p[0]) {
	case DER_INTEGER:
		return pkcs1(content, key);
	case DER_OCTETS:
		return sec1(content, NULL, key);
	case DER_SEQUENCE:
		return pkcs8(content, key);
	default:
		return false;
	}
}
