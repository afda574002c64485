// SPDX-License-Identifier: GPL-2.0-or-later
/* The scan child's answer: comes back as it was, and nothing else comes through. */
#include "scan/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

static const struct scan_result sample = {
	.id =
		{
			.kind = KEY_EC,
			.format = KEYFMT_OPENSSH,
			.source = KEYSRC_SIBLING,
			.encrypted = true,
			.bits = 384,
			.curve = "nistp384",
			.spki = {1, 2, 3, [31] = 9},
			.has_spki = true,
			.ssh_fp = "SHA256:0123456789012345678901234567890123456789+/a",
			.keygrip = "0123456789ABCDEF0123456789ABCDEF01234567",
			.comment = "alice \\x0a \\\\ caf\xc3\xa9",
		},
};

static void an_answer_comes_back_as_it_was(void **state)
{
	static const int errors[] = {0, -EFBIG, -EIO, -EPERM, -ENOMEM};
	struct scan_result back;
	uint8_t message[SCAN_RESULT_SIZE];

	memset(message, 0xee, sizeof(message)); /* nothing of what was there before */
	scan_result_encode(&sample, message);
	assert_int_equal(scan_result_decode(message, sizeof(message), &back), 0);
	assert_int_equal(back.error, 0);
	assert_int_equal(back.id.kind, sample.id.kind);
	assert_int_equal(back.id.bits, 384);
	assert_memory_equal(back.id.spki, sample.id.spki, 32);
	assert_string_equal(back.id.curve, sample.id.curve);
	assert_string_equal(back.id.ssh_fp, sample.id.ssh_fp);
	assert_string_equal(back.id.keygrip, sample.id.keygrip);
	assert_string_equal(back.id.comment, sample.id.comment);
	assert_true(back.id.encrypted);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct scan_result result = {.error = errors[i]};

		scan_result_encode(&result, message);
		assert_int_equal(scan_result_decode(message, sizeof(message), &back), 0);
		assert_int_equal(back.error, errors[i]);
		assert_int_equal(back.id.kind, KEY_NONE);
	}
}

static void any_other_length_is_refused(void **state)
{
	uint8_t message[SCAN_RESULT_SIZE + 1] = {0};
	struct scan_result back;

	scan_result_encode(&sample, message);
	for (size_t len = 0; len <= sizeof(message); len++)
		assert_int_equal(scan_result_decode(message, len, &back),
				 len == SCAN_RESULT_SIZE ? 0 : -EBADMSG);
}

/* Offsets by the layout in result.c. */
enum {
	AT_VERSION = 4,
	AT_SIZE = 6,
	AT_ERROR = 8,
	AT_KIND = 9,
	AT_FORMAT = 10,
	AT_SOURCE = 11,
	AT_FLAGS = 12,
	AT_PAD = 13,
	AT_SPKI = 16,
	AT_CURVE = 48,
	AT_FP = 64,
	AT_GRIP = 128,
	AT_COMMENT = 169,
};

static void fields_that_cannot_be_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		const char *bytes;
		size_t len;
	} cases[] = {
		{"magic", 0, "X", 1},
		{"version", AT_VERSION + 1, "\2", 1},
		{"size", AT_SIZE + 1, "\0", 1},
		{"error", AT_ERROR, "\x7f", 1},
		{"an error with a key", AT_ERROR, "\1", 1},
		{"kind", AT_KIND, "\xff", 1},
		{"no key, yet named", AT_KIND, "\0", 1},
		{"format", AT_FORMAT, "\x40", 1},
		{"source", AT_SOURCE, "\4", 1},
		{"named from nowhere", AT_SOURCE, "\0", 1},
		{"flags", AT_FLAGS, "\4", 1},
		{"a canonical id that is not there", AT_FLAGS, "\1", 1},
		{"padding", AT_PAD, "\1", 1},
		{"curve: blank", AT_CURVE, " ", 1},
		{"curve: no end", AT_CURVE, "aaaaaaaaaaaaaaaa", 16},
		{"curve: more after its end", AT_CURVE + 12, "a", 1},
		{"fingerprint: too short", AT_FP, "SHA256:ab\0", 10},
		{"fingerprint: other alphabet", AT_FP + 10, "\"", 1},
		{"fingerprint: other hash", AT_FP, "SHA1..:", 7},
		{"keygrip: letters", AT_GRIP, "g", 1},
		{"keygrip: short", AT_GRIP + 39, "\0", 1},
		{"comment: newline", AT_COMMENT, "\n", 1},
		{"comment: terminal escape", AT_COMMENT, "\033", 1},
		{"comment: broken escape", AT_COMMENT, "\\xg", 3},
		{"comment: escape of what needs none", AT_COMMENT, "\\x41", 4},
		{"comment: invalid UTF-8", AT_COMMENT, "\xff", 1},
		{"comment: bidirectional control", AT_COMMENT, "\xe2\x80\xae", 3},
		{"comment: no end", AT_COMMENT + 95, "a", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t message[SCAN_RESULT_SIZE];
		struct scan_result back = {.error = 77};

		scan_result_encode(&sample, message);
		memcpy(message + cases[i].at, cases[i].bytes, cases[i].len);
		if (scan_result_decode(message, sizeof(message), &back) != -EBADMSG)
			fail_msg("let through: %s", cases[i].what);
		assert_int_equal(back.error, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_comes_back_as_it_was),
		cmocka_unit_test(any_other_length_is_refused),
		cmocka_unit_test(fields_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
