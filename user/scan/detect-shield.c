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

static void try_prekey(struct search *s, const struct harvest_prekey *prekey)
{
	static const uint8_t zeros[BLOCK];
	uint8_t stream[BLOCK];

	if (!decrypt(s, prekey, zeros, BLOCK))
		return;
	memcpy(stream, s->plain, BLOCK);
	for (size_t i = 0; i < s->harvest->nr; i++) {
		const struct stretch *stretch = &s->harvest->stretches[i];
		const uint8_t *p = stretch_bytes(s->harvest, stretch);

		for (long at = -HARVEST_MARGIN; at + BLOCK <= stretch->len; at += 8) {
			size_t len = (size_t)(stretch->len + HARVEST_MARGIN - at);
			struct shield_hit hit = {stretch, at, s->key};

			if (!begins_key(p + at, stream) || !decrypt(s, prekey, p + at, len))
				continue;
			form_key_init(s->key);
			if (!form_ssh((struct bytes){s->plain, len}, s->key))
				pubkey_init(&s->key->pub);
			s->hit(s->userdata, &hit);
			form_key_wipe(s->key);
			explicit_bzero(s->plain, PLAIN_MAX);
		}
	}
	explicit_bzero(stream, sizeof(stream));
}

int shield_detect(const struct harvest *harvest,
		  void (*hit)(void *userdata, const struct shield_hit *hit), void *userdata)
{
	_cleanup_wipe_ uint8_t *plain = NULL, *key = NULL;
	struct search s = {harvest, hit, userdata};

	if (!harvest->nr_prekeys)
		return 0;
	plain = wipe_alloc(PLAIN_MAX + BLOCK);
	key = wipe_alloc(sizeof(struct form_key));
	s.plain = plain;
	s.key = (struct form_key *)key;
	s.ctx = EVP_CIPHER_CTX_new();
	if (s.plain && s.key && s.ctx)
		for (size_t i = 0; i < harvest->nr_prekeys; i++)
			try_prekey(&s, &harvest->prekeys[i]);
	EVP_CIPHER_CTX_free(s.ctx);
	return s.plain && s.key && s.ctx ? 0 : -ENOMEM;
}
