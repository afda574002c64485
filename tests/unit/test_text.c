// SPDX-License-Identifier: GPL-2.0-or-later
/* Units of escaped text, and growing buffers: what must not be torn, what must not be passed. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "base/escape.h"

static void units_are_characters_and_escapes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		size_t unit;
		enum text_kind kind;
	} rows[] = {
		{"a", 1, 1, TEXT_CHAR},
		{"\\\\x", 3, 2, TEXT_ESCAPE},
		{"\\x0a", 4, 4, TEXT_ESCAPE},
		{"\\xFf", 4, 4, TEXT_ESCAPE},
		{"\\x0", 3, 1, TEXT_RAW}, /* cut off */
		{"\\xgg", 4, 1, TEXT_RAW},
		{"\\", 1, 1, TEXT_RAW},
		{"\\n", 2, 1, TEXT_RAW},
		{"\xc3\xa4", 2, 2, TEXT_CHAR},
		{"\xc3\xa4", 1, 1, TEXT_RAW}, /* cut off */
		{"\xe2\x82\xac", 3, 3, TEXT_CHAR},
		{"\xf0\x9f\x94\x91", 4, 4, TEXT_CHAR},
		{"\xf0\x9f\x94", 3, 1, TEXT_RAW},
		{"\xc0\x80", 2, 1, TEXT_RAW}, /* overlong */
		{"\xe0\x80\x80", 3, 1, TEXT_RAW},
		{"\xf0\x80\x80\x80", 4, 1, TEXT_RAW},
		{"\xed\xa0\x80", 3, 1, TEXT_RAW}, /* surrogate */
		{"\xf4\x90\x80\x80", 4, 1, TEXT_RAW}, /* beyond Unicode */
		{"\xff", 1, 1, TEXT_RAW},
		{"\n", 1, 1, TEXT_RAW},
		{"\x7f", 1, 1, TEXT_RAW},
		{"\xc2\x85", 2, 1, TEXT_RAW}, /* C1 */
		{"\xe2\x80\xa8", 3, 1, TEXT_RAW}, /* line separator */
		{"\xe2\x80\xae", 3, 1, TEXT_RAW}, /* right-to-left override */
		{"\xe2\x81\xa6", 3, 1, TEXT_RAW}, /* isolate */
		{"\xe2\x80\x8e", 3, 1, TEXT_RAW}, /* left-to-right mark */
		{"\xd8\x9c", 2, 1, TEXT_RAW}, /* Arabic letter mark */
		{"\xef\xbb\xbf", 3, 1, TEXT_RAW}, /* zero width no-break space */
		{"\xf3\xa0\x81\x81", 4, 1, TEXT_RAW}, /* a tag */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum text_kind kind;
		size_t n = text_unit(rows[i].text, rows[i].len, &kind);

		if (n != rows[i].unit || kind != rows[i].kind)
			fail_msg("row %zu: %zu bytes of kind %d", i, n, kind);
	}
}

/* escape_bytes() and text_unit() must have the same idea of what may stand in a line. */
static void what_escape_makes_holds_no_raw_byte(void **state)
{
	uint32_t seed = 7;

	for (int round = 0; round < 20000; round++) {
		char in[12], out[64];
		size_t len;

		for (size_t i = 0; i < sizeof(in); i++) {
			seed = seed * 1664525u + 1013904223u;
			in[i] = (char)(seed >> 24);
			if (seed >> 8 & 1) /* near the sequences that are special */
				in[i] = "\xe2\x80\xa8\xc2\x85\\x\xed\xa0\xf0\x9f\x81"[seed % 12];
		}
		len = escape_bytes(in, sizeof(in), out, sizeof(out), NULL);
		for (size_t i = 0; i < len;) {
			enum text_kind kind;

			i += text_unit(out + i, len - i, &kind);
			assert_int_not_equal(kind, TEXT_RAW);
		}
	}
}

static void columns_are_counted_as_a_terminal_does(void **state)
{
	static const struct {
		const char *text;
		unsigned columns;
	} rows[] = {
		{"", 0},	  {"abc", 3},	       {"k\xc3\xa4se", 4},
		{"e\xcc\x81", 1}, {"\xe6\xbc\xa2", 2}, {"\xf0\x9f\x94\x91", 2},
		{"\xff", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(text_columns(rows[i].text, strlen(rows[i].text)), rows[i].columns);
}

static void a_buffer_takes_all_or_nothing(void **state)
{
	struct buf buf;

	buf_init(&buf, 10);
	assert_int_equal(buf_append(&buf, "", 0), 0);
	assert_int_equal(buf_append(&buf, "12345", 5), 0);
	assert_int_equal(buf_append(&buf, "678901", 6), -ENOBUFS);
	assert_int_equal(buf.len, 5);
	assert_int_equal(buf_appendf(&buf, "%d%s", 678, "90"), 0);
	assert_int_equal(buf_appendf(&buf, "x"), -ENOBUFS);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.p, "1234567890", 10);
	buf_consume(&buf, 3);
	assert_int_equal(buf.len, 7);
	assert_memory_equal(buf.p, "4567890", 7);
	buf_consume(&buf, 100);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf_append(&buf, "again", 5), 0);
	buf_fini(&buf);
	assert_int_equal(buf_append(&buf, "more than ten bytes", 19), -ENOBUFS); /* still bounded */
	buf_fini(&buf);
}

static void an_emptied_big_buffer_gives_its_memory_back(void **state)
{
	struct buf buf;

	buf_init(&buf, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_append(&buf, "x", 1), 0);
	buf_consume(&buf, 99999);
	assert_true(buf.cap >= 100000);
	buf_consume(&buf, 1);
	assert_int_equal(buf.cap, 0);
	assert_int_equal(buf_append(&buf, "x", (size_t)-1), -ENOMEM);
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_characters_and_escapes),
		cmocka_unit_test(what_escape_makes_holds_no_raw_byte),
		cmocka_unit_test(columns_are_counted_as_a_terminal_does),
		cmocka_unit_test(a_buffer_takes_all_or_nothing),
		cmocka_unit_test(an_emptied_big_buffer_gives_its_memory_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
