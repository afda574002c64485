// SPDX-License-Identifier: GPL-2.0-or-later
/* Shielded keys: the first block of the key stream tells, by eight bytes, what it was made for. */
#include "scan/detect-shield.h"

#include <openssl/evp.h>

#include "scan/wipe.h"

#define BLOCK	  16
#define PLAIN_MAX (HARVEST_STRETCH_MAX + HARVEST_MARGIN)

struct search {
	const struct harvest *harvest;
	void (*hit)(void *userdata, const struct shield_hit *hit);
	void *userdata;
	EVP_CIPHER_CTX *ctx;
	uint8_t *plain; /* secret */
	struct form_key *key; /* secret */
};

static bool decrypt(struct search *s, const struct harvest_prekey *prekey, const uint8_t *from,
		    size_t len)
{
	int out = 0;

	return EVP_DecryptInit_ex(s->ctx, EVP_aes_256_ctr(), NULL, prekey->key, prekey->key + 32) ==
		       1 &&
	       EVP_DecryptUpdate(s->ctx, s->plain, &out, from, (int)len) == 1;
}

/* The length of a type's name, and how all names begin. */
static bool begins_key(const uint8_t *p, const uint8_t *stream)
{
	uint8_t b[7];

	for (unsigned i = 0; i < sizeof(b); i++)
		b[i] = p[i] ^ stream[i];
	return !b[0] && !b[1] && !b[2] && b[3] >= 7 && b[3] < 64 &&
	       (!memcmp(b + 4, "ssh", 3) || !memcmp(b + 4, "ecd", 3) || !memcmp(b + 4, "sk-", 3));
}

static void try_at(struct search *s, const struct stretch *stretch, long at,
		   const struct harvest_prekey *prekey, const uint8_t *stream)
{
	const uint8_t *p = stretch_bytes(s->harvest, stretch) + at;
	size_t len = (size_t)(stretch->len + HARVEST_MARGIN - at);
	struct shield_hit hit = {stretch, at, s->key};

	if (!begins_key(p, stream) || !decrypt(s, prekey, p, len))
		return;
	form_key_init(s->key);
	if (!form_ssh((struct bytes){s->plain, len}, s->key))
		pubkey_init(&s->key->pub);
	s->hit(s->userdata, &hit);
	form_key_wipe(s->key);
	explicit_bzero(s->plain, PLAIN_MAX);
}

/* Plain text begins with zeros, so what is shielded begins as the stream does: a bit for each
 * first two bytes that a stream has says no to nearly all. */
static void try_all(struct search *s, const uint8_t (*streams)[BLOCK], const uint64_t *first)
{
	for (size_t i = 0; i < s->harvest->nr; i++) {
		const struct stretch *stretch = &s->harvest->stretches[i];
		const uint8_t *p = stretch_bytes(s->harvest, stretch);

		for (long at = -HARVEST_MARGIN; at + BLOCK <= stretch->len; at += 8) {
			unsigned two = (unsigned)p[at] << 8 | p[at + 1];

			if (!(first[two / 64] >> two % 64 & 1))
				continue;
			for (size_t k = 0; k < s->harvest->nr_prekeys; k++)
				try_at(s, stretch, at, &s->harvest->prekeys[k], streams[k]);
		}
	}
}

static bool try_prekeys(struct search *s)
{
	static const uint8_t zeros[BLOCK];
	size_t nr = s->harvest->nr_prekeys;
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(nr * BLOCK + 65536 / 8);
	uint64_t *first = (uint64_t *)memory;
	uint8_t(*streams)[BLOCK];

	if (!memory)
		return false;
	streams = (uint8_t(*)[BLOCK])(memory + 65536 / 8);
	for (size_t i = 0; i < nr; i++) {
		unsigned two;

		if (!decrypt(s, &s->harvest->prekeys[i], zeros, BLOCK))
			return false;
		memcpy(streams[i], s->plain, BLOCK);
		two = (unsigned)streams[i][0] << 8 | streams[i][1];
		first[two / 64] |= 1ULL << two % 64;
	}
	try_all(s, (const uint8_t(*)[BLOCK])streams, first);
	return true;
}

int shield_detect(const struct harvest *harvest,
		  void (*hit)(void *userdata, const struct shield_hit *hit), void *userdata)
{
	_cleanup_wipe_ uint8_t *plain = NULL, *key = NULL;
	struct search s = {harvest, hit, userdata};
	bool done;

	if (!harvest->nr_prekeys)
		return 0;
	plain = wipe_alloc(PLAIN_MAX + BLOCK);
	key = wipe_alloc(sizeof(struct form_key));
	s.plain = plain;
	s.key = (struct form_key *)key;
	s.ctx = EVP_CIPHER_CTX_new();
	done = s.plain && s.key && s.ctx && try_prekeys(&s);
	EVP_CIPHER_CTX_free(s.ctx);
	return done ? 0 : -ENOMEM;
}
