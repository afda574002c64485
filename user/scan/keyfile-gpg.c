// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gpg-agent's private-keys-v1.d (agent/keyformat.txt): an s-expression, canonical or after "Key:"
 * in the extended form. The public numbers stand in clear whether or not the private ones do.
 */
#include "scan/keyfile-internal.h"

#include "base/cleanup.h"
#include "scan/sexp.h"
#include "scan/wipe.h"

#define DEPTH_MAX 8
#define ATOM_MAX  (PUBKEY_NUMBER_MAX + 64)

struct gpg_key {
	struct keyfile_found *found;
	enum key_kind kind; /* of the algorithm's list; KEY_EC until curve and flags tell more */
	bool private;
	bool elgamal;
	char curve[24];
	bool eddsa;
	struct bytes list; /* the name of the innermost open list */
};

static enum key_kind algorithm(struct bytes name)
{
	if (bytes_is(name, "rsa") || bytes_is(name, "openpgp-rsa"))
		return KEY_RSA;
	if (bytes_is(name, "dsa") || bytes_is(name, "openpgp-dsa"))
		return KEY_DSA;
	if (bytes_is(name, "ecc") || bytes_is(name, "ecdsa") || bytes_is(name, "ecdh") ||
	    bytes_is(name, "eddsa"))
		return KEY_EC;
	if (bytes_is(name, "elg") || bytes_is(name, "openpgp-elg"))
		return KEY_OTHER;
	return KEY_NONE;
}

/* The number `name` of the algorithm's list. Secret ones are passed over. */
static void take_number(struct gpg_key *key, char name, struct bytes value)
{
	static const char rsa[] = "ne", dsa[] = "pqgy";
	const char *parts = key->kind == KEY_RSA ? rsa : dsa;
	struct pubkey *pub = &key->found->pub;
	const char *at;

	if (key->kind == KEY_EC) {
		if (name == 'q')
			pubkey_set(pub, PUB_POINT, value);
		return;
	}
	at = (key->kind == KEY_RSA || key->kind == KEY_DSA) && name ? strchr(parts, name) : NULL;
	if (at)
		pubkey_set_number(pub, (enum pubkey_part)(at - parts), value);
}

/* A list of depth 1 names the whole, of depth 2 the algorithm, of depth 3 a number. */
static void take_atom(struct gpg_key *key, unsigned depth, unsigned index, struct bytes atom)
{
	if (depth == 1 && index == 0) {
		key->private =
			bytes_is(atom, "private-key") || bytes_is(atom, "protected-private-key");
		key->found->encrypted = bytes_is(atom, "protected-private-key");
	} else if (depth == 2 && index == 0 && key->kind == KEY_NONE) {
		key->kind = algorithm(atom);
	} else if (depth == 2 && index == 1 && bytes_is(key->list, "comment")) {
		keyfile_comment(atom, key->found->comment);
	} else if (depth == 3 && index == 1 && bytes_is(key->list, "curve")) {
		if (atom.len < sizeof(key->curve))
			memcpy(key->curve, atom.p, atom.len);
	} else if (depth == 3 && index >= 1 && bytes_is(key->list, "flags")) {
		key->eddsa |= bytes_is(atom, "eddsa");
	} else if (depth == 3 && index == 1 && key->list.len == 1) {
		take_number(key, (char)key->list.p[0], atom);
	}
}

/* Edwards and Montgomery points have a 40 before them, or nothing. */
static void raw_point(struct pubkey *pub, size_t len)
{
	struct bytes point = pubkey_get(pub, PUB_POINT);
	uint8_t raw[57];

	if (point.len != len + 1 || point.p[0] != 0x40 || len > sizeof(raw))
		return;
	memcpy(raw, point.p + 1, len);
	pubkey_set(pub, PUB_POINT, (struct bytes){raw, len});
}

static void finish(struct gpg_key *key)
{
	struct pubkey *pub = &key->found->pub;
	struct bytes name = {(const uint8_t *)key->curve, strlen(key->curve)};
	enum key_kind kind = key->kind;

	if (kind == KEY_EC) {
		if (bytes_is(name, "Ed25519"))
			kind = KEY_ED25519;
		else if (bytes_is(name, "Curve25519") || bytes_is(name, "X25519"))
			kind = KEY_X25519;
		else if (bytes_is(name, "Ed448"))
			kind = KEY_ED448;
		else
			pub->curve = curve_by_gpg_name(name);
		if (kind != KEY_EC)
			raw_point(pub, kind == KEY_ED448 ? 57 : 32);
	}
	key->found->kind = kind;
	if (!pubkey_finish(pub, kind))
		pubkey_init(pub);
}

/* True if it was a private key's s-expression, damaged or not. */
static bool read_sexp(struct bytes in, uint8_t *memory, struct keyfile_found *found)
{
	struct gpg_key key = {.found = found};
	unsigned index[DEPTH_MAX + 1] = {0};
	uint8_t name[16];
	unsigned depth = 0;
	struct bytes atom;

	do {
		switch (sexp_next(&in, memory, ATOM_MAX, &atom)) {
		case SEXP_OPEN:
			if (++depth > DEPTH_MAX)
				return key.private;
			index[depth] = 0;
			key.list = (struct bytes){NULL, 0};
			break;
		case SEXP_CLOSE:
			if (depth)
				depth--;
			key.list = (struct bytes){NULL, 0};
			break;
		case SEXP_ATOM:
			if (!depth)
				return false;
			take_atom(&key, depth, index[depth], atom);
			if (depth == 1 && !index[1] && !key.private)
				return false;
			if (!index[depth]++ && atom.len <= sizeof(name)) {
				memcpy(name, atom.p, atom.len); /* `memory` is used again */
				key.list = (struct bytes){name, atom.len};
			}
			break;
		default:
			depth = 0;
		}
	} while (depth);
	if (key.private)
		finish(&key);
	return key.private;
}

/* The value of the first "Key:" item, whose continuation lines start with a blank. */
static struct bytes extended_key(struct bytes file)
{
	struct bytes line, value = {NULL, 0};

	while (bytes_line(&file, &line)) {
		if (value.p) {
			if (!line.len || (line.p[0] != ' ' && line.p[0] != '\t'))
				break;
			value.len = (size_t)(line.p + line.len - value.p);
		} else if (line.len >= 4 && strncasecmp((const char *)line.p, "key:", 4) == 0) {
			value = (struct bytes){line.p + 4, line.len - 4};
		}
	}
	return value;
}

int keyfile_gpg(struct bytes file, struct keyfile_found *found)
{
	_cleanup_wipe_ uint8_t *memory = NULL;
	struct bytes sexp = file;

	if (!file.len)
		return 0;
	if (file.p[0] != '(')
		sexp = extended_key(file);
	if (!sexp.p)
		return 0;
	memory = wipe_alloc(ATOM_MAX);
	if (!memory)
		return -ENOMEM;
	if (!read_sexp(sexp, memory, found)) {
		found->encrypted = false;
		found->comment[0] = '\0';
		pubkey_init(&found->pub);
		return 0;
	}
	found->format = KEYFMT_GPG_AGENT;
	if (found->kind == KEY_NONE)
		found->kind = KEY_OTHER;
	found->want_keygrip = true;
	return 1;
}
