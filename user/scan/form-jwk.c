// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON Web Keys (RFC 7517, 7518, 8037): the members by their names, without a parser of JSON. */
#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/form-key.h"
#include "scan/wipe.h"

#define VALUE_MAX 1100
#define MEMBERS	  6

/* A quote, as it is or with a backslash before it: the object may stand in another string. */
static bool quote(struct bytes *in)
{
	if (in->len && in->p[0] == '\\')
		bytes_skip(in, 1);
	return in->len && in->p[0] == '"' && bytes_skip(in, 1);
}

static void blanks(struct bytes *in)
{
	while (in->len && (in->p[0] == ' ' || in->p[0] == '\t' || in->p[0] == '\n'))
		bytes_skip(in, 1);
}

/* What follows "name": and a quote. */
static bool member(struct bytes text, const char *name, struct bytes *out)
{
	const uint8_t *at;

	for (; text.len && (at = memchr(text.p, '"', text.len));) {
		bytes_skip(&text, (size_t)(at - text.p) + 1);
		if (!bytes_starts(text, name))
			continue;
		*out = text;
		bytes_skip(out, strlen(name));
		if (!quote(out))
			continue;
		blanks(out);
		if (!out->len || out->p[0] != ':' || !bytes_skip(out, 1))
			continue;
		blanks(out);
		if (quote(out))
			return true;
	}
	return false;
}

/* Its value, decoded; memory: VALUE_MAX bytes. A value that is cut off is none. */
static struct bytes value(struct bytes text, const char *name, uint8_t *memory)
{
	struct bytes in;
	size_t used, len;

	if (!member(text, name, &in))
		return (struct bytes){NULL, 0};
	len = base64_decode_some(in, memory, VALUE_MAX, &used);
	while (used < in.len && in.p[used] == '=')
		used++;
	if (used >= in.len || (in.p[used] != '"' && in.p[used] != '\\'))
		return (struct bytes){NULL, 0};
	return (struct bytes){memory, len};
}

static bool is(struct bytes text, const char *name, const char *what)
{
	struct bytes in;

	return member(text, name, &in) && bytes_starts(in, what);
}

static bool curve_key(struct bytes text, uint8_t *memory, struct form_key *key)
{
	static const struct {
		const char *jwk, *group;
		unsigned field;
	} names[] = {{"P-256\"", "prime256v1", 32},
		     {"P-256\\", "prime256v1", 32},
		     {"P-384", "secp384r1", 48},
		     {"P-521", "secp521r1", 66},
		     {"secp256k1", "secp256k1", 32}};
	struct bytes x = value(text, "x", memory), y = value(text, "y", memory + VALUE_MAX);
	struct bytes d = value(text, "d", memory + 2 * VALUE_MAX);
	uint8_t public[1 + 2 * 66] = {4};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t field = names[i].field;

		if (!is(text, "crv", names[i].jwk))
			continue;
		if (x.len == field && y.len == field) {
			memcpy(public + 1, x.p, field);
			memcpy(public + 1 + field, y.p, field);
		}
		return d.len == field &&
		       form_ec(curve_by_group(names[i].group), bytes_trim_zeros(d),
			       (struct bytes){public,
					      x.len == field && y.len == field ? 1 + 2 * field : 0},
			       key);
	}
	return false;
}

bool form_jwk(struct bytes text, struct form_key *key)
{
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(MEMBERS * VALUE_MAX);
	uint8_t *to = memory;

	if (!memory)
		return false;
	if (is(text, "kty", "RSA")) {
		struct form_rsa rsa = {
			.n = bytes_trim_zeros(value(text, "n", to)),
			.e = bytes_trim_zeros(value(text, "e", to + VALUE_MAX)),
			.d = bytes_trim_zeros(value(text, "d", to + 2 * VALUE_MAX)),
			.p = bytes_trim_zeros(value(text, "p", to + 3 * VALUE_MAX)),
			.q = bytes_trim_zeros(value(text, "q", to + 4 * VALUE_MAX)),
		};

		return (rsa.p.len || rsa.d.len) && form_rsa(&rsa, key);
	}
	if (is(text, "kty", "EC"))
		return curve_key(text, memory, key);
	if (is(text, "kty", "OKP")) {
		bool x25519 = is(text, "crv", "X25519");

		return (x25519 || is(text, "crv", "Ed25519")) &&
		       form_raw(x25519 ? KEY_X25519 : KEY_ED25519, value(text, "d", to),
				value(text, "x", to + VALUE_MAX), key);
	}
	return false;
}
