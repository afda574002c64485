// SPDX-License-Identifier: GPL-2.0-or-later
/* All code that this machine can run finds the same: what runs on older ones is tried here, too. */
#include "scan/code.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* AES_KEY: schedules as they lie in memory */
#include <openssl/aes.h>
#include <sys/mman.h>

#include "scan/chance.h"
#include "scan/detect-aes.h"
#include "scan/dump.h"
#include "scan/markers.h"
#include "scan/runs-mask.h"
#include "scan/sweep.h"
#include "unit/numbers.h"

#define LEN (256 << 10)

/* Each kind of code but the plain one. */
#define FOR_EACH_CODE(code)                                     \
	for (unsigned code = CODE_SSE2; code < CODE_NR; code++) \
		if (code_limit((enum scan_code)code))

static int no_limit(void **state)
{
	code_limit_none();
	return 0;
}

/* Noise, words with all kinds of tops, and bytes that code is full of, in turns. */
static uint8_t *make_memory(void)
{
	static const uint8_t some[] = {0x00, 0x0f, 0x24, 0x48, 0x89, 0x8b, 0xe8, 0xff,
				       0x41, 0x7f, 0x80, 0x01, 0x10, 0xf0, 0x99, 0x66};
	uint8_t *p = malloc(LEN);

	assert_non_null(p);
	RAND_bytes(p, LEN);
	for (size_t i = 0; i < LEN; i++) {
		unsigned kind = i / 512 % 8;

		if (kind >= 1 && kind <= 3)
			p[i] = (p[i] & 7) < 2 * kind ? some[p[i] >> 4] : p[i];
		else if (kind == 4)
			p[i] &= 0x7f;
		else if (kind == 5 && i % 8 >= 6 && (i / 8 & 1))
			p[i] = i / 16 & 1 ? 0xff : 0;
		else if (kind == 6 && i % 256 < 192)
			p[i] = 0;
	}
	return p;
}

static void only_what_the_machine_can_is_taken(void **state)
{
	assert_true(code_limit(CODE_PLAIN));
	assert_true(code_may(CODE_PLAIN));
	assert_false(code_may(CODE_SSE2));
	assert_false(code_limit(CODE_NR));
	assert_false(code_may(CODE_SSE2));
#if defined(__x86_64__)
	assert_true(code_limit(CODE_SSE2));
	assert_true(code_may(CODE_SSE2));
	assert_false(code_may(CODE_AVX2));
	assert_int_equal(code_limit(CODE_AVX2), __builtin_cpu_supports("avx2") != 0);
#endif
	code_limit_none();
	for (unsigned code = 0; code < CODE_NR; code++)
		assert_true(code_may((enum scan_code)code));
}

static void words_look_the_same(void **state)
{
	word_mask_fn *plain = word_mask_code(CODE_PLAIN);
	uint8_t *p = make_memory();

	for (unsigned code = CODE_SSE2; code < CODE_NR; code++) {
		word_mask_fn *fn = word_mask_code((enum scan_code)code);

		for (size_t at = 0; fn && at + MASK_BYTES <= LEN; at += 97) {
			struct word_mask a, b;

			plain(p + at, &a);
			fn(p + at, &b);
			assert_int_equal(a.random, b.random);
			assert_int_equal(a.maybe, b.maybe);
			/* It says nothing of other words. */
			assert_int_equal(a.high & a.maybe, b.high & a.maybe);
		}
	}
	free(p);
}

static void zeros_and_words_are_seen_the_same(void **state)
{
	uint8_t *p = calloc(1, 4096);

	for (size_t len = 0; len < 700; len += 8)
		for (size_t at = 0; at <= len; at += 4) {
			bool zero;
			size_t found;

			p[at] = at < len;
			assert_true(code_limit(CODE_PLAIN));
			zero = sweep_is_zero(p, len);
			assert_int_equal(zero, at == len);
			found = sweep_find64(p, len, htole64(1));
			FOR_EACH_CODE(code)
			{
				assert_int_equal(sweep_is_zero(p, len), zero);
				assert_int_equal(sweep_find64(p, len, htole64(1)), found);
			}
			p[at] = 0;
		}
	free(p);
}

static void chance_is_weighed_the_same(void **state)
{
	uint8_t *p = make_memory();
	unsigned like = 0;

	for (size_t at = 0; at + CHANCE_BLOCK <= LEN; at += 24) {
		bool plain = chance_like_plain(p + at);

		like += plain;
		FOR_EACH_CODE(code)
		assert_int_equal(chance_like(p + at), plain);
	}
	assert_in_range(like, 1000, LEN / 24 - 1000);
	free(p);
}

static void sum_hit(void *userdata, const struct aes_hit *hit)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + hit->at + hit->layout;
}

/* Returns how long it is. */
static size_t put_schedule(uint8_t *to, unsigned bits)
{
	uint8_t key[32];
	AES_KEY schedule;
	size_t len = 16 * (bits / 32 + 7);

	RAND_bytes(key, sizeof(key));
	AES_set_encrypt_key(key, (int)bits, &schedule);
	memcpy(to, schedule.rd_key, len);
	return len;
}

static void schedules_are_found_the_same(void **state)
{
	uint8_t *p = make_memory();

	for (size_t at = 1000; at + 4096 < LEN; at += 4004)
		put_schedule(p + at, 128 + 64 * (unsigned)(at / 4004 % 3));
	for (size_t from = 0; from < 96; from += 4) {
		const struct bytes memory = {p + from, LEN - from};
		uint64_t plain = 0;
		size_t end = 0;

		aes_detect_scalar(memory, 0, memory.len, &end, sum_hit, &plain);
		assert_true(plain != 0);
		for (unsigned code = CODE_PLAIN; code < CODE_NR; code++) {
			uint64_t sum = 0;

			if (!code_limit((enum scan_code)code))
				continue;
			end = 0;
			aes_detect(memory, 0, memory.len, &end, sum_hit, &sum);
			assert_true(sum == plain);
		}
	}
	free(p);
}

static void sum_marker(void *userdata, size_t at, unsigned groups)
{
	*(uint64_t *)userdata = *(uint64_t *)userdata * 31 + at * 256 + groups;
}

static void markers_are_found_the_same(void **state)
{
	static const struct marker3 list[] = {{"ABC", 0}, {{2, 1, 0}, 1}, {"MII", 2}};
	struct markers markers;
	uint8_t p[512];

	markers_init(&markers, list, ARRAY_SIZE(list));
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t) "ABCMI\0\1\2"[i * i / 3 % 8];
	for (size_t len = 0; len <= sizeof(p); len += 3) {
		uint64_t plain = 0;

		markers_find_plain(&markers, (struct bytes){p, len}, 0, len, sum_marker, &plain);
		FOR_EACH_CODE(code)
		{
			uint64_t sum = 0;

			markers_find(&markers, (struct bytes){p, len}, 0, len, sum_marker, &sum);
			assert_true(sum == plain);
		}
	}
}

/* --- all of it --- */

#define SEEN_MAX 32

struct seen {
	uint8_t items[SEEN_MAX][FINDING_SIZE];
	unsigned nr;
};

static int see(void *userdata, const struct finding *finding)
{
	struct seen *seen = userdata;
	struct finding f = *finding;

	assert_true(seen->nr < SEEN_MAX);
	f.tag = 0; /* under a key of this scan's own */
	finding_encode(&f, seen->items[seen->nr++]);
	return 0;
}

static void dumps_are_scanned_the_same(void **state)
{
	static const struct dump_events events = {.found = see};
	static const char pem[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
				  "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgd\n"
				  "-----END ENCRYPTED PRIVATE KEY-----\n";
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int fd = memfd_create("dump", MFD_CLOEXEC);
	uint8_t *p = make_memory();
	struct seen plain = {.nr = 0};
	size_t len = 32;

	put_schedule(p + 8192, 128);
	put_schedule(p + 8192 + 1024, 256);
	memset(p + 65536, 0, 8192);
	EVP_PKEY_get_raw_private_key(pkey, p + 65536 + 256, &len);
	EVP_PKEY_get_raw_public_key(pkey, p + 65536 + 4096, &len);
	EVP_PKEY_free(pkey);
	memcpy(p + 65536 + 6144, pem, sizeof(pem));
	assert_int_equal(write(fd, p, LEN), LEN);
	for (unsigned code = CODE_PLAIN; code < CODE_NR; code++) {
		const struct dump_input input = {.fd = fd, .maps_fd = -1};
		struct seen seen = {.nr = 0};

		if (!code_limit((enum scan_code)code))
			continue;
		assert_int_equal(dump_scan(&input, &events, &seen), 0);
		if (code == CODE_PLAIN)
			plain = seen;
		/* Two schedules, a seed, and the last word. */
		assert_true(seen.nr >= 4);
		assert_int_equal(seen.nr, plain.nr);
		assert_memory_equal(seen.items, plain.items, sizeof(plain.items));
	}
	close(fd);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_machine_can_is_taken),
		cmocka_unit_test(words_look_the_same),
		cmocka_unit_test(zeros_and_words_are_seen_the_same),
		cmocka_unit_test(chance_is_weighed_the_same),
		cmocka_unit_test(schedules_are_found_the_same),
		cmocka_unit_test(markers_are_found_the_same),
		cmocka_unit_test(dumps_are_scanned_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, no_limit);
}
