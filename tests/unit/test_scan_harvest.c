// SPDX-License-Identifier: GPL-2.0-or-later
/* What is gathered, what is not, and that all code gathers the same. */
#include "scan/harvest.h"

#include <dlfcn.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>

#include "scan/chance.h"
#include "scan/code.h"
#include "scan/detect-shield.h"
#include "unit/numbers.h"

#define STRETCH 32

static unsigned long compared; /* memcmp() of so many bytes */

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	compared += len == STRETCH;
	for (; len && *x == *y; len--, x++, y++)
		;
	return len ? *x - *y : 0;
}

#define LEN (512 << 10)

static void text_and_small_numbers_are_left_out(void **state)
{
	uint8_t *p = malloc(LEN);
	struct harvest *h;

	for (size_t i = 0; i < LEN; i++)
		p[i] = (uint8_t)("The quick brown fox jumps over the lazy dog. "[i % 45]);
	for (size_t i = LEN / 2; i < LEN; i += 8)
		memcpy(p + i, &(uint64_t){i & 8 ? i * 77 : 0x00007fff00000000 + i * 31}, 8);
	h = harvest_memory(p, LEN, false);
	assert_int_equal(h->nr, 0);
	harvest_free(h);
	free(p);
}

static void what_is_random_is_kept_once_with_its_place(void **state)
{
	static const size_t lens[] = {32, 40, 64, 128, 512, 2048};
	uint8_t *p = malloc(LEN);

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		/* In the middle, over the seam of windows, at the start and at the end. */
		const size_t places[] = {8192, 65536 - 16, 0, LEN - lens[i]};

		for (size_t k = 0; k < ARRAY_SIZE(places); k++) {
			const struct stretch *s;
			struct harvest *h;

			memset(p, 0, LEN);
			/* Bytes that all differ: nothing is left to chance. */
			for (size_t b = 0; b < lens[i]; b++)
				p[places[k] + b] = (uint8_t)(b * 167 + b / 256 * 3 + 0x91);
			h = harvest_memory(p, LEN, false);
			assert_int_equal(h->nr, 1);
			s = &h->stretches[0];
			assert_int_equal(s->offset, places[k]);
			assert_int_equal(s->len, lens[i]);
			assert_memory_equal(stretch_bytes(h, s), p + places[k], lens[i]);
			harvest_free(h);
			/* Its copy adds nothing. */
			memcpy(p + 131072, p + places[k], lens[i]);
			h = harvest_memory(p, LEN, false);
			assert_int_equal(h->nr, 1);
			harvest_free(h);
		}
	}
	free(p);
}

static void all_code_gathers_the_same(void **state)
{
	uint8_t *p = malloc(LEN);
	struct harvest *plain;

	RAND_bytes(p, LEN);
	for (size_t at = 0; at < LEN; at += 4096) {
		memset(p + at, (int)(at >> 12 & 0xff), 1024 + at / 4096 * 8);
		for (size_t i = 3000; i < 3600; i++)
			p[at + i] &= 0x4b;
		memset(p + at + 2048, 0xff, at / 4096 % 64);
	}
	assert_true(code_limit(CODE_PLAIN));
	plain = harvest_memory(p, LEN, false);
	assert_true(plain->nr > 32);
	for (unsigned code = CODE_NR; code-- > CODE_PLAIN;) {
		struct harvest *h;

		if (!code_limit((enum scan_code)code))
			continue;
		h = harvest_memory(p, LEN, false);
		assert_int_equal(h->nr, plain->nr);
		assert_int_equal(h->used, plain->used);
		assert_memory_equal(h->arena, plain->arena, h->used);
		harvest_free(h);
	}
	harvest_free(plain);
	code_limit_none();
	free(p);
}

/* Any block, as far as it is known where they are. */
static bool has_a_block(const uint8_t *p, size_t len)
{
	for (size_t at = 0; at + CHANCE_BLOCK <= len; at += 8)
		if (chance_like(p + at))
			return true;
	return false;
}

/* What is kept only because of a length that a container may have before a number, and would be
 * chance if it was one. */
static void code_is_seldom_taken_for_containers(void **state)
{
	size_t lone = 0, containers = 0, len;
	struct harvest *h;
	struct stat st;
	uint8_t *p;
	Dl_info in;
	FILE *f;

	assert_true(dladdr((void *)SHA512, &in));
	f = fopen(in.dli_fname, "r");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	len = (size_t)st.st_size;
	p = malloc(len);
	assert_int_equal(fread(p, 1, len, f), len);
	fclose(f);
	h = harvest_memory(p, len, false);
	for (size_t i = 0; i < h->nr; i++) {
		lone += !has_a_block(stretch_bytes(h, &h->stretches[i]), h->stretches[i].len);
		containers += h->stretches[i].container;
	}
	assert_in_range(lone, 0, 16 + h->nr / 10);
	/* They are known as such, as no points are looked for in them. */
	assert_in_range(containers, 1, 16 + h->nr / 10);
	harvest_free(h);
	free(p);
}

static void what_is_held_is_found_at_any_address(void **state)
{
	uint8_t *p = calloc(1, LEN), other[64];
	size_t read, reads = 0;
	struct harvest *h;

	for (size_t at = 4096; at + 4096 < LEN; at += 4096)
		RAND_bytes(p + at, 256);
	h = harvest_memory(p, LEN, false);
	assert_true(h->nr > 100);
	for (size_t i = 0; i < 4000; i++) {
		size_t at = 4096 * (1 + i % 100) + i % 200, len = 24 + i % 32;

		assert_true(harvest_holds(h, p + at, len, &read));
		assert_int_equal(read, h->used);
		RAND_bytes(other, sizeof(other));
		assert_false(harvest_holds(h, other, len, &read));
		reads += read != 0;
		/* All but the last byte is there. */
		memcpy(other, p + at, len);
		other[len - 1] ^= 1;
		assert_false(harvest_holds(h, other, len, NULL));
	}
	assert_true(reads < 40);
	harvest_free(h);
	free(p);
}

static void the_older_half_gives_way(void **state)
{
	uint8_t *p = malloc(LEN);
	struct harvest *h;
	size_t nr;

	memset(p, 0, LEN);
	for (size_t at = 0; at < LEN; at += 4096)
		RAND_bytes(p + at, 512);
	h = harvest_memory(p, LEN, false);
	nr = h->nr;
	assert_true(nr >= LEN / 4096);
	harvest_drop_half(h);
	assert_int_equal(h->nr, nr - nr / 2);
	for (size_t i = 0; i < h->nr; i++)
		assert_memory_equal(stretch_bytes(h, &h->stretches[i]), p + h->stretches[i].offset,
				    h->stretches[i].len);
	harvest_free(h);
	free(p);
}

struct shielded {
	unsigned nr;
	enum key_kind kind;
	bool proven;
};

static void see(void *userdata, const struct shield_hit *hit)
{
	struct shielded *seen = userdata;

	seen->nr++;
	seen->kind = hit->key->pub.kind;
	seen->proven = hit->key->proven;
}

static void put_string(uint8_t **to, const void *p, size_t len)
{
	memcpy(*to, (const uint8_t[]){0, 0, (uint8_t)(len >> 8), (uint8_t)len}, 4);
	memcpy(*to + 4, p, len);
	*to += 4 + len;
}

/* As sshkey_shield_private() does it. */
static void shielded_keys_are_opened(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	uint8_t *p = calloc(1, LEN), plain[256] = {0}, secret[64], hash[64], *to = plain;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t len = 32;
	uint64_t untried;
	int out;

	EVP_PKEY_get_raw_private_key(pkey, secret, &len);
	EVP_PKEY_get_raw_public_key(pkey, secret + 32, &len);
	put_string(&to, "ssh-ed25519", 11);
	put_string(&to, secret + 32, 32);
	put_string(&to, secret, 64);
	for (unsigned pad = 1; (to - plain) % 16; pad++)
		*to++ = (uint8_t)pad;
	for (unsigned head = 0; head < 2; head++) {
		struct shielded seen = {.nr = 0};
		struct harvest *h;

		memset(p, 0, LEN);
		for (size_t i = 0; i < 16384; i++)
			p[32768 + i] = (uint8_t)(i * 167 + i / 256 * 29 + 0x91);
		if (head)
			memcpy(p + 32760, &(uint64_t){0x4011}, 8);
		SHA512(p + 32768, 16384, hash);
		EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, hash, hash + 32);
		EVP_EncryptUpdate(ctx, p + 8192, &out, plain, (int)(to - plain));
		h = harvest_memory(p, LEN, false);
		assert_int_equal(h->nr_prekeys, 1);
		assert_int_equal(shield_detect(h, see, &seen, false, &untried), 0);
		assert_int_equal(seen.nr, 1);
		assert_int_equal(untried, 0);
		assert_int_equal(seen.kind, KEY_ED25519);
		assert_true(seen.proven);
		harvest_free(h);
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	free(p);
}

/* Prekeys that were made to begin alike, and places that begin as they do. */
static void how_often_a_shield_is_tried_is_bounded(void **state)
{
	static uint8_t arena[HARVEST_MARGIN + HARVEST_STRETCH_MAX + HARVEST_MARGIN];
	static struct harvest_prekey prekeys[HARVEST_PREKEYS_MAX];
	static const uint8_t zeros[16];
	struct stretch stretches[40];
	struct harvest h = {.arena = arena,
			    .stretches = stretches,
			    .prekeys = prekeys,
			    .nr_prekeys = HARVEST_PREKEYS_MAX};
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	struct shielded seen = {.nr = 0};
	uint8_t stream[16];
	uint64_t untried;
	int out;

	EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, prekeys[0].key, prekeys[0].key + 32);
	EVP_EncryptUpdate(ctx, stream, &out, zeros, sizeof(zeros));
	EVP_CIPHER_CTX_free(ctx);
	for (size_t at = 0; at + 8 <= sizeof(arena); at += 8)
		memcpy(arena + at, stream, 2);
	for (size_t i = 0; i < ARRAY_SIZE(stretches); i++)
		stretches[i] = (struct stretch){.at = HARVEST_MARGIN, .len = HARVEST_STRETCH_MAX};
	h.nr = 20;
	assert_int_equal(shield_detect(&h, see, &seen, false, &untried), 0);
	h.nr = 40;
	assert_int_equal(shield_detect(&h, see, &seen, false, &untried), -E2BIG);
	assert_int_equal(seen.nr, 0);
}

static void a_prekey_is_kept_once(void **state)
{
	uint8_t *p = calloc(1, LEN);
	struct harvest *h;

	for (size_t at = 32768; at < 4 * 32768; at += 32768)
		for (size_t i = 0; i < 16384; i++)
			p[at + i] = (uint8_t)(i * 167 + i / 256 * 29 + (at < 98304 ? 0x91 : 0x92));
	h = harvest_memory(p, LEN, false);
	assert_int_equal(h->nr_prekeys, 2);
	assert_int_equal(h->prekeys[0].offset, 32768);
	assert_int_equal(h->prekeys[1].offset, 98304);
	harvest_free(h);
	free(p);
}

/* Stretches that begin alike and end alike do not make one chain of the harvest's table. */
static void nobody_chooses_places_in_the_table(void **state)
{
	const struct harvest_place place = {0};
	const struct harvest_part part = {.at = 64, .len = STRETCH};
	uint8_t memory[256] = {0};
	_cleanup_harvest_ struct harvest *h = NULL;
	const size_t nr = 20000;

	assert_int_equal(harvest_new(4 << 20, &h), 0);
	RAND_bytes(memory + part.at, STRETCH);
	compared = 0;
	for (uint64_t i = 0; i < nr; i++) {
		memcpy(memory + part.at + 8, &i, sizeof(i));
		harvest_keep(h, (struct bytes){memory, sizeof(memory)}, &place, &part);
	}
	assert_int_equal(h->nr, nr);
	assert_in_range(compared, 0, 2 * nr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_small_numbers_are_left_out),
		cmocka_unit_test(what_is_random_is_kept_once_with_its_place),
		cmocka_unit_test(all_code_gathers_the_same),
		cmocka_unit_test(code_is_seldom_taken_for_containers),
		cmocka_unit_test(what_is_held_is_found_at_any_address),
		cmocka_unit_test(the_older_half_gives_way),
		cmocka_unit_test(shielded_keys_are_opened),
		cmocka_unit_test(how_often_a_shield_is_tried_is_bounded),
		cmocka_unit_test(a_prekey_is_kept_once),
		cmocka_unit_test(nobody_chooses_places_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
