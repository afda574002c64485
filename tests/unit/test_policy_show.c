// SPDX-License-Identifier: GPL-2.0-or-later
/* A policy as lines with their origin, what differs between two, why an answer is what it is, and
 * cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/cases.h"
#include "policy/show.h"

static struct policy *parse(const char *name, const char *text)
{
	struct diag_list diags = {0};
	struct policy *policy = NULL;

	if (policy_parse(name, text, strlen(text), &diags, &policy) < 0)
		fail_msg("%s", diags.items[0].text);
	diag_list_fini(&diags);
	return policy;
}

static const char base[] = "version: 1\n"
			   "settings: {canary_s: 5, labels: [lab]}\n"
			   "watch:\n"
			   "- name: keys\n"
			   "  class: key\n"
			   "  paths: [~/.k/*, '/srv/**']\n"
			   "  exclude: ['*.pub']\n"
			   "  allow:\n"
			   "  - exe: /bin/a\n"
			   "  - {exe: /bin/b, unit: b.service, login: none}\n"
			   "  expect: [{user: 7, until: 2030-01-01, reason: trial}]\n"
			   "- {name: old, class: dump, paths: [/d]}\n"
			   "override: [{name: keys, severity: low, zone: z}]\n"
			   "zones: [{name: z, mounts: [/srv], units: ['b*'], hosts: [lab]}]\n";

/* --- show --------------------------------------------------------------------------------------
 */

static void print(void *ctx, const struct policy_line *line)
{
	if (!line->file && !strcmp(line->section, "settings"))
		return; /* a default: there are many */
	fprintf(ctx, "%s|%s|%s:%u\n", line->section, line->text, line->file ? line->file : "-",
		line->line);
}

static void each_line_has_its_origin(void **state)
{
	struct policy *policy = parse("p", base);
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	policy_lines(policy, print, f);
	fclose(f);
	assert_string_equal(text,
			    "settings|label: lab|p:2\n"
			    "settings|canary_s: 5|p:2\n"
			    "watch keys||p:4\n"
			    "watch keys|class: key|p:4\n"
			    "watch keys|severity: low|p:13\n"
			    "watch keys|on: [read, dump]|-:0\n"
			    "watch keys|mode: alert|-:0\n"
			    "watch keys|zone: z|p:13\n"
			    "watch keys|path: ~/.k/*|p:6\n"
			    "watch keys|path: /srv/**|p:6\n"
			    "watch keys|exclude: *.pub|p:7\n"
			    "watch keys|allow: {exe: /bin/a}|p:9\n"
			    "watch keys|allow: {exe: /bin/b, unit: b.service, login: none}|p:10\n"
			    "watch keys|expect: {user: 7, until: 2030-01-01}|p:11\n"
			    "watch old||p:12\n"
			    "watch old|class: dump|p:12\n"
			    "watch old|severity: high|-:0\n"
			    "watch old|on: [read, dump]|-:0\n"
			    "watch old|mode: alert|-:0\n"
			    "watch old|path: /d|p:12\n"
			    "zone z||p:14\n"
			    "zone z|mount: /srv/**|p:14\n"
			    "zone z|unit: b*|p:14\n"
			    "zone z|host: lab|p:14\n");
	policy_free(policy);
}

static void every_setting_is_shown(void **state)
{
	struct policy *policy = parse("p", "version: 1\nsettings: {cmdline: full, memory: on}\n");
	struct policy_texts texts;
	bool cmdline = false, memory = false, socket = false;

	assert_int_equal(policy_texts_make(policy, &texts), 0);
	for (size_t i = 0; i < texts.nr; i++) {
		cmdline |= !strcmp(texts.items[i].text, "settings: cmdline: full");
		memory |= !strcmp(texts.items[i].text, "settings: memory: on");
		socket |= !strcmp(texts.items[i].text, "settings: syslog_fallback: /dev/log") &&
			  !strcmp(texts.items[i].origin, "default");
	}
	assert_true(cmdline && memory && socket);
	policy_texts_fini(&texts);
	policy_free(policy);
}

/* --- diff --------------------------------------------------------------------------------------
 */

static void only_meaning_differs(void **state)
{
	struct policy *a =
		parse("a", "version: 1\n"
			   "watch:\n"
			   "- {name: x, class: key, paths: [/1, /2], allow: [{exe: /a}]}\n"
			   "- {name: y, class: key, paths: [/y]}\n");
	struct policy *b = parse("b", "version: 1\n"
				      "watch:\n"
				      "- name: x\n"
				      "  class: key\n"
				      "  allow: [{exe: /a}, {exe: /b}]\n"
				      "  paths: [/2, /1]\n");
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_int_equal(policy_diff(a, a, f), 0);
	assert_int_equal(policy_diff(a, b, f), 7);
	fclose(f);
	assert_string_equal(text, "+ watch x: allow: {exe: /b}  # b:5\n"
				  "- watch y  # a:4\n"
				  "- watch y: class: key  # a:4\n"
				  "- watch y: mode: alert  # default\n"
				  "- watch y: on: [read, dump]  # default\n"
				  "- watch y: path: /y  # a:4\n"
				  "- watch y: severity: high  # default\n");
	policy_free(a);
	policy_free(b);
}

/* --- explain -----------------------------------------------------------------------------------
 */

static void the_pattern_is_found(void **state)
{
	static const char *const homes[] = {"/root", "/home/ada"};
	static const struct {
		const char *path, *pattern;
	} cases[] = {
		{"/root/.k/x", "~/.k/*"},     {"/home/ada/.k/x", "~/.k/*"},
		{"/home/new/.k/x", "~/.k/*"}, /* beside a home */
		{"/srv/a/b", "/srv/**"},      {"/srv", NULL},
		{"/var/.k/x", NULL},	      {"/home/ada/.k/x/y", NULL},
	};
	struct policy *policy = parse("p", base);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_line line = {.text = NULL};
		bool found = policy_path_line(policy, 1, cases[i].path, homes, 2, &line);

		if (found != !!cases[i].pattern)
			fail_msg("%s: %d", cases[i].path, found);
		if (found)
			assert_string_equal(line.text, cases[i].pattern);
	}
	policy_free(policy);
}

static void near_rules_and_changes_are_named(void **state)
{
#define T(s)                     \
	{                        \
		s, sizeof(s) - 1 \
	}
	static const struct {
		struct policy_subject subject;
		const char *path, *holds[3];
	} cases[] = {
		{{.exe = T("/bin/b"), .unit = T("bx.service"), .loginuid = 5},
		 "/srv/k",
		 {"Verdict: alert, the policy allows no such program",
		  "it asks for unit b.service, it asks for nobody to have logged in",
		  "          - {exe: /bin/b, unit: bx.service}\n"}},
		{{.exe = T("/bin/a"), .unit = T("b.service")},
		 "/srv/k",
		 {"Verdict: allow", "(p:9)", "replace: [allow]"}},
		{{.exe = T("/bin/a"), .unit = T("c.service")},
		 "/srv/k",
		 {"Verdict: alert, the policy allows this program, but only in the zone",
		  "to run it in the zone 'z'"}},
		{{.exe = T("/bin/a"), .unit = T("b.service")},
		 "/tmp/k",
		 {"outside of its zone", "to keep the file in the zone 'z'"}},
	};
	struct policy *policy = parse("p", base);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = cases[i].subject,
			.path = span_of(cases[i].path),
		};
		_cleanup_free_ char *text = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		query.subject.exe_trust = EXE_VERIFIED;
		policy_explain(policy, &query, f);
		fclose(f);
		for (size_t h = 0; h < 3 && cases[i].holds[h]; h++)
			if (!strstr(text, cases[i].holds[h]))
				fail_msg("case %zu has no '%s':\n%s", i, cases[i].holds[h], text);
	}
	policy_free(policy);
}

/* --- cases -------------------------------------------------------------------------------------
 */

static int run_cases(const char *text, struct cases_result *result, char **out_told)
{
	struct policy *policy = parse("p", base);
	struct diag_list diags = {0};
	size_t size;
	FILE *f = open_memstream(out_told, &size);
	int err = cases_run(policy, "c", text, strlen(text), &diags, f, result);

	diag_print(&diags, f);
	fclose(f);
	diag_list_fini(&diags);
	policy_free(policy);
	return err;
}

static void cases_are_asked(void **state)
{
	struct cases_result result;
	_cleanup_free_ char *told = NULL;
	int err = run_cases(
		"version: 1\n"
		"homes: [/home/ada]\n"
		"cases:\n"
		"- {subject: {exe: /bin/a, unit: b.service}, object: /srv/k, expect: allow}\n"
		"- {subject: {exe: /bin/a}, object: /srv/k, expect: alert, watch: keys}\n"
		"- {subject: {exe: /x, uid: 7, unit: b.service}, object: /srv/k, expect: record}\n"
		"- {subject: {exe: /x, uid: 7, unit: b.service}, object: /srv/k, expect: alert,\n"
		"   date: 2030-01-02}\n"
		"- {subject: {exe: /bin/a, trust: other, unit: b.service}, object: /srv/k,\n"
		"   expect: alert}\n"
		"- {subject: {}, object: /srv/k.pub, expect: unwatched}\n"
		"- {subject: {exe: /x}, object: /d, expect: record, action: write}\n"
		"- {name: wrong, subject: {exe: /x}, object: /d, expect: allow}\n"
		"- {subject: {exe: /x}, object: /d, expect: alert, watch: keys}\n"
		"- {subject: {exe: /x}, object: /e, expect: alert}\n",
		&result, &told);

	assert_int_equal(err, 0);
	assert_int_equal(result.passed, 7);
	assert_int_equal(result.failed, 3);
	assert_non_null(strstr(told,
			       "c:13:3: FAILED: wrong: expected allow, is alert by 'old'\n"
			       "Verdict: alert, the policy allows no such program to read crash "
			       "dumps (p:12)\n"));
	assert_non_null(
		strstr(told, "c:14:3: FAILED: expected alert by 'keys', is alert by 'old'\n"));
	assert_non_null(strstr(told, "c:15:3: FAILED: expected alert, is unwatched\n"
				     "No watch entry is about /e\n"));
}

static void cases_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"version: 1\n", "c:1:1: error: a file of cases needs the key 'cases'\n"},
		{"version: 1\ncases: []\n", "c:2:8: error: there are no cases\n"},
		{"version: 1\ncases: [{subject: {}, object: a, expect: allow}]\n",
		 "c:2:31: error: object 'a' is not an absolute path\n"},
		{"version: 1\ncases: [{subject: {exe: a}, object: /a, expect: allow}]\n",
		 "c:2:25: error: exe 'a' is not an absolute path\n"},
		{"version: 1\ncases: [{subject: {}, object: /a, expect: alow}]\n",
		 "c:2:43: error: expect 'alow' is not known: did you mean 'allow'? (allow, record, "
		 "alert, unwatched)\n"},
		{"version: 1\ncases: [{subject: {}, object: /a, expect: allow, date: now}]\n",
		 "c:2:56: error: date 'now' is not a day like 2030-01-31\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *told = NULL;
		struct cases_result result;

		assert_int_equal(run_cases(cases[i].text, &result, &told), -EINVAL);
		assert_string_equal(told, cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_has_its_origin),
		cmocka_unit_test(every_setting_is_shown),
		cmocka_unit_test(only_meaning_differs),
		cmocka_unit_test(the_pattern_is_found),
		cmocka_unit_test(near_rules_and_changes_are_named),
		cmocka_unit_test(cases_are_asked),
		cmocka_unit_test(cases_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
