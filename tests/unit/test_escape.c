// SPDX-License-Identifier: GPL-2.0-or-later
/* base/escape.c: untrusted bytes become one printable line, and come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *in;
	size_t len;
	const char *out;
} cases[] = {
	{BYTES(""), ""},
	{BYTES("/home/alice/.ssh/id_rsa"), "/home/alice/.ssh/id_rsa"},
	{BYTES("a\\b"), "a\\\\b"},
	{BYTES("\\x41"), "\\\\x41"},
	{BYTES("a\nb\rc\td\x7f"), "a\\x0ab\\x0dc\\x09d\\x7f"},
	{BYTES("nul\0nul"), "nul\\x00nul"},
	{BYTES("quote\"]'}"), "quote\"]'}"},
	{BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91"),
	 "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91"},
	{BYTES("\x1b[31mred"), "\\x1b[31mred"},
	/* C1 controls: U+0080, U+0085 (next line), U+009b (CSI), U+009f; U+00a0 is none */
	{BYTES("\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f\xc2\xa0"),
	 "\\xc2\\x80\\xc2\\x85\\xc2\\x9b\\xc2\\x9f\xc2\xa0"},
	/* separators and bidirectional controls, and their neighbours */
	{BYTES("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xae\xe2\x80\xaf"),
	 "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x80\\xaa\\xe2\\x80\\xae\xe2\x80\xaf"},
	/* invisible operators, isolates, deprecated format characters: U+205f, U+2060 .. U+2070 */
	{BYTES("\xe2\x81\x9f\xe2\x81\xa0\xe2\x81\xa4\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaf\xe2\x81\xb0"),
	 "\xe2\x81\x9f\\xe2\\x81\\xa0\\xe2\\x81\\xa4\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xe2\\x81\\xaf\xe2\x81\xb0"},
	/* zero width, direction marks: U+200a, U+200b, U+200d, U+200e, U+200f, U+2010 */
	{BYTES("\xe2\x80\x8a\xe2\x80\x8b\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90"),
	 "\xe2\x80\x8a\\xe2\\x80\\x8b\\xe2\\x80\\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90"},
	/* Arabic letter mark U+061c and its neighbours, soft hyphen U+00ad */
	{BYTES("\xd8\x9b\xd8\x9c\xd8\x9d\xc2\xad"), "\xd8\x9b\\xd8\\x9c\xd8\x9d\\xc2\\xad"},
	/* byte order mark, variation selector, tags U+e0001, U+e007f */
	{BYTES("\xef\xbb\xbf\xef\xb8\x8f\xf3\xa0\x80\x81\xf3\xa0\x81\xbf"),
	 "\\xef\\xbb\\xbf\\xef\\xb8\\x8f\\xf3\\xa0\\x80\\x81\\xf3\\xa0\\x81\\xbf"},
	/* invalid: lone continuation, cut characters, overlong, surrogate, too large */
	{BYTES("\x80"), "\\x80"},
	{BYTES("\xc3"), "\\xc3"},
	{BYTES("\xc3("), "\\xc3("},
	{BYTES("\xe2\x82"), "\\xe2\\x82"},
	{BYTES("\xe2\x82z"), "\\xe2\\x82z"},
	{BYTES("\xf0\x9f\x94"), "\\xf0\\x9f\\x94"},
	{BYTES("\xc0\xaf"), "\\xc0\\xaf"},
	{BYTES("\xe0\x80\xaf"), "\\xe0\\x80\\xaf"},
	{BYTES("\xf0\x80\x80\xaf"), "\\xf0\\x80\\x80\\xaf"},
	{BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
	{BYTES("\xed\x9f\xbf"), "\xed\x9f\xbf"},
	{BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"},
	{BYTES("\xf4\x8f\xbf\xbd"), "\xf4\x8f\xbf\xbd"},
	{BYTES("\xff\xfe"), "\\xff\\xfe"},
};

static void bytes_become_printable_text_and_come_back(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[256], back[256];
		bool truncated = true;
		size_t n = escape_bytes(cases[i].in, cases[i].len, out, sizeof(out), &truncated);

		assert_string_equal(out, cases[i].out);
		assert_int_equal(n, strlen(cases[i].out));
		assert_false(truncated);
		assert_int_equal(escape_undo(out, n, back, sizeof(back)), cases[i].len);
		assert_memory_equal(back, cases[i].in, cases[i].len);
	}
}

static void a_cut_is_never_inside_an_escape_or_a_character(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t whole = strlen(cases[i].out);

		for (size_t size = 0; size <= whole + 1; size++) {
			char out[256], back[256];
			bool truncated = false;
			size_t n;
			long m;

			memset(out, 'Z', sizeof(out));
			n = escape_bytes(cases[i].in, cases[i].len, out, size, &truncated);
			assert_true(size ? n < size : n == 0);
			if (size)
				assert_int_equal(out[n], '\0');
			assert_int_equal(out[size], 'Z');
			assert_int_equal(truncated, size ? n < whole : cases[i].len > 0);
			assert_memory_equal(out, cases[i].out, n);
			/* What is there stands for the beginning of the bytes. */
			m = escape_undo(out, n, back, sizeof(back));
			assert_true(m >= 0);
			assert_memory_equal(back, cases[i].in, (size_t)m);
		}
	}
}

static void all_pairs_of_bytes_come_back(void **state)
{
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			const char in[3] = {(char)a, (char)b, 'x'};
			char out[16], back[16];
			size_t n = escape_bytes(in, sizeof(in), out, sizeof(out), NULL);

			for (size_t i = 0; i < n; i++)
				assert_true((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
			assert_int_equal(escape_undo(out, n, back, sizeof(back)), sizeof(in));
			assert_memory_equal(in, back, sizeof(in));
		}
	}
}

static void text_that_escape_does_not_make_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{BYTES("\\")}, /* half an escape */
		{BYTES("\\x")},		 {BYTES("\\x4")},  {BYTES("\\n")},
		{BYTES("\\X0a")},	 {BYTES("\\x0A")}, /* capitals */
		{BYTES("\\x0g")},	 {BYTES("\\x41")}, /* a letter needs none */
		{BYTES("\\x5c")}, /* nor does a backslash this one */
		{BYTES("\n")}, /* bare control character */
		{BYTES("a\0b")},	 {BYTES("\xff")}, /* bare invalid byte */
		{BYTES("\\xc3\\xbc")}, /* a valid character in escapes */
		{BYTES("\xc3\\xbc")}, /* a character in two halves */
		{BYTES("\xe2\x80\xae")}, /* bare bidirectional control */
	};
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(escape_undo(bad[i].text, bad[i].len, out, sizeof(out)), -EINVAL);
}

static void undo_says_when_there_is_no_room(void **state)
{
	char out[4];

	assert_int_equal(escape_undo(BYTES("abcd"), out, 4), 4);
	assert_int_equal(escape_undo(BYTES("abcde"), out, 4), -ENOBUFS);
	assert_int_equal(escape_undo(BYTES("\\x0a\\x0a"), out, 1), -ENOBUFS);
	assert_int_equal(escape_undo(BYTES(""), out, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_become_printable_text_and_come_back),
		cmocka_unit_test(a_cut_is_never_inside_an_escape_or_a_character),
		cmocka_unit_test(all_pairs_of_bytes_come_back),
		cmocka_unit_test(text_that_escape_does_not_make_is_refused),
		cmocka_unit_test(undo_says_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
