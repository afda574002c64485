// SPDX-License-Identifier: GPL-2.0-or-later
/* Random blocks pass, what programs are made of does not; zeros and words are found. */
#include "scan/chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/cleanup.h"
#include "scan/sweep.h"

#define BLOCKS	   100000
#define REFUSED_OK 30 /* three are to be expected: so many come once in 10^19 runs */

static void random_blocks_pass(void **state)
{
	static uint8_t blocks[BLOCKS][CHANCE_BLOCK];
	unsigned refused = 0;

	RAND_bytes((uint8_t *)blocks, sizeof(blocks));
	for (size_t i = 0; i < BLOCKS; i++)
		refused += !chance_like(blocks[i]);
	assert_true(refused < REFUSED_OK);
}

static void code_tables_and_text_do_not(void **state)
{
	static const uint8_t blocks[][CHANCE_BLOCK] = {
		{0},
		"With thy sharp teeth this knot ", /* few bytes, but all different enough */
		/* of a library's code */
		{0x90, 0x49, 0x89, 0xf0, 0x49, 0x89, 0xd2, 0x48, 0x39, 0xf7, 0x74,
		 0x7d, 0x0f, 0xb6, 0x37, 0x4c, 0x8d, 0x0d, 0x0b, 0xbe, 0x2f, 0x00,
		 0x48, 0x8d, 0x57, 0x01, 0x40, 0x0f, 0xb6, 0xce, 0x89, 0xf0},
		/* of its .eh_frame */
		{0x00, 0x38, 0xd1, 0x04, 0x00, 0x7c, 0xd4, 0x7b, 0xfb, 0x9d, 0x00,
		 0x00, 0x00, 0x00, 0x41, 0x0e, 0x10, 0x86, 0x02, 0x43, 0x0d, 0x06,
		 0x42, 0x8e, 0x03, 0x4d, 0x8d, 0x04, 0x8c, 0x05, 0x83, 0x06},
	};

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		assert_false(chance_like(blocks[i]));
}

static void plain_and_vector_code_say_the_same(void **state)
{
	uint8_t p[CHANCE_BLOCK];
	unsigned passed = 0;

	for (size_t i = 0; i < BLOCKS; i++) {
		RAND_bytes(p, sizeof(p));
		/* Less and less of it by chance: blocks on either side of what is enough. */
		for (size_t k = 0; k < i % CHANCE_BLOCK; k++)
			p[k] = (uint8_t)(p[k] % 24 * 11);
		assert_int_equal(chance_like(p), chance_like_plain(p));
		passed += chance_like(p);
		memset(p, (int)(i & 255), sizeof(p));
		assert_int_equal(chance_like(p), chance_like_plain(p));
	}
	assert_in_range(passed, BLOCKS / 50, BLOCKS - BLOCKS / 50);
}

static void different_bytes_are_counted(void **state)
{
	uint8_t p[256];

	for (size_t len = 0; len <= sizeof(p); len++)
		for (unsigned values = 1; values <= 256; values += 51) {
			bool seen[256] = {false};
			unsigned different = 0;

			RAND_bytes(p, sizeof(p));
			for (size_t i = 0; i < len; i++) {
				p[i] = (uint8_t)(p[i] % values);
				different += !seen[p[i]];
				seen[p[i]] = true;
			}
			assert_int_equal(chance_different(p, len), different);
		}
}

static void every_byte_that_is_not_zero_is_seen(void **state)
{
	uint8_t p[600] = {0};

	for (size_t from = 0; from < 9; from++)
		for (size_t len = 0; len < 300; len += 7) {
			assert_true(sweep_is_zero(p + from, len));
			for (size_t at = 0; at < sizeof(p); at++) {
				p[at] = 1;
				assert_int_equal(sweep_is_zero(p + from, len),
						 at < from || at >= from + len);
				p[at] = 0;
			}
		}
}

static void the_first_word_is_found(void **state)
{
	const uint64_t word = 0x2000000001;
	uint8_t p[600] = {0};

	for (size_t len = 0; len <= 512; len += 8) {
		assert_int_equal(sweep_find64(p + 3, len, word), len);
		for (size_t at = 0; at < 560; at += 8) {
			memcpy(p + 3 + at, &word, 8);
			assert_int_equal(sweep_find64(p + 3, len, word), at < len ? at : len);
			memset(p + 3 + at, 0, 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_blocks_pass),
		cmocka_unit_test(code_tables_and_text_do_not),
		cmocka_unit_test(plain_and_vector_code_say_the_same),
		cmocka_unit_test(different_bytes_are_counted),
		cmocka_unit_test(every_byte_that_is_not_zero_is_seen),
		cmocka_unit_test(the_first_word_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
