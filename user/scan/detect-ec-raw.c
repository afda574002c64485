// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of each 32 bytes that could be a seed the public key is computed and looked up in the harvest.
 * Its words at each of eight shifts are asked for, so that the public key may stand at any address.
 */
#include "scan/detect-ec-raw.h"

#include <openssl/evp.h>

#include "scan/spots.h"

#define SET_BITS  (1U << 24)
#define LEN	  32
#define COST_TRIAL 32 /* as ec_search.budget counts */
#define FOUND_MAX 64

static unsigned bit_of(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return (unsigned)(word * 0x9e3779b97f4a7c15ULL >> 40) & (SET_BITS - 1);
}

static bool in_set(const struct ec_raw_search *s, const uint8_t *p)
{
	unsigned bit = bit_of(p);

	return s->words[bit / 64] >> bit % 64 & 1;
}

static int fill(struct ec_raw_search *s)
{
	s->words = calloc(SET_BITS / 64, sizeof(*s->words));
	if (!s->words)
		return -ENOMEM;
	for (size_t i = 0; i < s->harvest->nr; i++) {
		const struct stretch *stretch = &s->harvest->stretches[i];
		const uint8_t *p = stretch_bytes(s->harvest, stretch);

		for (long at = -HARVEST_MARGIN; at < stretch->len + HARVEST_MARGIN; at += 8) {
			unsigned bit = bit_of(p + at);

			s->words[bit / 64] |= 1ULL << bit % 64;
		}
	}
	return 0;
}

/* Stands this in the harvest? */
static bool stands_there(const struct ec_raw_search *s, const uint8_t public[LEN])
{
	for (unsigned shift = 0; shift < 8; shift++)
		if (in_set(s, public + shift) && in_set(s, public + shift + 8) &&
		    in_set(s, public + shift + 16))
			return memmem(s->harvest->arena, s->harvest->used, public, LEN) != NULL;
	return false;
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

static void try_one(struct ec_raw_search *s, long at, int type, enum key_kind kind)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(type, NULL, p, LEN);
	uint8_t public[LEN];
	size_t len = LEN;

	if (pkey && EVP_PKEY_get_raw_public_key(pkey, public, &len) == 1 && len == LEN &&
	    stands_there(s, public) && is_new(s, public)) {
		struct ec_hit hit = {
			.stretch = s->stretch,
			.at = at,
			.layout = LAYOUT_RAW,
			.kind = kind,
			.secret = {p, LEN},
			.public = {public, LEN},
		};

		s->ask->hit(s->ask->userdata, &hit);
	}
	EVP_PKEY_free(pkey);
	*s->work += COST_TRIAL;
}

/* Just 32 bytes at a multiple of 8, with something else before and after them; or as many again, as
 * Go keeps a seed with its public key. */
static bool stands_alone(const struct ec_raw_search *s, long at)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;

	long len;

	if (at % 8 || at < 8 - HARVEST_MARGIN || run_word(p - 8))
		return false;
	len = spots_piece(s->harvest, s->stretch, at, 2 * LEN + 8);
	return len == LEN || len == 2 * LEN;
}

static bool try_spot(void *userdata, long at)
{
	struct ec_raw_search *s = userdata;
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	bool alone;

	if (at + LEN > s->stretch->len + HARVEST_MARGIN)
		return true;
	alone = stands_alone(s, at);
	if (alone == (s->pass >= EC_RAW_REST) || harvest_different(p, LEN) < HARVEST_DIFFERENT_MIN)
		return true;
	if (s->pass != EC_RAW_X25519)
		try_one(s, at, EVP_PKEY_ED25519, KEY_ED25519);
	if (s->pass != EC_RAW_ED25519)
		try_one(s, at, EVP_PKEY_X25519, KEY_X25519);
	if (s->ask->budget && *s->work > s->ask->budget)
		s->cut = true;
	return !s->cut;
}

int ec_raw_detect(struct ec_raw_search *s, enum ec_raw_pass pass)
{
	if (!s->words && fill(s) < 0)
		return -ENOMEM;
	s->pass = pass;
	for (size_t i = 0; i < s->harvest->nr && !s->cut; i++) {
		s->stretch = &s->harvest->stretches[i];
		if (s->stretch->bulk != (pass == EC_RAW_BULK))
			continue;
		spots(s->harvest, s->stretch, LAYOUT_RAW, try_spot, s);
	}
	return 0;
}

void ec_raw_fini(struct ec_raw_search *s)
{
	free(s->words);
	s->words = NULL;
}
