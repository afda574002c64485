// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OpenPGP secret key packets (RFC 4880 section 5.5.3, RFC 6637): the public half stands in clear
 * before what the passphrase protects. The first key or subkey with a secret in it counts.
 */
#include "scan/keyfile-internal.h"

#include "base/cleanup.h"

enum pgp_tag { PGP_SECRET_KEY = 5, PGP_SECRET_SUBKEY = 7, PGP_USER_ID = 13 };

/* An old or new format packet with a definite length. */
static bool packet(struct bytes *in, unsigned *out_tag, struct bytes *out_body)
{
	struct bytes rest = *in;
	uint8_t first, octet;
	uint16_t two;
	uint32_t len;

	if (!bytes_u8(&rest, &first) || !(first & 0x80))
		return false;
	if (first & 0x40) {
		if (!bytes_u8(&rest, &octet))
			return false;
		len = octet;
		if (octet >= 192 && octet < 224) {
			uint8_t low;

			if (!bytes_u8(&rest, &low))
				return false;
			len = ((uint32_t)(octet - 192) << 8) + low + 192;
		} else if (octet == 255) {
			if (!bytes_be32(&rest, &len))
				return false;
		} else if (octet >= 224) {
			return false; /* partial lengths are for data only */
		}
	} else {
		switch (first & 3) {
		case 0:
			if (!bytes_u8(&rest, &octet))
				return false;
			len = octet;
			break;
		case 1:
			if (!bytes_be16(&rest, &two))
				return false;
			len = two;
			break;
		case 2:
			if (!bytes_be32(&rest, &len))
				return false;
			break;
		default:
			return false;
		}
	}
	if (!bytes_take(&rest, len, out_body))
		return false;
	*in = rest;
	*out_tag = first & 0x40 ? first & 0x3f : first >> 2 & 0xf;
	return true;
}

static bool mpi(struct bytes *in, struct bytes *out_number)
{
	struct bytes rest = *in;
	uint16_t bits;

	if (!bytes_be16(&rest, &bits) || !bytes_take(&rest, (bits + 7U) / 8, out_number))
		return false;
	*in = rest;
	return true;
}

static bool numbers(struct bytes *in, struct pubkey *pub, unsigned nr)
{
	struct bytes number;

	for (unsigned i = 0; i < nr; i++)
		if (!mpi(in, &number) || !pubkey_set_number(pub, i, number))
			return false;
	return true;
}

static bool curve_key(struct bytes *in, struct pubkey *pub, bool ecdh)
{
	static const uint8_t ed25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01};
	static const uint8_t cv25519[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
					  0x97, 0x55, 0x01, 0x05, 0x01};
	enum key_kind kind = KEY_EC;
	struct bytes oid, point, kdf;
	uint8_t len;

	if (!bytes_u8(in, &len) || !bytes_take(in, len, &oid) || !mpi(in, &point))
		return false;
	if (bytes_eq(oid, (struct bytes){ed25519, sizeof(ed25519)}))
		kind = KEY_ED25519;
	else if (bytes_eq(oid, (struct bytes){cv25519, sizeof(cv25519)}))
		kind = KEY_X25519;
	else
		pub->curve = curve_by_oid(oid);
	if (kind != KEY_EC && point.len == 33 && point.p[0] == 0x40)
		bytes_skip(&point, 1);
	if (ecdh && (!bytes_u8(in, &len) || !bytes_take(in, len, &kdf)))
		return false;
	return pubkey_set(pub, PUB_POINT, point) && pubkey_finish(pub, kind);
}

static bool public_part(struct bytes *in, uint8_t algorithm, struct pubkey *pub)
{
	switch (algorithm) {
	case 1:
	case 2:
	case 3:
		return numbers(in, pub, 2) && pubkey_finish(pub, KEY_RSA);
	case 17:
		return numbers(in, pub, 4) && pubkey_finish(pub, KEY_DSA);
	case 18:
		return curve_key(in, pub, true);
	case 19:
	case 22:
		return curve_key(in, pub, false);
	default:
		return false;
	}
}

/* gpg writes keys whose secret is elsewhere with S2K type 101, "GNU" and 1 (nowhere) or 2 (card).
 */
static bool is_stub(struct bytes in)
{
	return in.len >= 6 && in.p[1] == 101 && memcmp(in.p + 3, "GNU", 3) == 0;
}

/* 1: a secret stands in it; 0: only a stub. */
static int secret_key(struct bytes in, struct keyfile_found *found)
{
	uint8_t version, algorithm, usage;
	uint32_t created;

	pubkey_init(&found->pub);
	found->kind = KEY_OTHER;
	found->encrypted = false;
	if (!bytes_u8(&in, &version) || version != 4 || !bytes_be32(&in, &created) ||
	    !bytes_u8(&in, &algorithm))
		return 1;
	if (!public_part(&in, algorithm, &found->pub)) {
		pubkey_init(&found->pub);
		return 1;
	}
	found->kind = found->pub.kind;
	if (!bytes_u8(&in, &usage))
		return 1;
	found->encrypted = usage != 0;
	return usage >= 254 && is_stub(in) ? 0 : 1;
}

int keyfile_pgp(struct bytes packets, struct keyfile_found *found)
{
	struct bytes body;
	unsigned tag;
	bool got = false;

	/* Two bytes of magic would take any file for a key: the first packet must be a whole one.
	 */
	if (!packet(&packets, &tag, &body) || tag != PGP_SECRET_KEY || body.len < 6 ||
	    body.p[0] < 2 || body.p[0] > 6)
		return 0;
	do {
		if ((tag == PGP_SECRET_KEY || tag == PGP_SECRET_SUBKEY) && !got)
			got = secret_key(body, found);
		else if (tag == PGP_USER_ID && !found->comment[0])
			keyfile_comment(body, found->comment);
	} while (packet(&packets, &tag, &body));
	if (!got) {
		pubkey_init(&found->pub);
		found->kind = KEY_NONE;
		found->encrypted = false;
		found->comment[0] = '\0';
		return 0;
	}
	found->format = KEYFMT_PGP;
	found->want_keygrip = true;
	return 1;
}
