// SPDX-License-Identifier: GPL-2.0-or-later
/* Which script an interpreter's arguments name, and when they name none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/interpreter.h"
#include "policy/policy.h"
#include "proc/claim.h"

#define ARGS(...) __VA_ARGS__, sizeof(__VA_ARGS__) - 1

struct row {
	const char *exe, *args;
	size_t len;
	const char *script; /* "": nobody */
};

static void check(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct span got = script_claimed(span_of(rows[i].exe),
						 (struct span){rows[i].args, rows[i].len}, false);

		if (got.len != strlen(rows[i].script) ||
		    (got.len && memcmp(got.p, rows[i].script, got.len)))
			fail_msg("row %zu: '%.*s', not '%s'", i, (int)got.len, got.p,
				 rows[i].script);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows[0]))

static void the_first_operand_is_the_script(void **state)
{
	static const struct row rows[] = {
		{"/usr/bin/python3.11", ARGS("python3\0steal.py\0--all\0"), "steal.py"},
		{"/usr/bin/python3.11", ARGS("python3\0-uB\0-W\0ignore\0-Xdev\0/a b.py\0"),
		 "/a b.py"},
		{"/usr/bin/python3", ARGS("x\0-I\0s\0"), "s"},
		{"/usr/bin/perl", ARGS("/usr/bin/perl\0-w\0/usr/sbin/x\0-e\0"), "/usr/sbin/x"},
		{"/usr/bin/perl5.36.0", ARGS("perl\0-l012\0-i.bak\0s.pl"), "s.pl"},
		{"/usr/bin/bash", ARGS("bash\0-eu\0-o\0pipefail\0--norc\0run.sh\0-c\0"), "run.sh"},
		{"/usr/bin/dash", ARGS("sh\0-e\0run.sh\0"), "run.sh"},
		{"/usr/bin/ruby3.1", ARGS("ruby\0-w\0-E\0UTF-8\0x.rb\0"), "x.rb"},
		{"/usr/bin/node", ARGS("node\0x.js\0-e\0"), "x.js"},
		{"/usr/bin/bash", ARGS("bash\0--\0-odd-name\0"), "-odd-name"},
	};

	CHECK(rows);
}

static void code_that_is_in_no_file_is_nobody(void **state)
{
	static const struct row rows[] = {
		{"/usr/bin/python3", ARGS("python3\0-c\0import os\0x.py\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0-uc\0import os\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0-m\0http.server\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0-i\0x.py\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0-\0x.py\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0/dev/fd/3\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0/dev/stdin\0"), ""},
		{"/usr/bin/bash", ARGS("bash\0/proc/self/fd/0\0"), ""},
		{"/usr/bin/bash", ARGS("bash\0-s\0x.sh\0"), ""},
		{"/usr/bin/bash", ARGS("bash\0-lc\0x\0"), ""},
		{"/usr/bin/bash", ARGS("bash\0--rcfile\0x\0y.sh\0"), ""},
		{"/usr/bin/perl", ARGS("perl\0-wne\0print\0/etc/shadow\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0-W\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0--\0"), ""},
		{"/usr/bin/python3", ARGS("python3\0\0x\0"), ""},
	};

	CHECK(rows);
}

static void an_option_that_loads_other_code_makes_it_nobody(void **state)
{
	static const struct row rows[] = {
		{"/usr/bin/perl", ARGS("perl\0-Mevil\0x.pl\0"), ""},
		{"/usr/bin/perl", ARGS("perl\0-I\0/tmp\0x.pl\0"), ""},
		{"/usr/bin/perl", ARGS("perl\0-d\0x.pl\0"), ""},
		{"/usr/bin/ruby", ARGS("ruby\0-revil\0x.rb\0"), ""},
		{"/usr/bin/node", ARGS("node\0--require\0evil\0x.js\0"), ""},
	};

	CHECK(rows);
}

/* One list: what arguments are read of is what a rule is warned about. */
static void interpreters_are_known_by_one_list(void **state)
{
	static const struct {
		const char *exe, *name;
	} rows[] = {
		{"/usr/bin/python3.11", "python"},
		{"/usr/bin/perl5.36.0", "perl"},
		{"/usr/bin/ruby-3.1", "ruby"},
		{"node", "node"},
		{"/usr/bin/nodejs", "nodejs"},
		{"/bin/bash", "bash"},
		{"/bin/sh", "sh"},
		{"/bin/dash", "dash"},
		{"/usr/bin/pythonx", NULL},
		{"/usr/bin/3.11", NULL},
		{"", NULL},
		{"/usr/bin/ssh", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = interpreter_name(span_of(rows[i].exe));

		if (rows[i].name)
			assert_string_equal(name, rows[i].name);
		else
			assert_null(name);
		assert_int_equal(policy_is_interpreter(rows[i].exe), rows[i].name != NULL);
	}
}

static void what_is_no_interpreter_runs_no_script(void **state)
{
	static const struct row rows[] = {
		{"/usr/bin/cat", ARGS("python3\0x.py\0"), ""},
		{"/usr/bin/python3-config", ARGS("python3\0x.py\0"), ""},
		{"/usr/bin/python3", "", 0, ""},
		{"", ARGS("python3\0x.py\0"), ""},
		{"3", ARGS("python3\0x.py\0"), ""},
	};

	CHECK(rows);
}

static void a_name_that_may_be_cut_is_not_told(void **state)
{
	const struct span args = {ARGS("python3\0/home/alice/st")};

	assert_int_equal(script_claimed(span_of("/usr/bin/python3"), args, false).len, 14);
	assert_int_equal(script_claimed(span_of("/usr/bin/python3"), args, true).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_operand_is_the_script),
		cmocka_unit_test(code_that_is_in_no_file_is_nobody),
		cmocka_unit_test(an_option_that_loads_other_code_makes_it_nobody),
		cmocka_unit_test(interpreters_are_known_by_one_list),
		cmocka_unit_test(what_is_no_interpreter_runs_no_script),
		cmocka_unit_test(a_name_that_may_be_cut_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
