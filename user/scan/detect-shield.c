// SPDX-License-Identifier: GPL-2.0-or-later
/* Shielded keys: the first block of the key stream tells, by eight bytes, what it was made for. */
#include "scan/detect-shield.h"

#include <errno.h>
#include <openssl/evp.h>

#include "scan/wipe.h"

#define BLOCK	  16
#define PLAIN_MAX (HARVEST_STRETCH_MAX + HARVEST_MARGIN)
/* Of a place with a prekey, a nanosecond or some. As chance has it 12 MiB with all prekeys that are
 * kept come to a hundred thousand; prekeys that were made to begin alike, to thousands of millions.
 */
#define TRIES_MAX (1U << 26)

/* What reading decrypted keys may cost (form-key.h); the others are told without their names. */
#define WORK 400000

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

/*
 * The first block of each prekey's stream. Plain text begins with zeros, so what is shielded begins
 * as the stream does: by its first two bytes it is told which prekeys may be its own, mostly none.
 */
struct streams {
	uint16_t first[65536]; /* by two bytes: index + 1 of a prekey; 0: none */
	uint16_t next[HARVEST_PREKEYS_MAX]; /* that begins with the same */
	uint8_t block[HARVEST_PREKEYS_MAX][BLOCK];
};

_Static_assert(HARVEST_PREKEYS_MAX <= UINT16_MAX, "indices have two bytes");

static unsigned two_of(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* False: not all. */
static bool try_all(struct search *s, const struct streams *streams)
{
	unsigned left = TRIES_MAX;

	for (size_t i = 0; i < s->harvest->nr; i++) {
		const struct stretch *stretch = &s->harvest->stretches[i];
		const uint8_t *p = stretch_bytes(s->harvest, stretch);

		for (long at = -HARVEST_MARGIN; at + BLOCK <= stretch->len; at += 8)
			for (unsigned k = streams->first[two_of(p + at)]; k;
			     k = streams->next[k - 1]) {
				if (!left--)
					return false;
				try_at(s, stretch, at, &s->harvest->prekeys[k - 1],
				       streams->block[k - 1]);
			}
	}
	return true;
}

static int try_prekeys(struct search *s)
{
	static const uint8_t zeros[BLOCK];
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(sizeof(struct streams));
	struct streams *streams = (struct streams *)memory;

	if (!memory)
		return -ENOMEM;
	for (size_t i = 0; i < s->harvest->nr_prekeys; i++) {
		uint16_t *first;

		if (!decrypt(s, &s->harvest->prekeys[i], zeros, BLOCK))
			return -ENOMEM;
		memcpy(streams->block[i], s->plain, BLOCK);
		first = &streams->first[two_of(s->plain)];
		streams->next[i] = *first;
		*first = (uint16_t)(i + 1);
	}
	return try_all(s, streams) ? 0 : -E2BIG;
}

int shield_detect(const struct harvest *harvest,
		  void (*hit)(void *userdata, const struct shield_hit *hit), void *userdata,
		  bool all_the_time, uint64_t *out_untried)
{
	struct form_work work = {.all = all_the_time,
				 .left = {[FORM_POWERS] = WORK, [FORM_CURVES] = WORK}};
	_cleanup_wipe_ uint8_t *plain = NULL, *key = NULL;
	struct search s = {harvest, hit, userdata};
	int r = -ENOMEM;

	*out_untried = 0;
	if (!harvest->nr_prekeys)
		return 0;
	plain = wipe_alloc(PLAIN_MAX + BLOCK);
	key = wipe_alloc(sizeof(struct form_key));
	s.plain = plain;
	s.key = (struct form_key *)key;
	s.ctx = EVP_CIPHER_CTX_new();
	if (s.plain && s.key && s.ctx) {
		s.key->work = &work;
		r = try_prekeys(&s);
	}
	*out_untried = work.untried;
	EVP_CIPHER_CTX_free(s.ctx);
	return r;
}
