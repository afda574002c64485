// SPDX-License-Identifier: GPL-2.0-or-later
/* What a needle is made of, and how much of a secret it may tell. */
#include "scan/needle.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/cleanup.h"

#define NEEDLES_MAX 100000

static const char *word(const char *const *words, size_t nr, unsigned value)
{
	return value < nr ? words[value] : "?";
}

const char *needle_part_str(enum needle_part part)
{
	static const char *const words[NEEDLE_PART_NR] = {"secret", "prime1", "prime2"};

	return word(words, ARRAY_SIZE(words), part);
}

const char *needle_layout_str(enum needle_layout layout)
{
	static const char *const words[NEEDLE_LAYOUT_NR] = {
		"bytes", "words-32", "digits-30", "digits-28", "digits-31", "digits-60", "base64",
	};

	return word(words, ARRAY_SIZE(words), layout);
}

/*
 * Reasons and sums stand in docs/needles.md, one paragraph for each line here; the goal is that
 * nowhere less than 112 bits of work are left to who has worked out everything that tags tell.
 */
struct needle_rule needle_rule(enum key_kind kind, size_t len)
{
	switch (kind) {
	case KEY_RSA:
		/* 32 bytes of a prime of 128 or more: a quarter, and half of one is needed. */
		return len >= 128 ? (struct needle_rule){.tag_bits = 32, .region = 32}
				  : (struct needle_rule){0};
	case KEY_ED25519:
	case KEY_ED448:
		/* A hash of the seed is the scalar, so knowing a part of it helps to guess only. */
		return len >= 32 ? (struct needle_rule){.tag_bits = 32, .region = 16}
				 : (struct needle_rule){0};
	case KEY_EC:
	case KEY_X25519:
	case KEY_DSA:
		/* b known bits of a discrete logarithm save b/2 bits of work. */
		if (len >= 48)
			return (struct needle_rule){.tag_bits = 24, .region = 15};
		return len == 32 ? (struct needle_rule){.tag_bits = 24, .tags = 1}
				 : (struct needle_rule){0};
	case KEY_OTHER:
		if (len >= 32)
			return (struct needle_rule){.tag_bits = 32, .region = 15};
		if (len >= 24)
			return (struct needle_rule){.tag_bits = 32, .tags = 2};
		return len >= 16 ? (struct needle_rule){.tag_bits = 16, .tags = 1}
				 : (struct needle_rule){0};
	default:
		return (struct needle_rule){0};
	}
}

struct needle_hash needle_hash(const uint8_t key[NEEDLE_KEY_SIZE])
{
	struct needle_hash hash;

	memcpy(&hash.multiplier, key, 4);
	memcpy(&hash.mask, key + 4, 4);
	hash.multiplier |= 1;
	return hash;
}

int needle_mac(const uint8_t key[NEEDLE_KEY_SIZE], enum needle_part part, enum needle_layout layout,
	       const uint8_t *span, size_t len, uint8_t out[16])
{
	uint8_t message[2 + NEEDLE_SPAN_MAX], mac[32];
	unsigned mac_len = sizeof(mac);
	bool ok;

	if (len > NEEDLE_SPAN_MAX)
		return -EIO;
	/* The kind of part and form are under it, so that no MAC answers for another question. */
	message[0] = (uint8_t)part;
	message[1] = (uint8_t)layout;
	memcpy(message + 2, span, len);
	ok = HMAC(EVP_sha256(), key, NEEDLE_KEY_SIZE, message, 2 + len, mac, &mac_len) != NULL;
	explicit_bzero(message, sizeof(message));
	if (!ok)
		return -EIO;
	memcpy(out, mac, 16);
	return 0;
}

void needle_fini(struct needle *needle)
{
	free(needle->public);
	free(needle->forms);
	*needle = (struct needle){.nr_forms = 0};
}

void needles_fini(struct needles *needles)
{
	for (size_t i = 0; i < needles->nr; i++)
		needle_fini(&needles->items[i]);
	free(needles->items);
	*needles = (struct needles){.nr = 0};
}

int needles_add(struct needles *needles, struct needle *needle)
{
	if (needles->nr == NEEDLES_MAX)
		return -E2BIG;
	/* Doubles at each power of two. */
	if ((needles->nr & (needles->nr - 1)) == 0) {
		size_t cap = needles->nr ? needles->nr * 2 : 1;
		struct needle *items = reallocarray(needles->items, cap, sizeof(*items));

		if (!items)
			return -ENOMEM;
		needles->items = items;
	}
	needles->items[needles->nr++] = *needle;
	*needle = (struct needle){.nr_forms = 0};
	return 0;
}

const struct needle *needles_by_spki(const struct needles *needles, const uint8_t spki[32])
{
	for (size_t i = 0; i < needles->nr; i++)
		if (needles->items[i].id.has_spki && !memcmp(needles->items[i].id.spki, spki, 32))
			return &needles->items[i];
	return NULL;
}

const struct needle *needles_by_secret(const struct needles *needles, const uint8_t *key,
				       size_t len)
{
	bool computed = false;
	uint8_t mac[16];

	if (len > NEEDLE_SPAN_MAX)
		return NULL;
	for (size_t i = 0; i < needles->nr; i++) {
		const struct needle *n = &needles->items[i];

		if (n->id.kind != KEY_OTHER || !n->nr_forms || n->forms[0].span != len)
			continue;
		if (!computed &&
		    needle_mac(needles->key, NEEDLE_SECRET, NEEDLE_BYTES, key, len, mac))
			return NULL;
		computed = true;
		if (CRYPTO_memcmp(n->forms[0].mac, mac, sizeof(mac)) == 0)
			return n;
	}
	return NULL;
}
