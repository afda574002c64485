// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules: who matches which, what has an end, zones, overrides, includes; that judging allocates
 * nothing; and what is refused, with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "policy/check.h"
#include "policy/policy.h"
#include "tmpdir.h"

/* --- counting allocations ----------------------------------------------------------------------
 */

static long allocations;

#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	allocations++;
	return __libc_calloc(nr, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}
#endif

/* --- helpers -----------------------------------------------------------------------------------
 */

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

static struct policy *parse(const char *text)
{
	struct policy *policy = NULL;
	_cleanup_free_ char *printed = told(text, 0, &policy);

	assert_string_equal(printed, "");
	return policy;
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEAD   "version: 1\nwatch:\n- name: w\n  class: key\n  paths: [/k/**]\n"

/* --- who ---------------------------------------------------------------------------------------
 */

static const char everybody[] = HEAD "  allow:\n"
				     "  - exe: /bin/a\n"
				     "  - {exe: /bin/b, unit: b.service}\n"
				     "  - unit: c.service\n"
				     "  - {exe: /bin/d, user: dora}\n"
				     "  - {exe: /bin/e, user: 5}\n"
				     "  - {exe: /bin/f, login: none}\n"
				     "  - {exe: /bin/g, unit: 'g@*.service'}\n"
				     "  - container: web\n"
				     "  - {container: 'db-*', exe: /bin/h}\n"
				     "  expect:\n"
				     "  - exe: /bin/i\n"
				     "  - {exe: /bin/a, unit: b.service}\n"
				     "  - {exe: /bin/j, login: some, user: dora}\n";

static void subjects_are_told_apart(void **state)
{
	static const struct {
		struct policy_subject subject;
		enum exe_trust trust;
		enum verdict verdict;
		enum policy_reason reason;
		unsigned line;
	} cases[] = {
#define S(...) {__VA_ARGS__}
#define T(s)                     \
	{                        \
		s, sizeof(s) - 1 \
	}
		{S(.exe = T("/bin/a")), EXE_VERIFIED, VERDICT_ALLOW, REASON_ALLOWED, 7},
		{S(.exe = T("/bin/a")), EXE_OTHER, VERDICT_ALERT, REASON_DISTRUST, 7},
		{S(.exe = T("/bin/b")), EXE_VERIFIED, VERDICT_ALERT, REASON_NO_RULE, 3},
		{S(.exe = T("/bin/b"), .unit = T("b.service")), EXE_VERIFIED, VERDICT_ALLOW,
		 REASON_ALLOWED, 8},
		{S(.exe = T("/bin/b"), .unit = T("b.servicex")), EXE_VERIFIED, VERDICT_ALERT,
		 REASON_NO_RULE, 3},
		{S(.exe = T("/x"), .unit = T("c.service")), EXE_UNKNOWN, VERDICT_ALLOW,
		 REASON_ALLOWED, 9},
		{S(.exe = T("/x"), .unit = T("c.service")), EXE_MEMORY, VERDICT_ALERT,
		 REASON_DISTRUST, 9},
		{S(.exe = T("/bin/d"), .user = T("dora")), EXE_VERIFIED, VERDICT_ALLOW,
		 REASON_ALLOWED, 10},
		{S(.exe = T("/bin/d")), EXE_VERIFIED, VERDICT_ALERT, REASON_NO_RULE, 3},
		{S(.exe = T("/bin/e"), .uid = 5), EXE_VERIFIED, VERDICT_ALLOW, REASON_ALLOWED, 11},
		{S(.exe = T("/bin/e"), .uid = 6), EXE_VERIFIED, VERDICT_ALERT, REASON_NO_RULE, 3},
		{S(.exe = T("/bin/f"), .loginuid = UID_UNSET), EXE_VERIFIED, VERDICT_ALLOW,
		 REASON_ALLOWED, 12},
		{S(.exe = T("/bin/f"), .loginuid = 1000), EXE_VERIFIED, VERDICT_ALERT,
		 REASON_NO_RULE, 3},
		{S(.exe = T("/bin/g"), .unit = T("g@1.service")), EXE_VERIFIED, VERDICT_ALLOW,
		 REASON_ALLOWED, 13},
		{S(.exe = T("/bin/g"), .unit = T("h@1.service")), EXE_VERIFIED, VERDICT_ALERT,
		 REASON_NO_RULE, 3},
		{S(.exe = T("/x"), .container = T("web")), EXE_OTHER, VERDICT_ALLOW, REASON_ALLOWED,
		 14},
		{S(.exe = T("/bin/h"), .container = T("db-1")), EXE_OTHER, VERDICT_ALLOW,
		 REASON_ALLOWED, 15},
		{S(.exe = T("/bin/h"), .container = T("db-1")), EXE_WRITABLE, VERDICT_ALERT,
		 REASON_DISTRUST, 15},
		{S(.exe = T("/bin/h")), EXE_VERIFIED, VERDICT_ALERT, REASON_NO_RULE, 3},
		{S(.exe = T("/bin/i")), EXE_VERIFIED, VERDICT_RECORD, REASON_EXPECTED, 17},
		/* What is allowed is silent, though it is expected as well. */
		{S(.exe = T("/bin/a"), .unit = T("b.service")), EXE_VERIFIED, VERDICT_ALLOW,
		 REASON_ALLOWED, 7},
		{S(.exe = T("/bin/j"), .user = T("dora"), .loginuid = 0), EXE_VERIFIED,
		 VERDICT_RECORD, REASON_EXPECTED, 19},
		{S(.exe = T("/bin/j"), .user = T("dora"), .loginuid = UID_UNSET), EXE_VERIFIED,
		 VERDICT_ALERT, REASON_NO_RULE, 3},
		{S(.uid = 5), EXE_UNKNOWN, VERDICT_ALERT, REASON_NO_RULE, 3},
	};
	struct policy *policy = NULL;
	_cleanup_free_ char *printed = told(everybody, 0, &policy);
	long before = allocations;

	assert_string_equal(printed, "p.yaml:18:11: warning: /bin/a is allowed already, at line "
				     "7\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = cases[i].subject,
		};
		struct policy_answer answer;

		query.subject.exe_trust = cases[i].trust;
		policy_judge(policy, &query, &answer);
		if (answer.verdict != cases[i].verdict || answer.reason != cases[i].reason ||
		    answer.line != cases[i].line)
			fail_msg("case %zu: %s, line %u: %s", i, verdict_str(answer.verdict),
				 answer.line, answer.why);
	}
	assert_int_equal(allocations, before);
	policy_free(policy);
}

/* Rules that differ in nothing that can be looked up are compared, and so there is an end to them.
 */
static void a_script_is_asked_for_beside_its_interpreter(void **state)
{
	static const char text[] = HEAD "  allow:\n"
					"  - {exe: /bin/p, script: /bin/a}\n"
					"  - {exe: /bin/p, script: /bin/b}\n";
	static const struct {
		const char *script;
		enum exe_trust exe_trust, trust;
		uint32_t uid, untrusted;
		enum verdict verdict;
		enum policy_reason reason;
		unsigned line;
	} cases[] = {
		{"/bin/a", EXE_VERIFIED, EXE_VERIFIED, 0, 0, VERDICT_ALLOW, REASON_ALLOWED, 7},
		{"/bin/b", EXE_VERIFIED, EXE_VERIFIED, 0, 0, VERDICT_ALLOW, REASON_ALLOWED, 8},
		{"", EXE_VERIFIED, EXE_VERIFIED, 0, 0, VERDICT_ALERT, REASON_NO_RULE, 3},
		{"/bin/aa", EXE_VERIFIED, EXE_VERIFIED, 0, 0, VERDICT_ALERT, REASON_NO_RULE, 3},
		{"/bin/a", EXE_VERIFIED, EXE_UNKNOWN, 0, 0, VERDICT_ALERT, REASON_DISTRUST, 7},
		{"/bin/a", EXE_VERIFIED, EXE_OTHER, 0, 0, VERDICT_ALERT, REASON_DISTRUST, 7},
		{"/bin/a", EXE_VERIFIED, EXE_WRITABLE, 0, 0, VERDICT_ALERT, REASON_DISTRUST, 7},
		{"/bin/a", EXE_VERIFIED, EXE_VERIFIED, 1000, 0, VERDICT_ALERT, REASON_DISTRUST, 7},
		{"/bin/a", EXE_OTHER, EXE_VERIFIED, 0, 0, VERDICT_ALERT, REASON_DISTRUST, 7},
		{"/bin/a", EXE_VERIFIED, EXE_VERIFIED, 0, UNTRUSTED_MAPPED, VERDICT_ALERT,
		 REASON_DISTRUST, 7},
	};
	_cleanup_(policy_freep) struct policy *policy = parse(text);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of("/bin/p"),
				    .exe_trust = cases[i].exe_trust,
				    .script = span_of(cases[i].script),
				    .script_trust = cases[i].trust,
				    .untrusted = cases[i].untrusted,
				    .uid = cases[i].uid},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.verdict != cases[i].verdict || answer.reason != cases[i].reason ||
		    answer.line != cases[i].line)
			fail_msg("case %zu: %d %d %u: %s", i, (int)answer.verdict,
				 (int)answer.reason, answer.line, answer.why);
	}
	assert_true(policy_names_script(policy, span_of("/bin/b")));
	assert_false(policy_names_script(policy, span_of("/bin/p")));
}

static void scripts_that_can_never_count_are_errors(void **state)
{
	static const struct {
		const char *rule, *error;
	} cases[] = {
		{"{script: /bin/a}", "p.yaml:7:5: error: the rule names a script and needs `exe`"},
		{"{exe: /bin/p, script: a}", "p.yaml:7:27: error: script 'a'"},
		{"{exe: /bin/p, script: '/a*'}", "p.yaml:7:27: error: script '/a*' has a wildcard"},
		{"{exe: /bin/p, script: /a, user: 5}",
		 "p.yaml:7:5: error: the rule names a script of a user"},
		{"{exe: /bin/p, script: /a, container: c}",
		 "p.yaml:7:5: error: the rule names a script in a container"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL, *printed = NULL;
		struct policy *policy = NULL;

		assert_true(asprintf(&text, HEAD "  allow:\n  - %s\n", cases[i].rule) > 0);
		printed = told(text, -EINVAL, &policy);
		if (!strstr(printed, cases[i].error))
			fail_msg("case %zu: %s", i, printed);
	}
}

/* As docker's may be: 255 bytes of name, 128 of tag, 71 of digest, and some. */
static void an_image_may_be_longer_than_a_file_name(void **state)
{
	static const struct {
		int len;
		const char *tail, *error;
	} cases[] = {
		{511, "", NULL},
		{510, "*", NULL},
		{512, "", "' is longer than 511 bytes, which no name of an image is\n"},
		{511, "*", "' is longer than 511 bytes, which no name of an image is\n"},
	};
	char name[513];

	memset(name, 'x', sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = NULL, *printed = NULL;
		struct policy *policy = NULL;

		assert_true(asprintf(&text, HEAD "  allow: [{image: '%.*s%s'}]\n", cases[i].len,
				     name, cases[i].tail) > 0);
		printed = told(text, cases[i].error ? -EINVAL : 0, &policy);
		if (cases[i].error ? !strstr(printed, cases[i].error) : *printed)
			fail_msg("case %zu: %s", i, printed);
		if (policy) {
			struct policy_query query = {
				.watch = 1,
				.action = ACTION_READ,
				.subject = {.container = T("x"), .image = {name, 511}},
			};
			struct policy_answer answer;

			policy_judge(policy, &query, &answer);
			assert_int_equal(answer.verdict, VERDICT_ALLOW);
			query.subject.image.len = 300;
			policy_judge(policy, &query, &answer);
			assert_int_equal(answer.verdict, VERDICT_ALERT);
			policy_free(policy);
		}
	}
}

static void rules_alike_are_bounded(void **state)
{
	for (int nr = 32; nr <= 33; nr++) {
		_cleanup_free_ char *text = NULL, *printed = NULL;
		struct policy *policy = NULL;
		size_t size;
		FILE *f = open_memstream(&text, &size);

		fputs(HEAD "  allow:\n", f);
		for (int i = 0; i < nr; i++)
			fprintf(f, "  - {exe: /bin/a, unit: '%d-*.service'}\n", i);
		fclose(f);
		printed = told(text, nr == 32 ? 0 : -EINVAL, &policy);
		assert_string_equal(
			printed, nr == 32 ? ""
					  : "p.yaml:39:11: error: more than 32 rules of one entry "
					    "have the same `exe`, `unit`, `container` and `user`: "
					    "patterns, `image` and other keys do not count as "
					    "different. Name programs, units or users exactly, or "
					    "several images by one pattern\n");
		if (policy) {
			struct policy_query query = {
				.watch = 1,
				.action = ACTION_READ,
				.subject = {.exe = T("/bin/a"),
					    .exe_trust = EXE_VERIFIED,
					    .unit = T("31-x.service")},
			};
			struct policy_answer answer;

			policy_judge(policy, &query, &answer);
			assert_int_equal(answer.verdict, VERDICT_ALLOW);
		}
		policy_free(policy);
	}
}

/* --- actions and modes -------------------------------------------------------------------------
 */

static enum verdict judge(const struct policy *policy, const char *watch, enum policy_action action,
			  const char *exe)
{
	struct policy_query query = {
		.watch = policy_find_watch(policy, span_of(watch)),
		.action = action,
		.subject = {.exe = span_of(exe), .exe_trust = EXE_VERIFIED},
	};
	struct policy_answer answer;

	assert_int_not_equal(query.watch, 0);
	policy_judge(policy, &query, &answer);
	return answer.verdict;
}

static void what_an_entry_is_not_about_is_recorded(void **state)
{
	struct policy *policy = parse("version: 1\n"
				      "watch:\n"
				      "- {name: both, class: key, paths: [/a]}\n"
				      "- {name: dumps, class: key, paths: [/b], on: [dump]}\n"
				      "- {name: quiet, class: key, paths: [/c], mode: record}\n"
				      "- {name: rule, class: key, paths: [/d],\n"
				      "   allow: [{exe: /x, on: [read]}]}\n");

	assert_int_equal(policy_watch(policy, 1)->on, 1 << ACTION_READ | 1 << ACTION_DUMP);
	assert_int_equal(judge(policy, "both", ACTION_READ, "/x"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "both", ACTION_DUMP, "/x"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "both", ACTION_LINK, "/x"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "both", (enum policy_action)99, "/x"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "dumps", ACTION_READ, "/x"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "dumps", ACTION_DUMP, "/x"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "quiet", ACTION_READ, "/x"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "rule", ACTION_READ, "/x"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "rule", ACTION_DUMP, "/x"), VERDICT_ALERT);
	policy_free(policy);
}

/* Each has rules of its own, and those for all. */
static void names_and_sends_are_judged_like_reads(void **state)
{
	static const enum policy_action actions[] = {ACTION_LINK, ACTION_SEND};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const char *word = policy_action_str(actions[i]);
		struct policy *policy;
		char text[512];

		snprintf(
			text, sizeof(text),
			"version: 1\n"
			"watch:\n"
			"- {name: asked, class: key, paths: [/a], on: [%s, dump],\n"
			"   allow: [{exe: /all}, {exe: /it, on: [%s]}, {exe: /read, on: [dump]}],\n"
			"   expect: [{exe: /known}]}\n"
			"- {name: quiet, class: key, paths: [/c], on: [%s], mode: record}\n",
			word, word, word);
		policy = parse(text);
		assert_true(policy_judges(policy, actions[i]));
		assert_false(policy_judges(policy, ACTION_READ));
		assert_int_equal(judge(policy, "asked", actions[i], "/x"), VERDICT_ALERT);
		assert_int_equal(judge(policy, "asked", actions[i], "/read"), VERDICT_ALERT);
		assert_int_equal(judge(policy, "asked", actions[i], "/all"), VERDICT_ALLOW);
		assert_int_equal(judge(policy, "asked", actions[i], "/it"), VERDICT_ALLOW);
		assert_int_equal(judge(policy, "asked", actions[i], "/known"), VERDICT_RECORD);
		assert_int_equal(judge(policy, "asked", ACTION_READ, "/x"), VERDICT_RECORD);
		assert_int_equal(judge(policy, "quiet", actions[i], "/x"), VERDICT_RECORD);
		policy_free(policy);
	}
}

/* --- ends --------------------------------------------------------------------------------------
 */

#define DAY(days) ((uint64_t)(days)*86400 * 1000000000)

static const char ending[] = "version: 1\n"
			     "watch:\n"
			     "- {name: a, class: key, paths: [/a],\n"
			     "   allow: [{exe: /x, until: 1970-01-10, reason: trial}]}\n"
			     "- {name: b, class: key, paths: [/b]}\n"
			     "exceptions:\n"
			     "- name: move\n"
			     "  watch: [a, b]\n"
			     "  exe: /y\n"
			     "  until: 1970-01-20\n"
			     "  reason: the server moves\n";

static void exceptions_end(void **state)
{
	static const struct {
		const char *exe;
		uint64_t time;
		enum policy_reason reason;
		unsigned line;
	} cases[] = {
		{"/x", DAY(9) + 1, REASON_ALLOWED, 4},
		{"/x", DAY(10) - 1, REASON_ALLOWED, 4}, /* the whole of the 10th */
		{"/x", DAY(10), REASON_EXPIRED, 4},
		{"/y", DAY(19), REASON_ALLOWED, 9},
		{"/y", DAY(20), REASON_EXPIRED, 9},
		{"/y", 0, REASON_ALLOWED, 9}, /* no time is told */
		{"/z", DAY(1), REASON_NO_RULE, 3},
	};
	struct policy *policy = parse(ending);
	struct diag_list diags = {0};
	const char *text;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = {.exe = span_of(cases[i].exe), .exe_trust = EXE_VERIFIED},
			.time = cases[i].time,
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason != cases[i].reason || answer.line != cases[i].line)
			fail_msg("case %zu: %u, line %u", i, answer.reason, answer.line);
	}
	assert_false(policy_ended(policy, 0, DAY(10) - 2, 0, &text));
	assert_true(policy_ended(policy, 0, DAY(10), 0, &text));
	assert_string_equal(text, "a rule at p.yaml:4 ended with 1970-01-10: trial");
	assert_false(policy_ended(policy, 0, DAY(10), 1, &text));
	/* An exception for two entries ends once. */
	assert_true(policy_ended(policy, DAY(10), DAY(30), 0, &text));
	assert_string_equal(text,
			    "exception 'move' at p.yaml:9 ended with 1970-01-20: the server moves");
	assert_false(policy_ended(policy, DAY(10), DAY(30), 1, &text));
	policy_warn_ended(policy, DAY(15), &diags);
	assert_int_equal(diags.warnings, 1);
	assert_string_equal(diags.items[0].text, "a rule at p.yaml:4 ended with 1970-01-10: trial "
						 "and lets nobody any more");
	diag_list_fini(&diags);
	policy_free(policy);
}

/* --- zones -------------------------------------------------------------------------------------
 */

static void zones_bound_who_is_allowed(void **state)
{
	static const struct {
		struct policy_subject subject;
		const char *watch, *path;
		enum policy_reason reason;
	} cases[] = {
		{S(.exe = T("/x"), .unit = T("signd.service")), "k", "/srv/sign/a", REASON_ALLOWED},
		{S(.exe = T("/x"), .unit = T("other.service")), "k", "/srv/sign/a",
		 REASON_SUBJECT_ZONE},
		{S(.exe = T("/x"), .user = T("signer")), "k", "/srv/sign/a", REASON_ALLOWED},
		{S(.exe = T("/x"), .uid = 7), "k", "/srv/sign/a", REASON_ALLOWED},
		{S(.exe = T("/x"), .unit = T("signd.service")), "k", "/mnt/hsm/d/k",
		 REASON_ALLOWED},
		{S(.exe = T("/x"), .unit = T("signd.service")), "k", "/tmp/a", REASON_OBJECT_ZONE},
		{S(.exe = T("/x"), .unit = T("signd.service")), "k", "", REASON_ALLOWED},
		{S(.exe = T("/q"), .unit = T("signd.service")), "k", "/tmp/a", REASON_NO_RULE},
		/* An exception may pass it. */
		{S(.exe = T("/y"), .unit = T("other.service")), "k", "/tmp/a", REASON_ALLOWED},
		/* A rule that asks for a zone. */
		{S(.exe = T("/z"), .unit = T("signd.service")), "r", "/r", REASON_ALLOWED},
		{S(.exe = T("/z"), .unit = T("other.service")), "r", "/r", REASON_NO_RULE},
		/* Of hosts with other labels; of this one. */
		{S(.exe = T("/z")), "there", "/t", REASON_OBJECT_ZONE},
		{S(.exe = T("/z")), "here", "/h", REASON_ALLOWED},
	};
	struct policy *policy =
		parse("version: 1\n"
		      "settings: {labels: [prod-eu]}\n"
		      "watch:\n"
		      "- {name: k, class: key, paths: [/k], zone: signing, allow: [{exe: /x}]}\n"
		      "- {name: r, class: key, paths: [/r], allow: [{exe: /z, zone: signing}]}\n"
		      "- {name: there, class: key, paths: [/t], zone: lab, allow: [{exe: /z}]}\n"
		      "- {name: here, class: key, paths: [/h], zone: prod, allow: [{exe: /z}]}\n"
		      "zones:\n"
		      "- {name: signing, paths: ['/srv/sign/**'], mounts: [/mnt/hsm],\n"
		      "   units: [signd.service], users: [signer, 7]}\n"
		      "- {name: lab, hosts: ['lab-*']}\n"
		      "- {name: prod, hosts: ['prod-*']}\n"
		      "exceptions:\n"
		      "- {name: e, watch: [k], exe: /y, until: 2400-02-29, reason: r}\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = policy_find_watch(policy, span_of(cases[i].watch)),
			.action = ACTION_READ,
			.subject = cases[i].subject,
			.path = span_of(cases[i].path),
			.time = DAY(20000),
		};
		struct policy_answer answer;
		long before = allocations;

		query.subject.exe_trust = EXE_VERIFIED;
		policy_judge(policy, &query, &answer);
		assert_int_equal(allocations, before);
		if (answer.reason != cases[i].reason)
			fail_msg("case %zu: %u: %s", i, answer.reason, answer.why);
	}
	policy_free(policy);
}

/* keytrail's own tools, by the file that is shipped. */
static void own_tools_of_root_are_expected_outside_of_zones(void **state)
{
#define TOOL "/usr/local/bin/keytrail"
#define SCAN "/usr/local/libexec/keytrail/keytrail-scan"
	static const struct {
		struct policy_subject subject;
		enum exe_trust trust;
		enum policy_reason reason;
	} cases[] = {
		{S(.exe = T(TOOL)), EXE_VERIFIED, REASON_EXPECTED},
		{S(.exe = T("/usr/bin/keytrail")), EXE_VERIFIED, REASON_EXPECTED},
		{S(.exe = T(SCAN)), EXE_VERIFIED, REASON_EXPECTED},
		/* Behind its walls. */
		{S(.exe = T(SCAN), .uid = 990, .user = T("keytrail-scan")), EXE_VERIFIED,
		 REASON_EXPECTED},
		{S(.exe = T(TOOL), .uid = 990, .user = T("keytrail-scan")), EXE_VERIFIED,
		 REASON_EXPECTED},
		/* By others, in the zone alone. */
		{S(.exe = T(TOOL), .uid = 1000, .user = T("ada")), EXE_VERIFIED,
		 REASON_SUBJECT_ZONE},
		{S(.exe = T(TOOL), .uid = 1000, .unit = T("signd.service")), EXE_VERIFIED,
		 REASON_EXPECTED},
		{S(.exe = T(SCAN), .uid = 65534, .user = T("nobody")), EXE_VERIFIED,
		 REASON_SUBJECT_ZONE},
		/* Not by its path alone. */
		{S(.exe = T(TOOL)), EXE_OTHER, REASON_DISTRUST},
		{S(.exe = T(TOOL)), EXE_WRITABLE, REASON_DISTRUST},
		{S(.exe = T(TOOL), .untrusted = UNTRUSTED_TRACED), EXE_VERIFIED, REASON_DISTRUST},
		{S(.exe = T(SCAN), .untrusted = UNTRUSTED_MAPPED), EXE_VERIFIED, REASON_DISTRUST},
		{S(.exe = T("/root/keytrail")), EXE_VERIFIED, REASON_NO_RULE},
	};
	static const char zoned[] =
		HEAD "  zone: signing\nzones: [{name: signing, units: [signd.service]}]\n";
	_cleanup_fclose_ FILE *f = fopen("policy/90-keytrail.yaml", "re");
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	char text[8192], *overrides;
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	overrides = strstr(text, "override:");
	assert_non_null(overrides);
	len = (size_t)(overrides - text);
	memmove(text + sizeof(zoned) - 1, overrides, strlen(overrides) + 1);
	memcpy(text, zoned, sizeof(zoned) - 1);
	assert_int_equal(policy_parse("p.yaml", text, strlen(text), &diags, &policy), 0);
	assert_int_equal(diags.nr, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject = cases[i].subject,
			.path = span_of("/k/a"),
		};
		struct policy_answer answer;

		query.subject.exe_trust = cases[i].trust;
		policy_judge(policy, &query, &answer);
		if (answer.reason != cases[i].reason)
			fail_msg("case %zu: %u: %s", i, answer.reason, answer.why);
		assert_int_equal(answer.verdict,
				 answer.reason == REASON_EXPECTED ? VERDICT_RECORD : VERDICT_ALERT);
	}
	policy_free(policy);
	diag_list_fini(&diags);
}

/* --- overrides ---------------------------------------------------------------------------------
 */

static void overrides_change_entries_by_name(void **state)
{
	struct policy *policy = parse("version: 1\n"
				      /* may stand before what it changes */
				      "override:\n"
				      "- {name: a, severity: low, mode: record}\n"
				      "- {name: b, allow: [{exe: /new}], paths: [/b2]}\n"
				      "- {name: c, replace: [allow], allow: [{exe: /new}]}\n"
				      "- {name: d, off: true}\n"
				      "watch:\n"
				      "- {name: a, class: key, paths: [/a], allow: [{exe: /old}]}\n"
				      "- {name: d, class: key, paths: [/d], allow: [{exe: /old}]}\n"
				      "- {name: b, class: key, paths: [/b], allow: [{exe: /old}]}\n"
				      "- {name: c, class: key, paths: [/c], allow: [{exe: /old}],\n"
				      "   expect: [{exe: /known}]}\n");

	assert_int_equal(policy_nr_watches(policy), 3);
	assert_int_equal(policy_find_watch(policy, span_of("d")), 0);
	assert_int_equal(policy_find_watch(policy, span_of("b")), 2);
	assert_int_equal(policy_watch(policy, 1)->severity, SEV_LOW);
	assert_int_equal(policy_watch(policy, 2)->severity, SEV_HIGH);
	assert_int_equal(judge(policy, "a", ACTION_READ, "/old"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "a", ACTION_READ, "/x"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "b", ACTION_READ, "/old"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "b", ACTION_READ, "/new"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "c", ACTION_READ, "/old"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "c", ACTION_READ, "/new"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "c", ACTION_READ, "/known"), VERDICT_RECORD);
	policy_free(policy);
}

static void a_canary_is_one_whatever_is_said_of_all_keys(void **state)
{
	struct policy *policy =
		parse("version: 1\n"
		      "watch:\n"
		      "- {name: a, class: key, paths: ['/*'], allow: [{exe: /ssh}]}\n"
		      "- {name: canary, class: canary-key, paths: [/a], expect: [{exe: /all}]}\n"
		      "override:\n"
		      "- {name: '*', severity: low, mode: record, allow: [{exe: /backup}],\n"
		      "   expect: [{exe: /inventory}]}\n");

	/* The first entry that has a path counts. */
	assert_int_equal(policy_find_watch(policy, span_of("canary")), 1);
	assert_int_equal(policy_watch(policy, 1)->severity, SEV_CRITICAL);
	assert_int_equal(judge(policy, "canary", ACTION_READ, "/ssh"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "canary", ACTION_READ, "/backup"), VERDICT_ALERT);
	assert_int_equal(judge(policy, "canary", ACTION_READ, "/all"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "canary", ACTION_READ, "/inventory"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "a", ACTION_READ, "/ssh"), VERDICT_ALLOW);
	assert_int_equal(judge(policy, "a", ACTION_READ, "/backup"), VERDICT_ALLOW);
	policy_free(policy);
}

static void an_override_may_be_for_all_entries_about_files(void **state)
{
	struct policy *policy =
		parse("version: 1\n"
		      "watch:\n"
		      "- {name: a, class: key, paths: [/a]}\n"
		      "- {name: b, class: key, paths: [/b], severity: low}\n"
		      "- {name: m, class: process-memory}\n"
		      "override:\n"
		      "- {name: '*', severity: critical, expect: [{exe: /all}, {unit: 'u*'}]}\n"
		      "- {name: b, severity: medium}\n");

	assert_int_equal(judge(policy, "a", ACTION_READ, "/all"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "b", ACTION_READ, "/all"), VERDICT_RECORD);
	assert_int_equal(judge(policy, "m", ACTION_READ, "/all"), VERDICT_ALERT);
	assert_int_equal(policy_watch(policy, 1)->severity, SEV_CRITICAL);
	assert_int_equal(policy_watch(policy, 2)->severity, SEV_MEDIUM);
	assert_int_equal(policy_watch(policy, 3)->severity, SEV_HIGH);
	policy_free(policy);
}

/* --- includes ----------------------------------------------------------------------------------
 */

static const char *put(void **state, const char *name, const char *text)
{
	const char *path = tmpdir_path(state, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return path;
}

static char *load(const char *path, int expected, struct policy **out_policy)
{
	struct diag_list diags = {0};
	char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);

	assert_int_equal(policy_load(&path, 1, &diags, out_policy), expected);
	diag_print(&diags, f);
	fclose(f);
	diag_list_fini(&diags);
	return printed;
}

static void included_files_come_first(void **state)
{
	_cleanup_free_ char *printed = NULL, *name = NULL;
	struct policy *policy = NULL;
	const char *path;

	assert_int_equal(mkdir(tmpdir_path(state, "d"), 0700), 0);
	put(state, "d/1.yaml",
	    "version: 1\nsettings: {alert_burst: 2, canary_s: 7}\n"
	    "watch: [{name: one, class: key, paths: [/1]}]\n");
	put(state, "d/2.yaml", "version: 1\nwatch: [{name: two, class: key, paths: [/2]}]\n");
	path = put(state, "main.yaml",
		   "version: 1\n"
		   "watch: [{name: main, class: key, paths: [/m]}]\n"
		   "settings: {alert_burst: 3}\n"
		   "include: ['d/*.yaml', 'none/*.yaml']\n");
	printed = load(path, 0, &policy);
	assert_string_equal(printed, "");
	assert_int_equal(policy_nr_watches(policy), 3);
	assert_int_equal(policy_find_watch(policy, span_of("one")), 1);
	assert_int_equal(policy_find_watch(policy, span_of("main")), 3);
	assert_int_equal(policy_settings(policy)->alert_burst, 3);
	assert_int_equal(policy_settings(policy)->canary_s, 7);
	policy_free(policy);
}

static void includes_that_lead_nowhere_are_errors(void **state)
{
	const char *dir = *state, *path;
	struct policy *policy = NULL;
	char expected[1024];

	path = put(state, "a.yaml", "version: 1\ninclude: [b.yaml, gone.yaml]\n");
	put(state, "b.yaml", "version: 1\ninclude: [a.yaml]\n");
	snprintf(expected, sizeof(expected),
		 "%s/b.yaml:2:11: error: '%s/a.yaml' is read already, by its own name\n"
		 "%s/a.yaml:2:19: error: there is no '%s/gone.yaml' to include\n",
		 dir, dir, dir, dir);
	for (int i = 0; i < 2; i++) {
		_cleanup_free_ char *printed = load(path, -EINVAL, &policy);

		assert_string_equal(printed, expected);
	}
	assert_null(policy);
}

/* --- refused, and warned of --------------------------------------------------------------------
 */

static void errors_have_their_place(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{HEAD "  mode: alart\n",
		 "6:9: error: mode 'alart' is not known: did you mean 'alert'? (record, alert, "
		 "deny)"},
		{HEAD "  on: [sent]\n", "6:8: error: on 'sent' is not known: did you mean 'send'? "
					"(read, write, link, send, dump)"},
		{HEAD "  on: [read, read]\n", "6:14: error: on: 'read' stands twice"},
		{HEAD "  on: []\n",
		 "6:7: error: on is an empty list: use `mode: record`, or leave the entry out"},
		{HEAD "  allow: [{}]\n",
		 "6:11: error: the rule names nobody: it needs `exe`, `package`, `digest`, `verity`, "
		 "`unit`, `container`, `image`, `user` or `zone`"},
		{HEAD "  allow: [{login: none}]\n",
		 "6:11: error: the rule names nobody: it needs `exe`, `package`, `digest`, `verity`, "
		 "`unit`, `container`, `image`, `user` or `zone`"},
		{HEAD "  allow: [{user: 'd*'}]\n",
		 "6:11: error: the rule is about users by a pattern, and needs `exe` besides"},
		{HEAD "  allow: [{unit: a.slice}]\n",
		 "6:18: error: unit 'a.slice' is no service and no scope: processes run in nothing "
		 "else"},
		{HEAD "  allow: [{unit: a/b.service}]\n",
		 "6:18: error: unit 'a/b.service' has a slash, which no such name has"},
		{HEAD "  allow: [{container: 'a[b'}]\n",
		 "6:23: error: container 'a[b': `[` without `]`"},
		{HEAD "  allow: [{image: ''}]\n", "6:19: error: image '' is empty"},
		{HEAD "  allow: [{image: 'a b'}]\n",
		 "6:19: error: image 'a b' has a character that no name of an image has (a blank, "
		 "or none of ASCII)"},
		{HEAD "  allow: [{image: 'q/ü*'}]\n",
		 "6:19: error: image 'q/ü*' has a character that no name of an image has (a blank, "
		 "or none of ASCII)"},
		{HEAD "  allow: [{image: 'a[b'}]\n", "6:19: error: image 'a[b': `[` without `]`"},
		{HEAD "  allow: [{image: 'sha256:*'}]\n",
		 "6:19: error: image 'sha256:*' is not 'sha256:' and 64 digits of 0-9, a-f: an "
		 "image's id is asked for whole"},
		{HEAD "  allow: [{exe: /x, script: /y, image: a}]\n",
		 "6:11: error: the rule names a script in a container: it cannot be verified there"},
		{HEAD "  expect: [{exe: /x, image: a, outside: true}]\n",
		 "6:12: error: the rule is to count outside of zones: that is for `expect` rules "
		 "with `exe` and without `container` or `image`, so that what runs is verified and "
		 "recorded"},
		{HEAD "  allow: [{exe: /x, until: 2030-02-30, reason: r}]\n",
		 "6:28: error: until '2030-02-30' is not a day like 2030-01-31"},
		{HEAD "  allow: [{exe: /x, until: 2030-02-01}]\n",
		 "6:11: error: the rule has an end and needs a `reason`"},
		{HEAD "  allow: [{exe: /x, zone: z}]\n", "6:27: error: there is no zone 'z'"},
		{HEAD "  zone: sining\nzones: [{name: signing, units: [a.service]}]\n",
		 "6:9: error: there is no zone 'sining': did you mean 'signing'?"},
		{HEAD "  expect: [{exe: /x, outside: yes}]\n",
		 "6:31: error: outside 'yes' is not known (false, true)"},
		{HEAD "  allow: [{exe: /x, outside: true}]\n",
		 "6:11: error: the rule is to count outside of zones: that is for `expect` rules "
		 "with `exe` and without `container` or `image`, so that what runs is verified and "
		 "recorded"},
		{HEAD "  expect: [{user: ada, outside: true}]\n",
		 "6:12: error: the rule is to count outside of zones: that is for `expect` rules "
		 "with `exe` and without `container` or `image`, so that what runs is verified and "
		 "recorded"},
		{HEAD "zones: [{name: z}]\n",
		 "6:9: error: the zone has nothing in it: it needs `paths`, `mounts`, `units`, "
		 "`containers`, `users` or `hosts`"},
		{HEAD "zones: [{name: z, paths: ['~/a']}]\n",
		 "6:27: error: zone path '~/a': a zone is no matter of homes, name the directory"},
		{HEAD "zones: [{name: z, mounts: [a]}]\n",
		 "6:28: error: mount 'a' is not an absolute path"},
		{HEAD "zones: [{name: z, units: []}]\n", "6:26: error: units is an empty list"},
		{HEAD "override: [{name: xyz, off: true}]\n",
		 "6:19: error: there is no watch entry 'xyz'"},
		{HEAD "override: [{name: '*', off: true}]\n",
		 "6:12: error: an override of all entries has none of the keys `paths`, `exclude`, "
		 "`replace`, `off`"},
		{HEAD "override: [{name: w, class: key}]\n",
		 "6:22: error: an override has no key 'class'"},
		{HEAD "override: [{name: w, replace: [paths]}]\n",
		 "6:12: error: the override leaves 'w' without paths: `off: true` is for that"},
		{HEAD "exceptions: [{name: e, watch: [w], exe: /x, reason: r}]\n",
		 "6:14: error: an exception needs an end (`until`): what has none is an `allow` "
		 "rule"},
		{HEAD "exceptions: [{name: e, watch: [], exe: /x, until: 2030-01-01, reason: r}]\n",
		 "6:31: error: watch is an empty list: the exception would be for nothing"},
		{HEAD "exceptions: [{name: e, watch: [vvv], exe: /x, until: 2030-01-01, reason: "
		      "r}]\n",
		 "6:32: error: there is no watch entry 'vvv'"},
		{"version: 1\ninclude: [x.yaml]\n",
		 "2:11: error: 'x.yaml' cannot be included here"},
		{"version: 1\ninclude: x.yaml\n",
		 "2:10: error: include must be a list, not a single value"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = NULL;
		_cleanup_free_ char *printed = told(cases[i].text, -EINVAL, &policy);
		char expected[512];

		snprintf(expected, sizeof(expected), "p.yaml:%s\n", cases[i].error);
		if (strcmp(printed, expected))
			fail_msg("case %zu:\n%s  expected\n%s", i, printed, expected);
	}
}

#define NO_IMAGE_IN_SERVICE                                                                    \
	"warning: the rule never decides: of what runs in a service no image is known, since " \
	"containers have scopes of their own; leave out `unit`, or `image` (what podman puts " \
	"into a service by --cgroups=split is that unit)"

static void what_never_matches_is_warned_of(void **state)
{
	static const struct {
		const char *text, *warning;
	} cases[] = {
		{HEAD "- {name: v, class: key, paths: ['/k/a/*.pem']}\n",
		 "6:33: warning: path '/k/a/*.pem' never matches: '/k/**' of watch entry 'w' takes "
		 "all that it would"},
		{HEAD "- {name: v, class: key, paths: ['/k*/a', '/**/k/x']}\n",
		 "6:42: warning: path '/**/k/x' covers every directory of the system: each one "
		 "costs a mark"},
		{HEAD "  exclude: ['*.pub']\n- {name: v, class: key, paths: [/k/a]}\n", NULL},
		{HEAD "  allow: [{exe: /x}, {exe: /x, unit: a.service}]\n",
		 "6:28: warning: /x is allowed already, at line 6"},
		{HEAD "  allow: [{exe: /x, unit: a.service}, {exe: /x}]\n", NULL},
		/* The host's program is none of a container's, and not any file has a digest. */
		{HEAD "  allow: [{exe: /x}, {exe: /x, container: web}]\n", NULL},
		{HEAD "  allow: [{container: 'w*'}, {exe: /x, container: web}]\n", NULL},
		{HEAD "  allow: [{exe: /x, container: 'w*'}, {exe: /x, container: web}]\n",
		 "6:45: warning: /x is allowed already, at line 6"},
		{HEAD "  allow: [{exe: /x}, {exe: /x, image: a}]\n", NULL},
		{HEAD "  allow: [{exe: /x, image: '*'}, {exe: /x, image: q.io/a}]\n",
		 "6:40: warning: /x is allowed already, at line 6"},
		{HEAD "  allow: [{exe: /x, image: 'q.io/*'}, {exe: /x, image: q.io/a/b}]\n",
		 "6:45: warning: /x is allowed already, at line 6"},
		/* Of which one the name is known, or the id, the other may not be. */
		{HEAD "  allow: [{image: '*'}, {image: 'sha256:" DIGEST "'}]\n", NULL},
		{HEAD "  allow: [{image: '*'}, {container: web}]\n", NULL},
		{HEAD "  allow: [{exe: /x, verity: 'sha256:" DIGEST "'}, {exe: /x}]\n", NULL},
		{HEAD "  allow: [{exe: /x, on: [dump]}]\n  on: [read]\n",
		 "6:17: warning: the rule never decides: nothing that it is for (`on`) is judged by "
		 "watch entry 'w'"},
		/* What runs in a service is in no container of which that is known. */
		{HEAD "  allow: [{exe: /x, image: q.io/a, unit: web.service}]\n",
		 "6:17: " NO_IMAGE_IN_SERVICE},
		{HEAD "  expect: [{unit: '*.service', image: 'sha256:" DIGEST "'}]\n",
		 "6:12: " NO_IMAGE_IN_SERVICE},
		{HEAD "  allow: [{exe: /x, image: q.io/a, unit: 'docker-*.scope'}]\n", NULL},
		{HEAD "  allow: [{exe: /x, image: q.io/a, unit: 'w*'}]\n", NULL},
		{HEAD "  allow: [{exe: /x, container: a, unit: 'systemd-nspawn@a.service'}]\n",
		 NULL},
		{HEAD "- {name: d, class: device, on: [read, write]}\n",
		 "6:32: warning: on: 'write' never decides: nothing of class 'device' is written "
		 "to"},
		{HEAD "- {name: d, class: device, on: [link]}\n",
		 "6:32: warning: on: 'link' never decides: names of what is of class 'device' are "
		 "not followed"},
		{HEAD "- {name: d, class: device, on: [send]}\n", NULL},
		{HEAD "- {name: d, class: process-memory, on: [send]}\n",
		 "6:40: warning: on: 'send' never decides: what was read of class 'process-memory' is "
		 "not remembered"},
		{HEAD "  allow: [{exe: /x}]\n  on: [read, send]\n",
		 "6:17: warning: the rule lets who reads send, too, since 'w' has `send` in `on`: "
		 "give it `on: [read]`, or `on: [read, send]` if that is meant"},
		{HEAD "  allow: [{exe: /x}]\n  on: [read, write, send, dump]\n",
		 "6:17: warning: the rule lets who reads send, too, since 'w' has `send` in `on`: "
		 "give it `on: [read, write, dump]`, or `on: [read, write, send, dump]` if that is "
		 "meant"},
		{HEAD "  allow: [{exe: /x, on: [read, send]}, {exe: /y, on: [read]}]\n"
		      "  on: [read, send]\n",
		 NULL},
		{HEAD "  allow: [{exe: /x, on: [read, write, link, send, dump]}]\n"
		      "  on: [read, send]\n",
		 NULL},
		{HEAD "  expect: [{exe: /x}]\n  on: [read, send]\n", NULL},
		{HEAD "zones: [{name: z, units: [a.service]}]\n",
		 "6:9: warning: zone 'z' is used by no entry and no rule"},
		{HEAD "  allow: [{exe: /x, zone: z}]\nzones: [{name: z, hosts: [h]}]\n",
		 "6:17: warning: the rule never decides on this host: zone 'z' is of hosts with "
		 "other labels"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = NULL;
		_cleanup_free_ char *printed = told(cases[i].text, 0, &policy);
		char expected[512] = "";

		if (cases[i].warning)
			snprintf(expected, sizeof(expected), "p.yaml:%s\n", cases[i].warning);
		if (strcmp(printed, expected))
			fail_msg("case %zu:\n%s  expected\n%s", i, printed, expected);
		policy_free(policy);
	}
}

int main(void)
{
#define FILES(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subjects_are_told_apart),
		cmocka_unit_test(a_script_is_asked_for_beside_its_interpreter),
		cmocka_unit_test(scripts_that_can_never_count_are_errors),
		cmocka_unit_test(an_image_may_be_longer_than_a_file_name),
		cmocka_unit_test(rules_alike_are_bounded),
		cmocka_unit_test(what_an_entry_is_not_about_is_recorded),
		cmocka_unit_test(names_and_sends_are_judged_like_reads),
		cmocka_unit_test(exceptions_end),
		cmocka_unit_test(zones_bound_who_is_allowed),
		cmocka_unit_test(own_tools_of_root_are_expected_outside_of_zones),
		cmocka_unit_test(overrides_change_entries_by_name),
		cmocka_unit_test(an_override_may_be_for_all_entries_about_files),
		cmocka_unit_test(a_canary_is_one_whatever_is_said_of_all_keys),
		FILES(included_files_come_first),
		FILES(includes_that_lead_nowhere_are_errors),
		cmocka_unit_test(errors_have_their_place),
		cmocka_unit_test(what_never_matches_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
