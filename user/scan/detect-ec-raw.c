// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of each 32 bytes that could be a seed the public key is computed and looked up in the harvest.
 * Libraries that keep no seed keep the scalar that SHA-512 makes of it (RFC 8032, 5.1.5): its bits
 * are clamped as those of X25519 are, whose result is the same point in other coordinates. The
 * public key may stand at any address.
 */
#include "scan/detect-ec-raw.h"

#include <openssl/evp.h>

#include "scan/chance.h"
#include "scan/spots.h"

#define FIELD	   "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
#define LEN	   32
#define COST_TRIAL 180 /* as ec_search.budget counts */
#define COST_BYTES 4096 /* for one of it, so many are gone through */
#define FOUND_MAX  64
#define PIECES	   6

/* Stands this in the harvest? */
static bool stands_there(struct ec_raw_search *s, const uint8_t public[LEN])
{
	size_t read;
	bool found = harvest_holds(s->harvest, public, LEN, &read);

	/* Who fills a process with what looks like it must not get this for nothing. */
	s->work += read / COST_BYTES;
	return found;
}

static bool is_new(struct ec_raw_search *s, const uint8_t public[LEN])
{
	for (size_t i = 0; i < s->nr_found; i++)
		if (!memcmp(s->found[i], public, LEN))
			return false;
	if (s->nr_found < FOUND_MAX)
		memcpy(s->found[s->nr_found++], public, LEN);
	return true;
}

static void tell(struct ec_raw_search *s, long at, enum key_kind kind, bool expanded,
		 const uint8_t public[LEN])
{
	struct ec_hit hit = {
		.stretch = s->stretch,
		.at = at,
		.layout = LAYOUT_RAW,
		.kind = kind,
		.expanded = expanded,
		.secret = {stretch_bytes(s->harvest, s->stretch) + at, LEN},
		.public = {public, LEN},
	};

	if (stands_there(s, public) && is_new(s, public))
		s->ask->hit(s->ask->userdata, &hit);
}

/* RFC 7748, 4.1: from a point of X25519's curve to Ed25519's, y = (u - 1) / (u + 1). */
static bool edwards(struct ec_raw_search *s, const uint8_t u[LEN], uint8_t out_y[LEN])
{
	BIGNUM *above, *below;
	bool ok = false;

	if (!s->field)
		return false;
	BN_CTX_start(s->ctx);
	above = BN_CTX_get(s->ctx);
	below = BN_CTX_get(s->ctx);
	if (below && BN_lebin2bn(u, LEN, above) && BN_copy(below, above) && BN_sub_word(above, 1) &&
	    BN_add_word(below, 1) && BN_mod_inverse(below, below, s->field, s->ctx) &&
	    BN_mod_mul(above, above, below, s->field, s->ctx))
		ok = BN_bn2lebinpad(above, out_y, LEN) == LEN;
	BN_CTX_end(s->ctx);
	return ok;
}

static void try_one(struct ec_raw_search *s, long at, int type, enum key_kind kind)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(type, NULL, p, LEN);
	uint8_t public[LEN], y[LEN];
	size_t len = LEN;

	if (pkey && EVP_PKEY_get_raw_public_key(pkey, public, &len) == 1 && len == LEN) {
		tell(s, at, kind, false, public);
		if (kind == KEY_X25519 && !(p[0] & 7) && (p[LEN - 1] & 0xc0) == 0x40 &&
		    edwards(s, public, y)) {
			tell(s, at, KEY_ED25519, true, y);
			y[LEN - 1] |= 0x80; /* x is odd */
			tell(s, at, KEY_ED25519, true, y);
		}
	}
	EVP_PKEY_free(pkey);
	s->work += COST_TRIAL;
}

/* Just 32 bytes at a multiple of 8, with something else before and after them; or some times as
 * many: a seed and its public key in either order, and what else is of that size. */
static bool stands_alone(const struct ec_raw_search *s, long at)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	long len;

	if (at % 8 || at < 8 - HARVEST_MARGIN)
		return false;
	len = spots_piece(s->harvest, s->stretch, at, PIECES * LEN + 8);
	if (len % LEN || len > PIECES * LEN)
		return false;
	/* Others of that size may come before. */
	for (; len < PIECES * LEN && run_word(p - 8); p -= LEN, at -= LEN) {
		if (at < LEN + 8 - HARVEST_MARGIN ||
		    spots_piece(s->harvest, s->stretch, at - LEN, LEN) != LEN)
			return false;
		len += LEN;
	}
	return !run_word(p - 8);
}

/* Each is tried in one pass; what the share of those behind a length did not suffice for is one of
 * the rest. */
static bool is_for_pass(const struct ec_raw_search *s, long at)
{
	const size_t stretch = (size_t)(s->stretch - s->harvest->stretches);
	bool after_length;

	if (stands_alone(s, at))
		return s->pass < EC_RAW_LENGTH;
	if (s->pass < EC_RAW_LENGTH || s->pass == EC_RAW_BULK)
		return s->pass == EC_RAW_BULK;
	after_length = !s->stretch->file && spots_after_length(s->harvest, s->stretch, at);
	if (s->pass == EC_RAW_LENGTH)
		return after_length;
	return !after_length || stretch >= s->behind_lengths;
}

static bool try_spot(void *userdata, long at)
{
	struct ec_raw_search *s = userdata;
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;

	if (at + LEN > s->stretch->len + HARVEST_MARGIN)
		return true;
	if (!is_for_pass(s, at) || chance_different(p, LEN) < HARVEST_DIFFERENT_MIN)
		return true;
	if (s->pass != EC_RAW_X25519)
		try_one(s, at, EVP_PKEY_ED25519, KEY_ED25519);
	if (s->pass != EC_RAW_ED25519)
		try_one(s, at, EVP_PKEY_X25519, KEY_X25519);
	if (s->limit && s->work > s->limit)
		s->cut = true;
	return !s->cut;
}

/* What stands in a row with others of its size, and so begins at no spot. */
static void in_a_row(struct ec_raw_search *s)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch);

	if (s->pass >= EC_RAW_LENGTH || s->stretch->len > PIECES * LEN + HARVEST_MARGIN)
		return;
	for (long at = 8 - HARVEST_MARGIN; at + LEN <= s->stretch->len && !s->cut; at += 8)
		if (run_word(p + at - 8))
			try_spot(s, at);
}

void ec_raw_detect(struct ec_raw_search *s, enum ec_raw_pass pass)
{
	if (!s->ctx) {
		s->ctx = BN_CTX_new();
		s->field = s->ctx && BN_hex2bn(&s->field, FIELD) ? s->field : NULL;
	}
	s->pass = pass;
	for (size_t i = 0; i < s->harvest->nr && !s->cut; i++) {
		s->stretch = &s->harvest->stretches[i];
		if (s->stretch->bulk != (pass == EC_RAW_BULK) ||
		    (pass < EC_RAW_REST && s->stretch->file != (pass == EC_RAW_FILE)))
			continue;
		spots(s->harvest, s->stretch, LAYOUT_RAW, try_spot, s);
		in_a_row(s);
		if (pass == EC_RAW_LENGTH && !s->cut)
			s->behind_lengths = i + 1;
	}
}

void ec_raw_fini(struct ec_raw_search *s)
{
	BN_free(s->field);
	BN_CTX_free(s->ctx);
}
