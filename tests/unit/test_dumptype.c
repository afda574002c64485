// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/dumptype.c: each kind by its first bytes, and nothing by fewer of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "watch/dumptype.h"

struct sample {
	enum dump_kind kind;
	size_t need; /* bytes by which it is known; with fewer it is something else */
	size_t len;
	const char *bytes;
};

#define BYTES(s) sizeof(s) - 1, s

static const struct sample samples[] = {
	{DUMPKIND_ELF_CORE, 20, BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0>\0\1\0\0\0")},
	{DUMPKIND_ELF_CORE, 20, BYTES("\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\4\0\3\0\1\0\0\0")},
	/* s390x, big endian */
	{DUMPKIND_ELF_CORE, 20, BYTES("\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\4\0\x16\0\0\0\1")},
	{DUMPKIND_MINIDUMP, 6, BYTES("MDMP\x93\xa7\0\0\x0b\0\0\0")},
	{DUMPKIND_WINDOWS, 8, BYTES("PAGEDU64\x0f\0\0\0")},
	{DUMPKIND_WINDOWS, 8, BYTES("PAGEDUMP\x0f\0\0\0")},
	{DUMPKIND_KDUMP, 8, BYTES("KDUMP   \6\0\0\0")},
	{DUMPKIND_KDUMP, 12, BYTES("makedumpfile\0\0\0\0")},
	{DUMPKIND_JAVA, 14, BYTES("JAVA PROFILE 1.0.2\0\0\0\0\10")},
	{DUMPKIND_LIME, 8, BYTES("EMiL\1\0\0\0\0\0\0\0")},
	{DUMPKIND_AVML, 8, BYTES("AVML\2\0\0\0\0\0\0\0")},
	{DUMPKIND_COMPRESSED, 4, BYTES("\x28\xb5\x2f\xfd\0\0\0")},
	{DUMPKIND_COMPRESSED, 4, BYTES("\x04\x22\x4d\x18\0\0\0")},
	{DUMPKIND_COMPRESSED, 6,
	 BYTES("\xfd"
	       "7zXZ\0\0\0")},
	{DUMPKIND_COMPRESSED, 3, BYTES("\x1f\x8b\x08\0\0\0")},
	{DUMPKIND_ARCHIVE, 4, BYTES("PK\x03\x04\x14\0\0\0")},
	{DUMPKIND_TEXT, 1, BYTES("a crash of 812\n")},
	{DUMPKIND_TEXT, 1, BYTES("gr\xc3\xbc\xc3\x9f\t")},
	/* Neighbours of those above. */
	{DUMPKIND_NONE, 20, BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0>\0\1\0\0\0")}, /* ET_DYN */
	{DUMPKIND_NONE, 20, BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\0\4\0\x16\0\0\0\1")},
	{DUMPKIND_NONE, 6, BYTES("MDMP\x93\xa6\0\0")},
	{DUMPKIND_NONE, 4, BYTES("\0\1\2\3")},
};

/* From an exact copy: reading past it is seen by the sanitizers. */
static enum dump_kind kind_of(const char *bytes, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return dump_kind_of(copy, len);
}

static void each_kind_is_known(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		assert_int_equal(kind_of(samples[i].bytes, samples[i].len), samples[i].kind);
}

static void a_tar_is_known_by_its_first_header(void **state)
{
	char header[512] = "k/id_ed25519";

	memcpy(header + 257, "ustar\00000", 8);
	assert_int_equal(kind_of(header, sizeof(header)), DUMPKIND_ARCHIVE);
	assert_int_equal(kind_of(header, 263), DUMPKIND_ARCHIVE);
	assert_int_equal(kind_of(header, 262), DUMPKIND_NONE);
	memcpy(header + 257, "ustar  ", 8); /* GNU */
	assert_int_equal(kind_of(header, sizeof(header)), DUMPKIND_ARCHIVE);
	header[262] = 'x';
	assert_int_equal(kind_of(header, sizeof(header)), DUMPKIND_NONE);
	assert_false(dump_kind_is_dump(DUMPKIND_ARCHIVE));
}

static void a_shorter_beginning_is_no_dump(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t len = 0; len < samples[i].need; len++)
			assert_false(dump_kind_is_dump(kind_of(samples[i].bytes, len)));
	assert_int_equal(kind_of("", 0), DUMPKIND_NONE);
}

static void compressed_and_text_are_not_watched_by_themselves(void **state)
{
	assert_false(dump_kind_is_dump(DUMPKIND_COMPRESSED));
	assert_false(dump_kind_is_dump(DUMPKIND_TEXT));
	assert_false(dump_kind_is_dump(DUMPKIND_NONE));
	for (unsigned kind = DUMPKIND_ELF_CORE; kind < DUMPKIND_COMPRESSED; kind++) {
		assert_true(dump_kind_is_dump(kind));
		assert_string_not_equal(dump_kind_str(kind), "?");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_known),
		cmocka_unit_test(a_tar_is_known_by_its_first_header),
		cmocka_unit_test(a_shorter_beginning_is_no_dump),
		cmocka_unit_test(compressed_and_text_are_not_watched_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
