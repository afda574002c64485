// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump scanner's messages: what was written comes back, in any pieces; nothing else passes. */
#include "scan/channel.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const struct scan_about sample_about = {
	.container = CONTAINER_ELF,
	.size = 123456789012,
	.pid = 42,
	.threads = 7,
	.signal = 11,
	.depth = 2,
	.bits = 64,
	.command = "a\\x09b",
	.exe = "/usr/bin/python3.11",
	.build_id = "00112233445566778899aabbccddeeff00112233",
	.member = "dumps/core.1",
};

static size_t put(uint8_t *to, const struct channel_message *message)
{
	return channel_encode(message, to);
}

static size_t put_finding(uint8_t *to, enum finding_what what, uint64_t vaddr)
{
	return put(to, &(struct channel_message){
			       .type = CHANNEL_FINDING,
			       .finding = {.what = what, .offset = 5, .vaddr = vaddr},
		       });
}

/* A whole scan of one dump. */
static size_t sample(uint8_t *to)
{
	size_t len = put(to, &(struct channel_message){CHANNEL_ABOUT, .about = sample_about});

	len += put_finding(to + len, FINDING_RSA, 9);
	len += put(to + len, &(struct channel_message){CHANNEL_PROGRESS, .progress = {3, 4}});
	len += put_finding(to + len, FINDING_END, SCAN_TRUNCATED | SCAN_CORE);
	return len + put(to + len, &(struct channel_message){CHANNEL_DONE, .error = -EIO});
}

/* How many messages pass; below 0: refused. */
static int feed(const uint8_t *p, size_t len, size_t piece, struct channel_message *out, int max)
{
	struct channel_reader reader = {.len = 0};
	int nr = 0, r = 0;

	while (len) {
		size_t size, n = piece < len ? piece : len;
		uint8_t *room = channel_room(&reader, &size);

		n = n < size ? n : size;
		memcpy(room, p, n);
		channel_got(&reader, n);
		p += n;
		len -= n;
		while (nr < max && (r = channel_next(&reader, &out[nr])) > 0)
			nr++;
		if (r < 0)
			return r;
	}
	return nr;
}

static void messages_come_back_in_any_pieces(void **state)
{
	uint8_t bytes[8 * CHANNEL_MAX];
	struct channel_message got[8];
	size_t len = sample(bytes);

	for (size_t piece = 1; piece < len; piece += 1 + piece / 3) {
		memset(got, 0, sizeof(got));
		assert_int_equal(feed(bytes, len, piece, got, 8), 5);
		assert_int_equal(got[0].about.container, CONTAINER_ELF);
		assert_int_equal(got[0].about.size, sample_about.size);
		assert_int_equal(got[0].about.pid, 42);
		assert_int_equal(got[0].about.threads, 7);
		assert_int_equal(got[0].about.signal, 11);
		assert_int_equal(got[0].about.depth, 2);
		assert_int_equal(got[0].about.bits, 64);
		assert_string_equal(got[0].about.command, sample_about.command);
		assert_string_equal(got[0].about.exe, sample_about.exe);
		assert_string_equal(got[0].about.build_id, sample_about.build_id);
		assert_string_equal(got[0].about.member, sample_about.member);
		assert_int_equal(got[1].finding.what, FINDING_RSA);
		assert_int_equal(got[2].progress.done, 3);
		assert_int_equal(got[3].finding.vaddr, SCAN_TRUNCATED | SCAN_CORE);
		assert_int_equal(got[4].error, -EIO);
	}
}

static void what_is_out_of_order_is_refused(void **state)
{
	uint8_t bytes[8 * CHANNEL_MAX];
	struct channel_message got[8];
	size_t len;

	/* A finding of no dump. */
	len = put_finding(bytes, FINDING_AES, 0);
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	/* A dump in a dump. */
	len = put(bytes, &(struct channel_message){CHANNEL_ABOUT, .about = sample_about});
	len += put(bytes + len, &(struct channel_message){CHANNEL_ABOUT, .about = sample_about});
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	/* A success in the middle of a dump. */
	len = put(bytes, &(struct channel_message){CHANNEL_ABOUT, .about = sample_about});
	len += put(bytes + len, &(struct channel_message){CHANNEL_DONE});
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	/* Words after the last one. */
	len = sample(bytes);
	len += sample(bytes + len);
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	/* No error's number, of which one has no negative. */
	len = put(bytes, &(struct channel_message){CHANNEL_DONE, .error = INT_MIN});
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	len = put(bytes, &(struct channel_message){CHANNEL_DONE, .error = -4096});
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
	/* A flag that does not exist. */
	len = put(bytes, &(struct channel_message){CHANNEL_ABOUT, .about = sample_about});
	len += put_finding(bytes + len, FINDING_END, SCAN_FLAGS_ALL + 1);
	assert_int_equal(feed(bytes, len, len, got, 8), -EBADMSG);
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = {
		{0, 'k'},
		{1, 0},
		{1, CHANNEL_TYPE_NR},
		{3, 1},
		{4, CONTAINER_NR},
		{7, 33},
		{8, 2},
		{9, 1},
		{28, '\n'}, /* comm's first byte */
		{28 + 63, 'x'}, /* its last, behind a NUL */
		{28 + 64, 0x1b},
		{28 + 64 + 256, 'g'}, /* of the build id */
		{28 + 64 + 256 + 41, 0x80},
	};
	uint8_t bytes[8 * CHANNEL_MAX];
	struct channel_message got[8];
	size_t len = sample(bytes);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t was = bytes[cases[i].at];

		bytes[cases[i].at] = cases[i].value;
		if (feed(bytes, len, len, got, 8) != -EBADMSG)
			fail_msg("case %zu passed", i);
		bytes[cases[i].at] = was;
	}
}

static void a_flood_is_cut_off(void **state)
{
	struct channel_reader reader = {.in_dump = true};
	struct channel_message message;
	size_t size, len = put_finding(channel_room(&reader, &size), FINDING_AES, 0);

	reader.findings = CHANNEL_FINDINGS_MAX - 1;
	channel_got(&reader, len);
	assert_int_equal(channel_next(&reader, &message), 1);
	channel_got(&reader, put_finding(channel_room(&reader, &size), FINDING_AES, 0));
	assert_int_equal(channel_next(&reader, &message), -EBADMSG);
}

static void words_are_all_there(void **state)
{
	for (int i = 0; i < CONTAINER_NR; i++)
		assert_true(scan_container_str(i) && strcmp(scan_container_str(i), "?") != 0);
	for (unsigned flag = 1; flag & SCAN_FLAGS_ALL; flag <<= 1) {
		assert_string_not_equal(scan_flag_str(flag), "?");
		assert_string_not_equal(scan_flag_sentence(flag), "?");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back_in_any_pieces),
		cmocka_unit_test(what_is_out_of_order_is_refused),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_flood_is_cut_off),
		cmocka_unit_test(words_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
