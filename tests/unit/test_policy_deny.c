// SPDX-License-Identifier: GPL-2.0-or-later
/* `mode: deny` in a policy: what the kernel side can keep, and what is refused, with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/policy.h"

#define HEAD  "version: 1\nwatch:\n- name: w\n  class: key\n  paths: [/k/**]\n  mode: deny\n"
#define ALONE ": the kernel decides at the open, by the executable alone\n"

static char *told(const char *text, int expected, struct policy **out_policy)
{
	struct diag_list diags = {0};
	char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);

	assert_int_equal(policy_parse("p.yaml", text, strlen(text), &diags, out_policy), expected);
	diag_print(&diags, f);
	fclose(f);
	diag_list_fini(&diags);
	return printed;
}

static void off_by_default(void **state)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *printed =
		told("version: 1\nwatch:\n- {name: w, class: key, paths: [/k]}\n", 0, &policy);

	assert_string_equal(printed, "");
	assert_int_equal(policy_watch(policy, 1)->mode, MODE_ALERT);
}

/* What is about the executable can be kept, and who is not named is judged as with `alert`. */
static void executables_can_be_kept(void **state)
{
	static const char text[] =
		HEAD "  allow:\n  - exe: /bin/a\n  - {exe: /bin/b, package: bee}\n"
		     "  expect:\n  - {exe: /bin/c, digest: 'sha256:"
		     "00000000000000000000000000000000000000000000000000000000000000"
		     "00', on: [read]}\n";
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *printed = told(text, 0, &policy);
	struct policy_query query = {
		.watch = 1,
		.action = ACTION_READ,
		.subject = {.exe = span_of("/bin/a"), .exe_trust = EXE_VERIFIED},
	};
	struct policy_answer answer;

	assert_string_equal(printed, "");
	assert_int_equal(policy_watch(policy, 1)->mode, MODE_DENY);
	assert_string_equal(policy_mode_str(MODE_DENY), "deny");
	policy_judge(policy, &query, &answer);
	assert_int_equal(answer.verdict, VERDICT_ALLOW);
	query.subject.exe = span_of("/bin/z");
	policy_judge(policy, &query, &answer);
	assert_int_equal(answer.verdict, VERDICT_ALERT);
}

/* Each spelling of the architectures and distributions that are known, by a pattern of its own. */
static void what_is_needed_is_not_refused(void **state)
{
	static const struct {
		const char *pattern, *path;
	} cases[] = {
		{"/bin/*", "/bin/sh"},
		{"/usr/bin/d*", "/usr/bin/dash"},
		{"/sbin/*", "/sbin/init"},
		{"/lib64/*", "/lib64/ld-linux-x86-64.so.2"},
		{"/usr/lib64/*.so.6", "/usr/lib64/libc.so.6"},
		{"/lib/ld-*", "/lib/ld-linux-x86-64.so.2"},
		{"/lib/ld-linux-aarch64*", "/lib/ld-linux-aarch64.so.1"},
		{"/lib/ld-linux-riscv64*", "/lib/ld-linux-riscv64-lp64d.so.1"},
		{"/usr/lib/aarch64-linux-gnu/ld*",
		 "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"},
		{"/usr/lib/aarch64-linux-gnu/libc*", "/usr/lib/aarch64-linux-gnu/libc.so.6"},
		{"/lib/riscv64-linux-gnu/libc*", "/lib/riscv64-linux-gnu/libc.so.6"},
		{"/lib/systemd/systemd", "/lib/systemd/systemd"},
		{"/usr/lib/systemd/*.so", "/usr/lib/systemd/libsystemd-shared-257.so"},
		{"/usr/lib64/systemd/*.so", "/usr/lib64/systemd/libsystemd-shared-257.so"},
		{"/usr/lib/*/systemd/*",
		 "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-257.so"},
		{"/srv/bin/sh", NULL},
		{"/usr/lib/signd/**", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = NULL;
		_cleanup_free_ char *printed = NULL;
		char text[256];

		snprintf(text, sizeof(text),
			 "version: 1\nwatch:\n- {name: w, class: key, paths: ['%s'], mode: deny}\n",
			 cases[i].pattern);
		printed = told(text, cases[i].path ? -EINVAL : 0, &policy);
		snprintf(text, sizeof(text), "would refuse '%s',",
			 cases[i].path ? cases[i].path : "");
		if ((strstr(printed, text) != NULL) != (cases[i].path != NULL))
			fail_msg("case %zu:\n%s", i, printed);
		policy_free(policy);
	}
}

static void what_is_left_out_is_not_refused(void **state)
{
	static const char text[] =
		"version: 1\nwatch:\n- {name: w, class: key, paths: ['/etc/**'], mode: deny,\n"
		"   exclude: [passwd, /etc/ld.so.cache, '*.yaml']}\n";
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *printed = told(text, 0, &policy);

	assert_null(strstr(printed, "error"));
}

/* A condition decides nothing where the same program may do as much without it, so it may stay: the
 * rules of keytrail's own programs, which an override of all entries brings, are of that kind. */
static void a_condition_that_decides_nothing_is_kept(void **state)
{
	static const char text[] =
		HEAD "override:\n- name: '*'\n  expect:\n  - exe: /bin/a\n"
		     "  - {exe: /bin/a, user: 0, outside: true}\n  - {exe: /bin/a, login: none}\n";
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *printed = told(text, 0, &policy);

	assert_null(strstr(printed, "error"));
}

static void what_cannot_be_kept_is_an_error(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{HEAD "  allow: [{exe: /x, user: bob}]\n",
		 "7:17: error: the rule asks for `user`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, user: 7}]\n",
		 "7:17: error: the rule asks for `user`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, unit: x.service}]\n",
		 "7:17: error: the rule asks for `unit`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, container: web}]\n",
		 "7:17: error: the rule asks for `container`, which cannot be kept with mode 'deny' "
		 "of watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, image: web}]\n",
		 "7:17: error: the rule asks for `image`, which cannot be kept with mode 'deny' "
		 "of watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, login: none}]\n",
		 "7:17: error: the rule asks for `login`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, session: ssh}]\n",
		 "7:17: error: the rule asks for `session`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, script: /y}]\n",
		 "7:17: error: the rule asks for `script`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  expect: [{exe: /x, zone: z}]\nzones: [{name: z, units: [z.service]}]\n",
		 "7:18: error: the rule asks for `zone`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{package: xyz}]\n",
		 "7:11: error: the rule names no `exe`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  allow: [{exe: /x, until: 2030-01-31, reason: r}]\n",
		 "7:17: error: the rule has an end (`until`), which cannot be kept with mode 'deny' "
		 "of watch entry 'w'" ALONE},
		{HEAD
		 "exceptions: [{name: e, watch: [w], exe: /x, until: 2030-01-31, reason: r}]\n",
		 "7:41: error: the rule has an end (`until`), which cannot be kept with mode 'deny' "
		 "of watch entry 'w'" ALONE},
		/* The program may read, and the condition is about writing. */
		{HEAD "  on: [read, write]\n  allow: [{exe: /x, on: [read]}, {exe: /x, user: 0}]\n",
		 "8:40: error: the rule asks for `user`, which cannot be kept with mode 'deny' of "
		 "watch entry 'w'" ALONE},
		{HEAD "  zone: z\nzones: [{name: z, paths: [/k/**]}]\n",
		 "7:9: error: watch entry 'w': `zone` cannot be kept with mode 'deny'" ALONE},
		{HEAD "  on: [dump]\n",
		 "6:9: error: watch entry 'w': mode 'deny' cannot be kept: `on` has neither 'read' "
		 "nor 'write', and nothing else can be refused\n"},
		{"version: 1\nwatch:\n- {name: w, class: dump, paths: [/k], mode: deny}\n",
		 "3:45: error: watch entry 'w': mode 'deny' cannot be kept for class 'dump': what is "
		 "refused is the open of files that have a watched name, and dumps are left to be "
		 "written\n"},
		{"version: 1\nwatch:\n- {name: w, class: key, paths: [/srv/*, /**], mode: deny}\n",
		 "3:53: error: watch entry 'w': mode 'deny' would refuse '/bin/sh', without which it "
		 "could not be undone\n"},
		{"version: 1\nwatch:\n- {name: w, class: credential, paths: [/etc/*], mode: deny}\n",
		 "3:55: error: watch entry 'w': mode 'deny' would refuse '/etc/passwd', without "
		 "which it could not be undone\n"},
		{"version: 1\nwatch:\n- {name: w, class: found-key, mode: deny}\n",
		 "3:37: error: watch entry 'w': mode 'deny' cannot be kept for class 'found-key': "
		 "what is refused is the open of files that have a watched name, and dumps are left "
		 "to be written\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = NULL;
		_cleanup_free_ char *printed = told(cases[i].text, -EINVAL, &policy);
		char expected[512];

		snprintf(expected, sizeof(expected), "p.yaml:%s", cases[i].error);
		if (strcmp(printed, expected))
			fail_msg("case %zu:\n%s  expected\n%s", i, printed, expected);
	}
}

static void so_many_entries_and_no_more(void **state)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *printed = NULL;
	struct policy *policy = NULL;
	size_t size;

	for (int extra = 0; extra <= 1; extra++) {
		FILE *f = open_memstream(&text, &size);

		fputs("version: 1\nwatch:\n", f);
		for (int i = 0; i < DENY_ENTRIES_MAX + extra; i++)
			fprintf(f, "- {name: w%d, class: key, paths: [/k/%d], mode: deny}\n", i, i);
		fclose(f);
		printed = told(text, extra ? -EINVAL : 0, &policy);
		assert_int_equal(strstr(printed, "more than 255 watch entries") != NULL, extra);
		free(text);
		free(printed);
		text = printed = NULL;
		policy_free(policy);
		policy = NULL;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_by_default),
		cmocka_unit_test(executables_can_be_kept),
		cmocka_unit_test(what_is_needed_is_not_refused),
		cmocka_unit_test(what_is_left_out_is_not_refused),
		cmocka_unit_test(a_condition_that_decides_nothing_is_kept),
		cmocka_unit_test(what_cannot_be_kept_is_an_error),
		cmocka_unit_test(so_many_entries_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
