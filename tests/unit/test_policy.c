// SPDX-License-Identifier: GPL-2.0-or-later
/* What a good policy says: settings, entries, judgement, warnings. Errors are test_policy_schema's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "policy/policy.h"
#include "tmpdir.h"

static struct policy *parse(const char *text, const char *told)
{
	struct policy *policy = NULL;
	struct diag_list diags = {0};
	_cleanup_free_ char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);
	int err = policy_parse("p.yaml", text, strlen(text), &diags, &policy);

	diag_print(&diags, f);
	fclose(f);
	diag_list_fini(&diags);
	assert_string_equal(printed, told);
	assert_int_equal(err, 0);
	return policy;
}

static void settings_have_defaults(void **state)
{
	struct policy *policy = parse("version: 1\n", "-: warning: the policy watches nothing\n");
	const struct settings *s = policy_settings(policy);
	size_t nr;

	assert_int_equal(s->cmdline, CMDLINE_REDACTED);
	assert_int_equal(s->reads, READS_OPEN);
	assert_string_equal(s->sd_id, "keytrail@32473");
	assert_string_equal(s->syslog_socket, KT_RUNDIR "/rsyslog/syslog.sock");
	assert_string_equal(s->syslog_fallback, "/dev/log");
	assert_string_equal(s->jsonl, KT_LOGDIR "/alerts.jsonl");
	assert_int_equal(s->alert_burst, 8);
	assert_int_equal(s->alert_window_s, 600);
	assert_int_equal(s->ring_critical_kib, 8192);
	assert_int_equal(s->ring_bulk_kib, 4096);
	assert_int_equal(s->marks_max, 131072);
	assert_int_equal(s->marks_quota, 16384);
	assert_false(s->refused);
	assert_int_equal(s->canary_s, 60);
	assert_true(s->scan.on);
	assert_int_equal(s->scan.max_size_mib, 8192);
	assert_int_equal(s->scan.max_time_s, 900);
	assert_int_equal(s->scan.children, 1);
	assert_int_equal(s->scan.queue, 64);
	assert_string_equal(s->scan.needles, "");
	assert_int_equal(s->journal.max_size_mib, 1024);
	assert_int_equal(s->journal.keep_days, 0);
	assert_int_equal(s->heartbeat_s, 600);
	assert_int_equal(s->trail_keep_days, 730);
	assert_true(s->discover.content && s->discover.homes && !s->discover.network);
	assert_int_equal(s->discover.look_s, 60);
	assert_int_equal(s->discover.again_s, 3600);
	assert_int_equal(s->discover.names_per_s, 2000);
	assert_int_equal(s->discover.files_per_s, 100);
	assert_int_equal(s->discover.max_size_kib, 64);
	assert_int_equal(s->discover.max_names, 2000000);
	assert_null(policy_discover_trees(policy, &nr));
	assert_int_equal(nr, 0);
	assert_int_equal(policy_nr_watches(policy), 0);
	assert_null(policy_watch(policy, 0));
	assert_null(policy_watch(policy, 1));
	assert_null(policy_allowed_exe(policy, 0));
	policy_free(policy);
}

static void settings_are_read(void **state)
{
	struct policy *policy =
		parse("version: 1\n"
		      "settings:\n"
		      "  cmdline: full\n"
		      "  reads: exact\n"
		      "  sd_id: abcdefghijklmnopqrstu@4294967295\n"
		      "  syslog_socket: /run/x\n"
		      "  syslog_fallback: '/run/y'\n"
		      "  jsonl: \"\"\n"
		      "  alert_burst: 1\n"
		      "  alert_window_s: 86400\n"
		      "  ring_critical_kib: 64\n"
		      "  ring_bulk_kib: 1048576\n"
		      "  marks_max: 16777216\n"
		      "  canary_s: 0\n"
		      "  memory: on\n"
		      "  marks_quota: 0\n"
		      "  refused: on\n"
		      "  scan: {on: off, max_size_mib: 1, max_time_s: 86400, "
		      "children: 16, queue: 1024, needles: /n}\n"
		      "  journal: {max_size_mib: 16777216, keep_days: 36500}\n"
		      "  heartbeat_s: 86400\n"
		      "  trail_keep_days: 36500\n"
		      "  discover: {content: off, homes: off, network: on, "
		      "trees: [/srv/a, /srv/b], look_s: 1, again_s: 60, names_per_s: 10, "
		      "files_per_s: 1, max_size_kib: 1, max_names: 1000}\n"
		      "watch: []\n",
		      "-: warning: the policy watches nothing\n");
	const struct settings *s = policy_settings(policy);
	const char *const *trees;
	size_t nr;

	assert_int_equal(s->cmdline, CMDLINE_FULL);
	assert_int_equal(s->reads, READS_EXACT);
	assert_string_equal(s->sd_id, "abcdefghijklmnopqrstu@4294967295");
	assert_string_equal(s->syslog_socket, "/run/x");
	assert_string_equal(s->syslog_fallback, "/run/y");
	assert_string_equal(s->jsonl, "");
	assert_int_equal(s->alert_burst, 1);
	assert_int_equal(s->alert_window_s, 86400);
	assert_int_equal(s->ring_critical_kib, 64);
	assert_int_equal(s->ring_bulk_kib, 1048576);
	assert_int_equal(s->marks_max, 16777216);
	assert_int_equal(s->canary_s, 0);
	assert_true(s->memory);
	assert_false(s->scan.on);
	assert_int_equal(s->scan.max_size_mib, 1);
	assert_int_equal(s->scan.max_time_s, 86400);
	assert_int_equal(s->scan.children, 16);
	assert_int_equal(s->scan.queue, 1024);
	assert_string_equal(s->scan.needles, "/n");
	assert_int_equal(s->journal.max_size_mib, 16777216);
	assert_int_equal(s->journal.keep_days, 36500);
	assert_int_equal(s->heartbeat_s, 86400);
	assert_int_equal(s->trail_keep_days, 36500);
	assert_true(!s->discover.content && !s->discover.homes && s->discover.network);
	assert_int_equal(s->discover.look_s + s->discover.again_s, 61);
	assert_int_equal(s->discover.names_per_s + s->discover.files_per_s, 11);
	assert_int_equal(s->discover.max_size_kib, 1);
	assert_int_equal(s->discover.max_names, 1000);
	trees = policy_discover_trees(policy, &nr);
	assert_int_equal(nr, 2);
	assert_string_equal(trees[1], "/srv/b");
	assert_int_equal(s->marks_quota, 0);
	assert_true(s->refused);
	policy_free(policy);
}

static const char two[] = "# \xc3\xa4\n"
			  "version: 1\n"
			  "watch:\n"
			  "  - name: user-keys\n"
			  "    class: ssh-user-key\n"
			  "    paths: [~/.ssh/id_*]\n"
			  "    exclude: ['*.pub']\n"
			  "    allow:\n"
			  "      - exe: /usr/bin/ssh\n"
			  "      - exe: /usr/bin/ssh-add\n"
			  "  - name: dumps\n"
			  "    class: dump\n"
			  "    severity: critical\n"
			  "    paths: ['/var/crash/**']\n"
			  "    allow: [{exe: /usr/bin/ssh}]\n";

static void marks_and_ends_of_line_of_other_systems_are_taken(void **state)
{
	policy_free(parse("\xef\xbb\xbfversion: 1\r\n"
			  "watch:\r\n"
			  "- {name: a, class: key, paths: [/x, /x]}\r\n",
			  "p.yaml:3:37: warning: path '/x' stands twice in this entry\n"));
}

static void entries_are_numbered_as_written(void **state)
{
	struct policy *policy = parse(two, "");

	assert_int_equal(policy_nr_watches(policy), 2);
	assert_string_equal(policy_watch(policy, 1)->name, "user-keys");
	assert_int_equal(policy_watch(policy, 1)->object_class, CLASS_SSH_USER_KEY);
	assert_int_equal(policy_watch(policy, 1)->severity, SEV_HIGH);
	assert_string_equal(policy_watch(policy, 2)->name, "dumps");
	assert_int_equal(policy_watch(policy, 2)->object_class, CLASS_DUMP);
	assert_int_equal(policy_watch(policy, 2)->severity, SEV_CRITICAL);
	assert_null(policy_watch(policy, 3));
	policy_free(policy);
}

static void entries_are_found_by_name(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		uint32_t watch;
	} cases[] = {
		{"user-keys", 9, 1}, {"dumps", 5, 2},	    {"dump", 4, 0}, {"dumpsx", 6, 0},
		{"dumps\0x", 7, 0},  {"user-keysXX", 9, 1}, {"", 0, 0},	    {NULL, 0, 0},
		{"a", 1, 0},	     {"z", 1, 0},	    {"\xff", 1, 0},
	};
	struct policy *policy = parse(two, "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(policy_find_watch(policy,
						   (struct span){cases[i].name, cases[i].len}),
				 cases[i].watch);
	policy_free(policy);
}

static void allowed_programs_are_listed_once(void **state)
{
	struct policy *policy = parse(two, "");

	assert_string_equal(policy_allowed_exe(policy, 0), "/usr/bin/ssh");
	assert_string_equal(policy_allowed_exe(policy, 1), "/usr/bin/ssh-add");
	assert_null(policy_allowed_exe(policy, 2));
	assert_null(policy_allowed_exe(policy, 100));
	policy_free(policy);
}

static void accesses_are_judged(void **state)
{
	static const struct {
		const char *what;
		uint32_t watch;
		enum policy_action action;
		const char *exe;
		enum exe_trust trust;
		enum verdict verdict;
		const char *why;
		unsigned line;
	} cases[] = {
		{"allowed and verified", 1, ACTION_READ, "/usr/bin/ssh", EXE_VERIFIED,
		 VERDICT_ALLOW, "the policy allows this program to read SSH user keys", 9},
		{"not allowed", 1, ACTION_READ, "/usr/bin/cat", EXE_VERIFIED, VERDICT_ALERT,
		 "the policy allows no such program to read SSH user keys", 4},
		{"allowed for another entry", 2, ACTION_READ, "/usr/bin/ssh-add", EXE_VERIFIED,
		 VERDICT_ALERT, "the policy allows no such program to read crash dumps", 11},
		{"the other entry's own", 2, ACTION_READ, "/usr/bin/ssh", EXE_VERIFIED,
		 VERDICT_ALLOW, "the policy allows this program to read crash dumps", 15},
		{"beginning of an allowed path", 1, ACTION_READ, "/usr/bin/ss", EXE_VERIFIED,
		 VERDICT_ALERT, "the policy allows no such program to read SSH user keys", 4},
		{"no path", 1, ACTION_READ, "", EXE_VERIFIED, VERDICT_ALERT,
		 "the policy allows no such program to read SSH user keys", 4},
		{"path not verified", 1, ACTION_READ, "/usr/bin/ssh", EXE_UNKNOWN, VERDICT_ALERT,
		 "the policy allows this path, but it could not be verified that the file at this "
		 "path is what runs",
		 9},
		{"another file there", 1, ACTION_READ, "/usr/bin/ssh", EXE_OTHER, VERDICT_ALERT,
		 "the policy allows this path, but another file stands there than the one that "
		 "runs",
		 9},
		{"deleted", 1, ACTION_READ, "/usr/bin/ssh", EXE_MEMORY, VERDICT_ALERT,
		 "the policy allows this path, but what runs is a deleted file or one that never "
		 "had a name",
		 9},
		{"writable", 1, ACTION_READ, "/usr/bin/ssh", EXE_WRITABLE, VERDICT_ALERT,
		 "the policy allows this path, but somebody other than root can change the file "
		 "that stands there",
		 9},
		{"trust out of range", 1, ACTION_READ, "/usr/bin/ssh", 77, VERDICT_ALERT,
		 "the policy allows this path, but it could not be verified that the file at this "
		 "path is what runs",
		 9},
		{"written", 1, ACTION_WRITE, "/usr/bin/vi", EXE_VERIFIED, VERDICT_RECORD,
		 "it was written, not read", 4},
		{"no entry", 0, ACTION_READ, "/usr/bin/ssh", EXE_VERIFIED, VERDICT_RECORD,
		 "no watch entry of the policy in force is about it", 0},
		{"entry of another policy", 3, ACTION_READ, "/usr/bin/ssh", EXE_VERIFIED,
		 VERDICT_RECORD, "no watch entry of the policy in force is about it", 0},
	};
	struct policy *policy = parse(two, "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = cases[i].watch,
			.action = cases[i].action,
			.subject.exe = span_of(cases[i].exe),
			.subject.exe_trust = cases[i].trust,
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.verdict != cases[i].verdict || strcmp(answer.why, cases[i].why) ||
		    answer.line != cases[i].line || !answer.file != !cases[i].line)
			fail_msg("%s: %d, line %u, %s", cases[i].what, answer.verdict, answer.line,
				 answer.why);
	}
	policy_free(policy);
}

/* A verified executable is not enough: what has got into the image counts, and more of it for a
 * program that a rule names than for whatever runs in a unit or a container. */
static void an_image_with_something_foreign_in_it_is_not_trusted(void **state)
{
	static const char text[] = "version: 1\n"
				   "watch:\n"
				   "  - name: keys\n"
				   "    class: ssh-user-key\n"
				   "    severity: high\n"
				   "    paths: [/k]\n"
				   "    allow:\n"
				   "      - exe: /usr/bin/ssh\n"
				   "      - unit: a.service\n"
				   "      - {exe: /usr/bin/pod, container: c}\n";
	static const struct {
		const char *exe, *unit, *container;
		enum exe_trust trust;
		uint32_t untrusted;
		const char *why; /* a part of it; NULL = allowed */
	} cases[] = {
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, 0, NULL},
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, UNTRUSTED_MAPPED, "has mapped code"},
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, UNTRUSTED_TRACED, "a tracer has"},
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, UNTRUSTED_MAPPED | UNTRUSTED_TRACED,
		 "a tracer has"},
		{"/usr/bin/ssh", "", "", EXE_OTHER, UNTRUSTED_OTHER | UNTRUSTED_MAPPED,
		 "another file stands there"},
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, UNTRUSTED_UNKNOWN, "could not be seen"},
		{"/usr/bin/ssh", "", "", EXE_VERIFIED, UNTRUSTED_DISGUISED, "has set itself"},
		{"/usr/bin/x", "a.service", "", EXE_UNKNOWN, UNTRUSTED_UNKNOWN,
		 "could not be seen"},
		{"/usr/bin/x", "a.service", "", EXE_UNKNOWN, 0, NULL},
		{"/home/x", "a.service", "", EXE_UNKNOWN, UNTRUSTED_WRITABLE, NULL},
		{"/home/x", "a.service", "", EXE_UNKNOWN, UNTRUSTED_MAPPED, NULL},
		{"/home/x", "a.service", "", EXE_UNKNOWN, UNTRUSTED_TRACED, "a tracer has"},
		{"memfd:x", "a.service", "", EXE_UNKNOWN, UNTRUSTED_MEMORY, "never had a name"},
		{"/usr/bin/pod", "", "c", EXE_OTHER, UNTRUSTED_OTHER | UNTRUSTED_MAPPED, NULL},
		{"/usr/bin/pod", "", "c", EXE_OTHER, UNTRUSTED_TRACED, "a tracer has"},
		{"/usr/bin/pod", "", "c", EXE_MEMORY, UNTRUSTED_MEMORY, "never had a name"},
	};
	struct policy *policy = parse(text, "");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject =
				{
					.exe = span_of(cases[i].exe),
					.unit = span_of(cases[i].unit),
					.container = span_of(cases[i].container),
					.exe_trust = cases[i].trust,
					.untrusted = cases[i].untrusted,
				},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason != (cases[i].why ? REASON_DISTRUST : REASON_ALLOWED) ||
		    (cases[i].why && !strstr(answer.why, cases[i].why)))
			fail_msg("case %zu: %d, %s", i, answer.verdict, answer.why);
	}
	policy_free(policy);
}

/* Package and digest: of a program that is named, and of whoever they fit. */
static void rules_may_ask_what_the_executable_is(void **state)
{
#define SHA "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char text[] = "version: 1\n"
				   "watch:\n"
				   "  - name: keys\n"
				   "    class: ssh-user-key\n"
				   "    severity: high\n"
				   "    paths: [/k]\n"
				   "    allow:\n"
				   "      - {exe: /usr/bin/a, package: tool}\n"
				   "      - {exe: /usr/bin/b, digest: '" SHA "'}\n"
				   "      - {package: any}\n";
	static const struct {
		const char *exe;
		bool inspected;
		enum package_state state;
		const char *package, *digest;
		enum exe_trust trust;
		uint32_t untrusted;
		enum policy_reason reason;
	} cases[] = {
		{"/usr/bin/a", true, PACKAGE_INTACT, "tool", "", EXE_VERIFIED, 0, REASON_ALLOWED},
		{"/usr/bin/a", true, PACKAGE_INTACT, "tool:amd64", "", EXE_VERIFIED, 0,
		 REASON_ALLOWED},
		{"/usr/bin/a", true, PACKAGE_INTACT, "tools", "", EXE_VERIFIED, 0, REASON_DISTRUST},
		{"/usr/bin/a", true, PACKAGE_MODIFIED, "tool", "", EXE_VERIFIED, 0,
		 REASON_DISTRUST},
		{"/usr/bin/a", true, PACKAGE_NONE, "", "", EXE_VERIFIED, 0, REASON_DISTRUST},
		{"/usr/bin/a", true, PACKAGE_INTACT, "tool", "", EXE_OTHER, UNTRUSTED_OTHER,
		 REASON_DISTRUST},
		{"/usr/bin/a", false, 0, "", "", EXE_VERIFIED, 0, REASON_DISTRUST},
		{"/usr/bin/b", true, PACKAGE_NONE, "", SHA, EXE_VERIFIED, 0, REASON_ALLOWED},
		{"/usr/bin/b", true, PACKAGE_NONE, "", "sha256:00", EXE_VERIFIED, 0,
		 REASON_DISTRUST},
		{"/usr/bin/b", true, PACKAGE_UNKNOWN, "", "", EXE_VERIFIED, 0, REASON_DISTRUST},
		{"/usr/bin/c", true, PACKAGE_INTACT, "any", "", EXE_UNKNOWN, 0, REASON_ALLOWED},
		{"/usr/bin/c", true, PACKAGE_INTACT, "other", "", EXE_UNKNOWN, 0, REASON_NO_RULE},
		{"/usr/bin/c", true, PACKAGE_INTACT, "any", "", EXE_UNKNOWN, UNTRUSTED_WRITABLE,
		 REASON_DISTRUST},
		{"/usr/bin/c", true, PACKAGE_INTACT, "any", "", EXE_UNKNOWN, UNTRUSTED_MAPPED,
		 REASON_DISTRUST},
	};
	struct policy *policy =
		parse(text, "p.yaml:10:9: warning: package 'any' without `exe`: every "
			    "program that comes to it waits up to ten seconds for "
			    "its verdict until its package is known; name its "
			    "programs by `exe`\n");

	assert_true(policy_inspects(policy, span_of("/usr/bin/a")));
	assert_true(policy_inspects(policy, span_of("/usr/bin/b")));
	assert_false(policy_inspects(policy, span_of("/usr/bin/c")));
	assert_false(policy_inspects(policy, span_of("/usr/bin/aa")));
	assert_false(policy_inspects(policy, span_of("/usr/bin/")));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct policy_query query = {
			.watch = 1,
			.action = ACTION_READ,
			.subject =
				{
					.exe = span_of(cases[i].exe),
					.exe_trust = cases[i].trust,
					.untrusted = cases[i].untrusted,
					.inspected = cases[i].inspected,
					.package_state = cases[i].state,
					.package = span_of(cases[i].package),
					.digest = span_of(cases[i].digest),
				},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason != cases[i].reason)
			fail_msg("case %zu: %d, %s", i, answer.reason, answer.why);
		/* `package: any` asks about all of which nothing is known. */
		if (!cases[i].inspected && !answer.pending)
			fail_msg("case %zu: decided at once", i);
	}
	policy_free(policy);
#undef SHA
}

/* Each of a thousand entries with its own programs: look-ups do not mix them up. */
static void many_rules_are_kept_apart(void **state)
{
	enum { NR = 1000 };
	_cleanup_free_ char *text = NULL;
	struct policy *policy;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fputs("version: 1\nwatch:\n", f);
	for (int i = 0; i < NR; i++)
		fprintf(f,
			"  - {name: w%d, class: key, paths: [/k%d], allow: [{exe: /bin/x%d}, {exe: "
			"/bin/y%d}]}\n",
			i, i, i, i % 7);
	fclose(f);
	policy = parse(text, "");
	for (int i = 0; i < NR; i++) {
		char exe[3][32];

		snprintf(exe[0], sizeof(exe[0]), "/bin/x%d", i);
		snprintf(exe[1], sizeof(exe[1]), "/bin/y%d", i % 7);
		snprintf(exe[2], sizeof(exe[2]), "/bin/x%d", i + 1);
		for (int e = 0; e < 3; e++) {
			struct policy_query query = {.watch = (uint32_t)i + 1,
						     .action = ACTION_READ,
						     .subject.exe = span_of(exe[e]),
						     .subject.exe_trust = EXE_VERIFIED};
			struct policy_answer answer;

			policy_judge(policy, &query, &answer);
			assert_int_equal(answer.verdict, e < 2 ? VERDICT_ALLOW : VERDICT_ALERT);
		}
	}
	policy_free(policy);
}

static void words_round_trip_and_never_are_null(void **state)
{
	for (int c = -1; c <= CLASS_NR; c++) {
		assert_non_null(object_class_str((enum object_class)c));
		assert_non_null(object_class_noun((enum object_class)c));
		assert_int_equal(!strcmp(object_class_str((enum object_class)c), "?"),
				 c < 1 || c == CLASS_NR);
	}
	for (int s = -1; s <= SEV_NR; s++)
		assert_int_equal(!strcmp(severity_str((enum severity)s), "?"),
				 s < 1 || s == SEV_NR);
	assert_string_equal(severity_str(SEV_CRITICAL), "critical");
	assert_string_equal(object_class_noun(CLASS_DUMP), "crash dump");
}

static void odd_things_are_warned_of(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"- {name: a, class: key, paths: [/x, '/y/**', /z]}\n"
		 "- {name: b, class: key, paths: [/x]}\n"
		 "- {name: c, class: key, paths: ['/y/**/*', /q]}\n",
		 "p.yaml:4:33: warning: path '/x' never matches: watch entry 'a' names it before\n"
		 "p.yaml:5:33: warning: path '/y/**/*' never matches: watch entry 'a' names it "
		 "before\n"
		 "p.yaml:4:3: warning: watch entry 'b' never matches: all its paths belong to "
		 "earlier entries, such as 'a'\n"},
		{"- {name: a, class: key, paths: [/x], exclude: ['*.pub']}\n"
		 "- {name: b, class: key, paths: [/x]}\n",
		 ""},
		{"- {name: a, class: key, paths: [/x], exclude: ['*.pub']}\n"
		 "- {name: b, class: key, paths: [/x], exclude: [y, '*.pub']}\n",
		 "p.yaml:4:33: warning: path '/x' never matches: watch entry 'a' names it before\n"
		 "p.yaml:4:3: warning: watch entry 'b' never matches: all its paths belong to "
		 "earlier entries, such as 'a'\n"},
		{"- {name: a, class: key, paths: [/x, ~/x, /x]}\n",
		 "p.yaml:3:42: warning: path '/x' stands twice in this entry\n"},
		{"- {name: a, class: key, paths: ['/**/x', '~/**', /proc/1/mem, /sys/x, /procx]}\n",
		 "p.yaml:3:33: warning: path '/**/x' covers every directory of the system: each "
		 "one costs a mark\n"
		 "p.yaml:3:42: warning: path '~/**' covers every directory of every home: each one "
		 "costs a mark\n"
		 "p.yaml:3:50: warning: path '/proc/1/mem' never matches: files below /proc are "
		 "made up by the kernel at each look and cannot be marked\n"
		 "p.yaml:3:63: warning: path '/sys/x' never matches: files below /sys are made up "
		 "by the kernel at each look and cannot be marked\n"},
		{"- name: a\n"
		 "  class: key\n"
		 "  paths: [/x]\n"
		 "  allow:\n"
		 "  - exe: /usr/bin/python3.11\n"
		 "  - exe: /usr/bin/dash\n"
		 "  - exe: /usr/bin/dashboard\n"
		 "  - exe: /usr/bin/dashboard\n",
		 "p.yaml:7:10: warning: /usr/bin/python3.11 runs what it is told: to allow it is "
		 "to allow every script and command given to it; a `script` "
		 "beside it allows that one alone\n"
		 "p.yaml:8:10: warning: /usr/bin/dash runs what it is told: to allow it is to "
		 "allow every script and command given to it; a `script` "
		 "beside it allows that one alone\n"
		 "p.yaml:10:10: warning: /usr/bin/dashboard is allowed already, at line 9\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "version: 1\nwatch:\n%s", cases[i].text);
		policy_free(parse(text, cases[i].told));
	}
}

/* --- files --------------------------------------------------------------------------------------
 */

static const char *put(void **state, const char *name, const char *text)
{
	const char *path = tmpdir_path(state, name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return path;
}

static char *load(const char *const *files, size_t nr, int expected, struct policy **out_policy)
{
	struct diag_list diags = {0};
	char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);

	assert_int_equal(policy_load(files, nr, &diags, out_policy), expected);
	diag_print(&diags, f);
	fclose(f);
	diag_list_fini(&diags);
	return printed;
}

static void several_files_are_one_policy(void **state)
{
	const char *files[] = {
		put(state, "a",
		    "version: 1\nsettings: {alert_burst: 3, marks_max: 2048}\n"
		    "watch: [{name: a, class: key, paths: [/a]}]\n"),
		put(state, "b",
		    "version: 1\nsettings: {alert_burst: 4}\n"
		    "watch: [{name: b, class: key, paths: [/b]}]\n"),
	};
	struct policy *policy = NULL;
	_cleanup_free_ char *told = load(files, 2, 0, &policy);

	assert_string_equal(told, "");
	assert_int_equal(policy_nr_watches(policy), 2);
	assert_int_equal(policy_find_watch(policy, span_of("b")), 2);
	assert_int_equal(policy_settings(policy)->alert_burst, 4);
	assert_int_equal(policy_settings(policy)->marks_max, 2048);
	policy_free(policy);
}

static void errors_of_all_files_are_told(void **state)
{
	const char *a =
		put(state, "a", "version: 1\nwatch: [{name: x, class: key, paths: [/a]}]\n");
	const char *b =
		put(state, "b", "version: 1\nwatch: [{name: x, class: key, paths: [/b]}]\n");
	const char *c = put(state, "c", "version: 3\n");
	const char *gone = tmpdir_path(state, "gone");
	const char *files[] = {a, b, c, gone};
	struct policy *policy = (void *)files;
	_cleanup_free_ char *told = load(files, 4, -EINVAL, &policy);
	char expected[1024];

	snprintf(expected, sizeof(expected),
		 "%s:2:16: error: watch entry 'x' is there already: %s:2:9\n"
		 "%s:1:10: error: version '3' is not known: this keytrail reads version 1\n"
		 "%s: error: cannot be read: No such file or directory\n",
		 b, a, c, gone);
	assert_string_equal(told, expected);
	assert_ptr_equal(policy, files);
}

static void only_readable_files_of_some_size_are_read(void **state)
{
	const char *fifo = tmpdir_path(state, "fifo"), *dir = *state;
	struct policy *policy = NULL;
	_cleanup_free_ char *big = malloc((1 << 20) + 2), *told_fifo = NULL, *told_dir = NULL;
	_cleanup_free_ char *told_big = NULL, *told_none = NULL, *told_just = NULL;
	const char *path;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	told_fifo = load(&fifo, 1, -EINVAL, &policy);
	assert_non_null(strstr(told_fifo, "/fifo: error: is not a regular file\n"));
	told_dir = load(&dir, 1, -EINVAL, &policy);
	assert_non_null(strstr(told_dir, ": error: is not a regular file\n"));
	told_none = load(NULL, 0, -EINVAL, &policy);
	assert_string_equal(told_none, "-: error: there is no policy file\n");

	memset(big, '#', (1 << 20) + 1);
	big[(1 << 20) + 1] = '\0';
	memcpy(big, "version: 1 ", 11);
	path = put(state, "big", big);
	told_big = load(&path, 1, -EINVAL, &policy);
	assert_non_null(strstr(told_big, "/big: error: is larger than 1 MiB\n"));
	assert_null(policy);
	big[1 << 20] = '\0';
	path = put(state, "big", big);
	told_just = load(&path, 1, 0, &policy);
	policy_free(policy);
}

static void a_file_that_everybody_can_write_is_warned_of(void **state)
{
	const char *path =
		put(state, "a", "version: 1\nwatch: [{name: x, class: key, paths: [/a]}]\n");
	struct policy *policy = NULL;
	_cleanup_free_ char *told = NULL;
	char expected[512];

	assert_int_equal(chmod(path, 0666), 0);
	told = load(&path, 1, 0, &policy);
	snprintf(expected, sizeof(expected),
		 "%s: warning: everybody can write this file, and so decide what is watched\n",
		 path);
	assert_string_equal(told, expected);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_have_defaults),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(marks_and_ends_of_line_of_other_systems_are_taken),
		cmocka_unit_test(entries_are_numbered_as_written),
		cmocka_unit_test(entries_are_found_by_name),
		cmocka_unit_test(allowed_programs_are_listed_once),
		cmocka_unit_test(accesses_are_judged),
		cmocka_unit_test(an_image_with_something_foreign_in_it_is_not_trusted),
		cmocka_unit_test(rules_may_ask_what_the_executable_is),
		cmocka_unit_test(many_rules_are_kept_apart),
		cmocka_unit_test(words_round_trip_and_never_are_null),
		cmocka_unit_test(odd_things_are_warned_of),
		cmocka_unit_test_setup_teardown(several_files_are_one_policy, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(errors_of_all_files_are_told, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(only_readable_files_of_some_size_are_read,
						tmpdir_make, tmpdir_clean),
		cmocka_unit_test_setup_teardown(a_file_that_everybody_can_write_is_warned_of,
						tmpdir_make, tmpdir_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
