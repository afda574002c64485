// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/PID/smaps, limits, status, stat: their reading, and which mappings a core has. */
#include "doctor/smaps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "doctor/process.h"

static const char two_mappings[] = "55d0-55e0 rw-p 00000000 00:00 0      [heap]\n"
				   "Size:                 64 kB\n"
				   "Rss:                  32 kB\n"
				   "Anonymous:            32 kB\n"
				   "Swap:                  4 kB\n"
				   "Locked:                8 kB\n"
				   "VmFlags: rd wr mr mw me ac dd lo wf sd \n"
				   "7f00-7f10 r-xs 00001000 fe:01 1234 /usr/lib/a b (deleted)\n"
				   "Anonymous:             0 kB\n"
				   "VmFlags: rd ex sh mr mw me ms \n";

static void mappings_come_in_order_with_their_values(void **state)
{
	struct smaps s = {two_mappings, sizeof(two_mappings) - 1};
	struct mapping m;
	char flags[24];

	assert_true(smaps_next(&s, &m));
	assert_int_equal(m.start, 0x55d0);
	assert_int_equal(m.end, 0x55e0);
	assert_string_equal(m.perms, "rw-p");
	assert_string_equal(m.name, "[heap]");
	assert_int_equal(m.anonymous_kib, 32);
	assert_int_equal(m.swap_kib, 4);
	assert_int_equal(m.locked_kib, 8);
	mapping_flags_text(&m, flags);
	assert_string_equal(flags, "dd,lo,wf");
	assert_true(smaps_next(&s, &m));
	assert_string_equal(m.name, "/usr/lib/a b (deleted)");
	assert_int_equal(m.inode, 1234);
	assert_int_equal(m.flags, MAPPING_SHARED | MAPPING_NO_LINK | MAPPING_FLAGS_KNOWN);
	assert_false(smaps_next(&s, &m));
}

static void what_is_no_mapping_is_passed_over(void **state)
{
	static const char text[] = "\nnonsense\n12-\n20-10 rw-p 0 0:0 0\n10-20 rwxz 0 0:0 0\n"
				   "10-20 rw-p 0 00:00 0\n";
	struct smaps s = {text, sizeof(text) - 1};
	struct mapping m;

	assert_true(smaps_next(&s, &m));
	assert_int_equal(m.start, 0x10);
	assert_int_equal(m.flags, 0);
	assert_string_equal(m.name, "");
	assert_false(smaps_next(&s, &m));
}

static void a_core_has_what_the_filter_says(void **state)
{
	static const struct {
		struct mapping mapping;
		enum core_place place;
		unsigned filter;
		bool in;
	} cases[] = {
		/* core(5): the default has both kinds of anonymous memory and no file's pages */
		{{.inode = 0}, CORE_ANON_PRIVATE, CORE_FILTER_DEFAULT, true},
		{{.inode = 0}, CORE_ANON_PRIVATE, 0x32, false},
		{{.inode = 0, .flags = MAPPING_DONTDUMP}, CORE_DONTDUMP, 0x1ff, false},
		{{.inode = 0, .flags = MAPPING_DONTDUMP | MAPPING_SHARED},
		 CORE_DONTDUMP,
		 0x1ff,
		 false},
		{{.inode = 7, .flags = MAPPING_IO}, CORE_IO, 0x1ff, false},
		{{.inode = 7}, CORE_FILE_PRIVATE, CORE_FILTER_DEFAULT, false},
		{{.inode = 7}, CORE_FILE_PRIVATE, 0x04, true},
		{{.inode = 7, .anonymous_kib = 4}, CORE_ANON_PRIVATE, CORE_FILTER_DEFAULT, true},
		{{.inode = 7, .anonymous_kib = 4}, CORE_ANON_PRIVATE, 0x04, true},
		{{.inode = 7, .flags = MAPPING_SHARED},
		 CORE_FILE_SHARED,
		 CORE_FILTER_DEFAULT,
		 false},
		{{.inode = 7, .flags = MAPPING_SHARED}, CORE_FILE_SHARED, 0x08, true},
		{{.inode = 7, .flags = MAPPING_SHARED | MAPPING_NO_LINK},
		 CORE_ANON_SHARED,
		 0x02,
		 true},
		{{.inode = 7, .flags = MAPPING_SHARED | MAPPING_NO_LINK},
		 CORE_ANON_SHARED,
		 0x01,
		 false},
		{{.inode = 7, .flags = MAPPING_HUGETLB}, CORE_HUGE_PRIVATE, 0x20, true},
		{{.inode = 7, .flags = MAPPING_HUGETLB}, CORE_HUGE_PRIVATE, 0x13, false},
		{{.inode = 7, .flags = MAPPING_HUGETLB | MAPPING_SHARED},
		 CORE_HUGE_SHARED,
		 0x40,
		 true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(mapping_core_place(&cases[i].mapping), cases[i].place);
		assert_int_equal(mapping_in_core(&cases[i].mapping, cases[i].filter), cases[i].in);
	}
}

static void limits_are_read(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t soft, hard;
	} cases[] = {
		{"Limit  Soft Limit\nMax core file size        0                    unlimited            "
		 "bytes     \n",
		 0, 0, LIMIT_INFINITY},
		{"Max core file size unlimited unlimited bytes\n", 0, LIMIT_INFINITY,
		 LIMIT_INFINITY},
		{"Max core file size 4096 8192 bytes", 0, 4096, 8192},
		{"Max core file size 4096", -ENODATA, 0, 0},
		{"Max core file size nonsense", -ENODATA, 0, 0},
		{"Max cpu time unlimited unlimited seconds\n", -ENODATA, 0, 0},
		{"", -ENODATA, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t soft = 0, hard = 0;

		assert_int_equal(limits_core(cases[i].text, &soft, &hard), cases[i].result);
		assert_int_equal(soft, cases[i].soft);
		assert_int_equal(hard, cases[i].hard);
	}
}

static void fields_of_status_are_found_whole(void **state)
{
	char out[32] = "";

	assert_int_equal(status_field("Name:\ta b\nUid:\t1\t2\t3\t4\n", "Uid", out, sizeof(out)),
			 0);
	assert_string_equal(out, "1 2 3 4");
	assert_int_equal(status_field("CoreDumping:\t0\n", "CoreDumping", out, sizeof(out)), 0);
	assert_string_equal(out, "0");
	assert_int_equal(status_field("VmLckX: 1\n", "VmLck", out, sizeof(out)), -ENODATA);
	assert_int_equal(status_field("X VmLck: 1\n", "VmLck", out, sizeof(out)), -ENODATA);
	assert_int_equal(status_field("VmLck:", "VmLck", out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static void a_name_does_not_mislead_stat(void **state)
{
	static const char text[] =
		"7 (a) R 1 (x) S 1 7 7 0 -1 2097152 0 0 0 0 0 0 0 0 20 0 1 0 4242 "
		"0 0";
	uint32_t flags;
	uint64_t start;

	assert_int_equal(stat_fields(text, &flags, &start), 0);
	assert_int_equal(flags, 0x200000);
	assert_int_equal(start, 4242);
	assert_int_equal(stat_fields("7 (a) S 1", &flags, &start), -ENODATA);
	assert_int_equal(stat_fields("", &flags, &start), -ENODATA);
}

static void who_owns_the_files_tells_whether_it_is_dumpable(void **state)
{
	assert_int_equal(dumpable_by_owner(1000, 1000), DUMPABLE_YES);
	assert_int_equal(dumpable_by_owner(1000, 0), DUMPABLE_NO);
	assert_int_equal(dumpable_by_owner(0, 0), DUMPABLE_UNKNOWN);
	assert_int_equal(dumpable_by_owner(UINT32_MAX, 0), DUMPABLE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_come_in_order_with_their_values),
		cmocka_unit_test(what_is_no_mapping_is_passed_over),
		cmocka_unit_test(a_core_has_what_the_filter_says),
		cmocka_unit_test(limits_are_read),
		cmocka_unit_test(fields_of_status_are_found_whole),
		cmocka_unit_test(a_name_does_not_mislead_stat),
		cmocka_unit_test(who_owns_the_files_tells_whether_it_is_dumpable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
