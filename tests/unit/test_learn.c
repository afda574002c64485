// SPDX-License-Identifier: GPL-2.0-or-later
/* cli/learn.c: what is proposed from which alerts, and what never is. */
#include "cli/learn.c" /* the command line is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "policy/policy.h"

/* An access, as an alert tells of it; what is NULL or 0 is as usual. */
struct access {
	const char *exe, *script, *evidence, *trust, *untrusted, *unit, *container, *user, *rule,
		*watch, *type;
	int uid, loginuid; /* loginuid -1: none */
	unsigned count;
};

static enum learn_file file_of(void *ctx, const char *path)
{
	if (strstr(path, "gone"))
		return LEARN_FILE_MISSING;
	return strstr(path, "writable") ? LEARN_FILE_OTHERS : LEARN_FILE_SOUND;
}

static struct learn *learn_start(void)
{
	struct learn *learn = learn_new(file_of, NULL);

	assert_non_null(learn);
	return learn;
}

static const char *or_else(const char *s, const char *usual)
{
	return s ? s : usual;
}

/* At so many seconds after the beginning of 2026. */
static void tell(struct learn *learn, const struct access *a, unsigned seconds, unsigned pid)
{
	time_t at = 1767225600 + (time_t)seconds;
	json_auto_t *alert = NULL, *subject = NULL;
	char when[64];
	struct tm tm;

	assert_non_null(gmtime_r(&at, &tm));
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
	subject = json_pack("{s:i, s:I, s:s, s:i, s:s, s:o, s:s, s:s, s:s}", "pid", (int)pid,
			    "start_ns", (json_int_t)pid * 1000, "exe",
			    or_else(a->exe, "/usr/bin/restic"), "uid", a->uid, "user",
			    or_else(a->user, "root"), "loginuid",
			    a->loginuid < 0 ? json_null() : json_integer(a->loginuid), "unit",
			    or_else(a->unit, ""), "container", or_else(a->container, ""),
			    "exe_trust", or_else(a->trust, "unknown"));
	assert_non_null(subject);
	if (a->script) {
		json_object_set_new(subject, "script", json_string(a->script));
		json_object_set_new(subject, "script_evidence",
				    json_string(or_else(a->evidence, "observed")));
	}
	if (a->untrusted)
		json_object_set_new(subject, "untrusted", json_pack("[s]", a->untrusted));
	alert = json_pack("{s:s, s:s, s:i, s:O, s:{s:s, s:s}, s:{s:s}, s:s}", "type",
			  or_else(a->type, "key-read"), "time", when, "count",
			  (int)(a->count ? a->count : 1), "subject", subject, "object", "path",
			  "/etc/k.pem", "watch", or_else(a->watch, "keys"), "access", "how", "open",
			  "rule",
			  or_else(a->rule, "the policy allows no such program to read (p.yaml:3)"));
	assert_non_null(alert);
	assert_int_equal(learn_alert(learn, alert), 0);
}

static char *printed(const struct learn *learn, unsigned expected)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	unsigned nr = learn_print(learn, f);

	fclose(f);
	if (nr != expected)
		fail_msg("%u rules, not %u: %s", nr, expected, text);
	return text;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in: %s", part, text);
}

#define DAY 86400U

static void what_comes_each_night_is_proposed_with_its_evidence(void **state)
{
	const struct access a = {.unit = "backup.service", .loginuid = -1};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < 6; i++)
		tell(learn, &a, i * DAY, 100 + i);
	text = printed(learn, 1);
	has(text, "{exe: /usr/bin/restic, unit: backup.service, login: none}");
	has(text, "confidence high: 6 accesses by 6 processes on 6 occasions, 2026-01-01 00:00 to "
		  "2026-01-06 00:00, as root, nobody logged in");
	has(text, "# of /etc/k.pem\n");
	has(text, "  - name: keys\n");
	learn_free(learn);
}

static void a_rule_is_bound_as_closely_as_what_was_seen(void **state)
{
	static const struct {
		struct access a, b;
		const char *rule;
	} rows[] = {
		{{.unit = "a.service", .loginuid = -1},
		 {.unit = "b.service", .loginuid = -1},
		 "{exe: /usr/bin/restic, user: root, login: none}"},
		{{.user = "ada", .uid = 1000, .loginuid = 1000},
		 {.user = "ada", .uid = 1000, .loginuid = 1000},
		 "{exe: /usr/bin/restic, user: ada}"},
		/* A unit of a user's own service manager is no unit of a rule. */
		{{.user = "ada", .uid = 1000, .loginuid = 1000, .unit = "x.service"},
		 {.user = "ada", .uid = 1000, .loginuid = 1000, .unit = "x.service"},
		 "{exe: /usr/bin/restic, user: ada}"},
		{{.exe = "/usr/bin/perl", .script = "/usr/sbin/x"},
		 {.exe = "/usr/bin/perl", .script = "/usr/sbin/x"},
		 "{exe: /usr/bin/perl, script: /usr/sbin/x}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		struct learn *learn = learn_start();

		tell(learn, &rows[i].a, 0, 100);
		tell(learn, &rows[i].b, 2 * LEARN_OCCASION_S, 101);
		text = printed(learn, 1);
		has(text, rows[i].rule);
		has(text, "confidence low");
		learn_free(learn);
	}
}

static void what_may_not_be_allowed_is_never_proposed(void **state)
{
	static const struct {
		struct access access;
		const char *why;
	} rows[] = {
		{{.exe = "/usr/bin/python3.11"}, "an interpreter"},
		{{.exe = "/usr/bin/python3.11", .script = "/x.py", .evidence = "claimed"},
		 "an interpreter"},
		{{.exe = "/bin/perl", .script = "/x", .uid = 1000}, "of who is not root"},
		{{.exe = "/bin/perl", .script = "/writable"}, "others than root can change it"},
		{{.exe = "/opt/writable"}, "others than root can change it"},
		{{.exe = "/opt/gone"}, "no such file"},
		{{.trust = "other"}, "not, or not only, the program"},
		{{.trust = "memory"}, "not, or not only, the program"},
		{{.trust = "verified", .untrusted = "mapped"}, "not, or not only, the program"},
		{{.container = "web"}, "in a container"},
		{{.exe = "/usr/bin/cat"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/nc.openbsd"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/emacs-gtk"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/vim.basic"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/nl"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/socat"}, "reads whatever it is told to"},
		{{.exe = "/usr/bin/sftp"}, "reads whatever it is told to"},
		{{.exe = "/opt/a\\x0ab"}, "characters that do not belong"},
		{{.exe = "/opt/a, script: /etc"}, "characters that do not belong"},
		{{.exe = "restic"}, "characters that do not belong"},
		{{.rule = "the policy allowed this program until a day that is over (p.yaml:9)"},
		 "the policy has a rule for it"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		struct learn *learn = learn_start();

		for (unsigned n = 0; n < 9; n++)
			tell(learn, &rows[i].access, n * DAY, 100 + n);
		text = printed(learn, 0);
		has(text, "# Not proposed:\n");
		has(text, rows[i].why);
		learn_free(learn);
	}
}

/* Neither a unit nor a user: whoever runs the program could read the key by such a rule. */
static void a_rule_for_anybody_is_not_proposed(void **state)
{
	const struct access a = {.user = "ada", .uid = 1000, .loginuid = 1000};
	const struct access b = {.user = "bob", .uid = 1001, .loginuid = 1001};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned n = 0; n < 9; n++)
		tell(learn, n % 2 ? &a : &b, n * DAY, 100 + n);
	text = printed(learn, 0);
	has(text, "the rule would be for anybody");
	learn_free(learn);
}

/* A name that only begins like a tool's is none. */
static void what_is_called_nearly_like_a_tool_is_none(void **state)
{
	const struct access a = {.exe = "/usr/bin/catalog"};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned n = 0; n < 3; n++)
		tell(learn, &a, n * DAY, 100 + n);
	text = printed(learn, 1);
	learn_free(learn);
}

static void one_suspicious_access_is_enough_to_refuse(void **state)
{
	const struct access good = {.loginuid = -1}, bad = {.loginuid = -1, .untrusted = "traced"};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < 9; i++)
		tell(learn, i == 4 ? &bad : &good, i * DAY, 100 + i);
	text = printed(learn, 0);
	has(text, "9 accesses");
	learn_free(learn);
}

static void what_is_seen_on_one_occasion_is_not_learnt(void **state)
{
	const struct access a = {.loginuid = -1, .count = 50};
	_cleanup_free_ char *text = NULL, *again = NULL;
	struct learn *learn = learn_start();

	/* However often, in however many processes: one deed. */
	for (unsigned i = 0; i < 9; i++)
		tell(learn, &a, i * LEARN_OCCASION_S, 100 + i);
	text = printed(learn, 0);
	has(text, "seen on one occasion only");
	has(text, "450 accesses by 9 processes on 1 occasion,");
	/* One process that goes on for days: likewise. */
	learn_free(learn);
	learn = learn_start();
	for (unsigned i = 0; i < 9; i++)
		tell(learn, &a, i * DAY, 100);
	again = printed(learn, 0);
	has(again, "seen on one occasion only");
	learn_free(learn);
}

static void a_tool_in_a_service_of_its_own_is_proposed(void **state)
{
	const struct access a = {.exe = "/usr/bin/tar", .unit = "b.service", .loginuid = -1};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < 3; i++)
		tell(learn, &a, i * DAY, 100 + i);
	text = printed(learn, 1);
	has(text, "confidence medium");
	has(text, "{exe: /usr/bin/tar, unit: b.service, login: none}");
	learn_free(learn);
}

static void what_is_no_access_is_passed_over(void **state)
{
	const struct access a = {.type = "holder-dumped"};
	json_auto_t *no_time = json_pack("{s:s}", "type", "key-read");
	json_auto_t *list = json_array();
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	tell(learn, &a, 0, 1);
	assert_int_equal(learn_alert(learn, no_time), 0);
	assert_int_equal(learn_alert(learn, list), 0);
	assert_int_equal(learn_alert(learn, NULL), 0);
	text = printed(learn, 0);
	has(text, "4 alerts, 0 of them about accesses");
	has(text, "# 3 lines were neither alerts nor records.\n");
	learn_free(learn);
}

/* A record of the evidence log; `count` > 1: repeats, up to five minutes later. */
struct recorded {
	const char *verdict, *rule, *exe, *unit, *script, *untrusted, *action, *kind;
	int line, loginuid; /* loginuid -1: none */
	unsigned count;
};

static void record(struct learn *learn, const struct recorded *r, unsigned seconds, unsigned pid)
{
	time_t at = 1767225600 + (time_t)seconds;
	char first[64], last[64];
	json_auto_t *item = NULL;

	strftime(first, sizeof(first), "%Y-%m-%dT%H:%M:%S.000000000Z", gmtime(&at));
	at += r->count > 1 ? 300 : 0;
	strftime(last, sizeof(last), "%Y-%m-%dT%H:%M:%S.000000000Z", gmtime(&at));
	item = json_pack(
		"{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:i, s:s, "
		"s:s, s:s, s:i}",
		"kind", or_else(r->kind, "access"), "action", or_else(r->action, "read"), "how",
		"open", "verdict", or_else(r->verdict, "record"), "count",
		(int)(r->count ? r->count : 1), "first", first, "last", last, "path", "/etc/k.pem",
		"watch", "keys", "pid", (int)pid, "start_ns", (json_int_t)pid * 1000, "exe",
		or_else(r->exe, "/usr/bin/restic"), "exe_trust", "verified", "uid", 0, "user",
		"root", "rule", or_else(r->rule, "the policy allows no such program to read keys"),
		"rule_file", "/etc/keytrail/policy.d/20.yaml", "rule_line", r->line ? r->line : 3);
	assert_non_null(item);
	if (r->unit)
		json_object_set_new(item, "unit", json_string(r->unit));
	if (r->loginuid >= 0)
		json_object_set_new(item, "loginuid", json_integer(r->loginuid));
	if (r->untrusted)
		json_object_set_new(item, "untrusted", json_string(r->untrusted));
	if (r->script) {
		json_object_set_new(item, "script", json_string(r->script));
		json_object_set_new(item, "script_evidence", json_string("observed"));
	}
	assert_int_equal(learn_record(learn, item), 0);
}

/* An entry is set to `mode: record` for a week, to see what would be told. */
static void what_is_only_recorded_is_learnt_as_what_is_told(void **state)
{
	const struct recorded nightly = {.unit = "backup.service", .loginuid = -1};
	const struct recorded again = {.unit = "backup.service", .loginuid = -1, .count = 40};
	const struct recorded shell = {.exe = "/usr/bin/bash", .loginuid = 0};
	const struct recorded odd = {.exe = "/usr/bin/ssh", .loginuid = 0, .untrusted = "mapped"};
	const struct recorded once = {.exe = "/usr/bin/age", .loginuid = 0};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < 6; i++) {
		record(learn, &nightly, i * DAY, 100 + i);
		record(learn, &again, i * DAY + 10, 200 + i);
		record(learn, &shell, i * DAY, 300 + i);
		record(learn, &odd, i * DAY, 400 + i);
	}
	record(learn, &once, DAY, 500);
	text = printed(learn, 1);
	has(text, "made of 25 records, 25 of them about accesses");
	has(text,
	    "confidence high: 246 accesses by 12 or more processes on 6 occasions, 2026-01-01 "
	    "00:00 to 2026-01-06 00:05, as root, nobody logged in");
	has(text, "\n      - {exe: /usr/bin/restic, unit: backup.service, login: none}\n");
	has(text, "/usr/bin/bash for keys: an interpreter");
	has(text, "/usr/bin/ssh for keys: what ran was not");
	has(text, "/usr/bin/age for keys: seen on one occasion only");
	learn_free(learn);
}

/* `unit: backup.service` lets pass what runs there; what ran there was restic. */
static void of_a_wide_rule_the_narrow_one_is_shown_as_a_comment(void **state)
{
	static const char allows[] = "the policy allows this program to read keys";
	const struct recorded used = {.verdict = "allow",
				      .rule = allows,
				      .unit = "backup.service",
				      .line = 31,
				      .loginuid = -1};
	const struct recorded cat = {.verdict = "allow",
				     .rule = allows,
				     .exe = "/usr/bin/cat",
				     .line = 31,
				     .loginuid = 1000};
	const struct recorded expected = {.rule = "the policy expects this program",
					  .unit = "other.service",
					  .line = 40,
					  .loginuid = -1};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();
	const char *at;

	for (unsigned i = 0; i < 6; i++) {
		record(learn, &used, i * DAY, 100 + i);
		record(learn, &cat, i * DAY, 200 + i);
		record(learn, &expected, i * DAY, 300 + i);
	}
	text = printed(learn, 0);
	assert_null(strstr(text, "\noverride:"));
	at = strstr(text, "#   /etc/keytrail/policy.d/20.yaml:31 for keys\n");
	assert_non_null(at);
	has(at, "\n#      - {exe: /usr/bin/restic, unit: backup.service, login: none}\n");
	has(at, "# not narrowed to /usr/bin/cat: it reads whatever it is told to");
	at = strstr(at, "#   /etc/keytrail/policy.d/20.yaml:40 for keys\n");
	assert_non_null(at);
	has(at, "\n#      - {exe: /usr/bin/restic, unit: other.service, login: none}\n");
	learn_free(learn);
}

static void what_is_no_matter_of_rules_is_passed_over(void **state)
{
	static const struct recorded rows[] = {
		{.action = "write"},
		{.kind = "alert"},
		{.rule = "it was read, which the entry is not about"},
	};
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < 3 * ARRAY_SIZE(rows); i++)
		record(learn, &rows[i % ARRAY_SIZE(rows)], i * DAY, i);
	text = printed(learn, 0);
	has(text, "made of 9 records, 0 of them about accesses");
	assert_null(strstr(text, "/usr/bin/restic"));
	learn_free(learn);
}

static void programs_beyond_the_bound_are_counted(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct learn *learn = learn_start();

	for (unsigned i = 0; i < LEARN_GROUPS_MAX + 7; i++) {
		char exe[32];

		snprintf(exe, sizeof(exe), "/opt/%u", i);
		tell(learn, &(struct access){.exe = exe}, i, i);
	}
	text = printed(learn, 0);
	has(text, "7 accesses of programs beyond");
	learn_free(learn);
}

/* What is printed is a policy: checked with the entries that it is about. */
static void what_is_proposed_is_a_policy(void **state)
{
	static const char head[] = "version: 1\nwatch:\n- {name: keys, class: key, paths: [/k]}\n"
				   "- {name: more, class: key, paths: [/m]}\n";
	_cleanup_free_ char *text = NULL, *whole = NULL;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct learn *learn = learn_start();
	struct diag_list diags = {0};
	const char *body;

	for (unsigned i = 0; i < 4; i++) {
		tell(learn, &(struct access){.user = "ada", .uid = 7}, i * DAY, 100 + i);
		tell(learn, &(struct access){.exe = "/bin/x", .watch = "more"}, i * DAY, 200 + i);
		tell(learn, &(struct access){.exe = "/bin/y", .loginuid = -1}, i * DAY, 300 + i);
		tell(learn, &(struct access){.exe = "/bin/sh"}, i * DAY, 400 + i);
	}
	text = printed(learn, 3);
	body = strstr(text, "\noverride:");
	assert_non_null(body);
	assert_true(asprintf(&whole, "%s%s", head, body) > 0);
	if (policy_parse("learnt", whole, strlen(whole), &diags, &policy) < 0) {
		diag_print(&diags, stderr);
		fail_msg("refused: %s", whole);
	}
	diag_list_fini(&diags);
	learn_free(learn);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds; /* 0: refused */
	} rows[] = {
		{"90s", 90},	     {"15m", 900},    {"8h", 28800}, {"7d", 7 * DAY},
		{"366d", 366 * DAY}, {"", 0},	      {"7", 0},	     {"d", 0},
		{"0d", 0},	     {"-1d", 0},      {"7dd", 0},    {"7w", 0},
		{"367d", 0},	     {"9999999s", 0}, {" 7d", 0},    {"1.5h", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t seconds = 0;
		const char *wrong = learn_duration(rows[i].text, &seconds);

		assert_int_equal(wrong == NULL, rows[i].seconds != 0);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_each_night_is_proposed_with_its_evidence),
		cmocka_unit_test(a_rule_is_bound_as_closely_as_what_was_seen),
		cmocka_unit_test(what_may_not_be_allowed_is_never_proposed),
		cmocka_unit_test(a_rule_for_anybody_is_not_proposed),
		cmocka_unit_test(what_is_called_nearly_like_a_tool_is_none),
		cmocka_unit_test(one_suspicious_access_is_enough_to_refuse),
		cmocka_unit_test(what_is_seen_on_one_occasion_is_not_learnt),
		cmocka_unit_test(a_tool_in_a_service_of_its_own_is_proposed),
		cmocka_unit_test(what_is_no_access_is_passed_over),
		cmocka_unit_test(what_is_only_recorded_is_learnt_as_what_is_told),
		cmocka_unit_test(of_a_wide_rule_the_narrow_one_is_shown_as_a_comment),
		cmocka_unit_test(what_is_no_matter_of_rules_is_passed_over),
		cmocka_unit_test(programs_beyond_the_bound_are_counted),
		cmocka_unit_test(what_is_proposed_is_a_policy),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
