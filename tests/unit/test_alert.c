// SPDX-License-Identifier: GPL-2.0-or-later
/* alert/: JSON that holds everything, is always valid, and is described in docs/alerts.md to the
 * last name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alert.h"
#include "base/cleanup.h"

/* The fields are not const because alerts own them; these are never freed. */
#define STR(s) ((char *)(s))

static struct alert_process processes[] = {
	{.pid = 812,
	 .start = 5,
	 .uid = 1000,
	 .exe = STR("/usr/bin/cat"),
	 .args = STR("cat x"),
	 .user = STR("alice")},
	{.pid = 800,
	 .start = 4,
	 .uid = 1000,
	 .exe = STR("/usr/bin/bash"),
	 .args = STR(""),
	 .user = STR("alice")},
	{.pid = 1, .start = 1, .uid = 0, .exe = STR("/init"), .args = STR(""), .user = STR("root")},
};

static struct alert whole(void)
{
	return (struct alert){
		.id = "00112233445566778899aabbccddeeff",
		.type = ALERT_KEY_READ,
		.severity = SEV_HIGH,
		.time_ns = 1700000000123456789,
		.host = STR("web1"),
		.text = STR("text"),
		.attack = "T1552.004",
		.count = 1,
		.first_ns = 1700000000123456789,
		.last_ns = 1700000001000000000,
		.processes = processes,
		.nr_processes = 3,
		.ancestry_complete = true,
		.euid = 1000,
		.loginuid = 1000,
		.session = 3,
		.login_user = STR("alice"),
		.unit = STR("session-3.scope"),
		.container = STR(""),
		.image = STR("q.io/a:1"),
		.image_id = STR("sha256:00"),
		.image_container = STR("0123456789ab"),
		.exe_trust = EXE_OTHER,
		.untrusted = UNTRUSTED_TRACED | UNTRUSTED_OTHER,
		.package = STR("coreutils"),
		.package_state = PACKAGE_MODIFIED,
		.exe_digest = STR("sha256:00ff"),
		.exe_verity = STR("sha256:ff00"),
		.object = 17,
		.path = STR("/home/alice/.ssh/id_rsa"),
		.via = STR("/mnt/x"),
		.new_path = STR("/mnt/y"),
		.sent = {.how = "connect", .to = "192.0.2.7", .port = 443},
		.watch = STR("ssh-user-keys"),
		.object_class = "ssh-user-key",
		.owner = 1000,
		.owner_user = STR("alice"),
		.key_known = true,
		.key = {.kind = KEY_ED25519,
			.format = KEYFMT_OPENSSH,
			.source = KEYSRC_FILE,
			.bits = 256,
			.has_spki = true,
			.spki = {0xab, 0xcd},
			.ssh_fp = "SHA256:x",
			.comment = "c"},
		.how = ACCESS_MMAP,
		.mode = ACCESS_M_READ | ACCESS_M_WRITE,
		.event_flags = EVENT_PATH_TRUNCATED | EVENT_GENERATION,
		.rule = STR("because"),
		.evidence = "observed",
		.cause = STR(""),
	};
}

static json_t *parse(const struct alert *alert)
{
	_cleanup_free_ char *line = alert_json(alert);
	json_t *json;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

/* The value at "a.b.c" as text. */
static const char *at(json_t *json, const char *path)
{
	static char text[256];
	char name[64];

	while (*path) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
					   : json_object_get(json, name);
		path += n + (path[n] == '.');
	}
	switch (json ? (int)json_typeof(json) : -1) {
	case JSON_STRING:
		return json_string_value(json);
	case JSON_INTEGER:
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(json));
		return text;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		return "null";
	case -1:
		return "(absent)";
	default:
		return "(other)";
	}
}

static void every_field_is_there(void **state)
{
	static const struct {
		const char *path, *value;
	} cases[] = {
		{"schema", "1"},
		{"id", "00112233445566778899aabbccddeeff"},
		{"type", "key-read"},
		{"severity", "high"},
		{"time", "2023-11-14T22:13:20.123456789Z"},
		{"host", "web1"},
		{"text", "text"},
		{"attack", "T1552.004"},
		{"evidence", "observed"},
		{"count", "1"},
		{"first", "2023-11-14T22:13:20.123456789Z"},
		{"last", "2023-11-14T22:13:21.000000000Z"},
		{"summary", "false"},
		{"summary_of", ""},
		{"subject.pid", "812"},
		{"subject.start_ns", "5"},
		{"subject.exe", "/usr/bin/cat"},
		{"subject.args", "cat x"},
		{"subject.user", "alice"},
		{"subject.loginuid", "1000"},
		{"subject.session", "3"},
		{"subject.unit", "session-3.scope"},
		{"subject.image", "q.io/a:1"},
		{"subject.image_id", "sha256:00"},
		{"subject.image_container", "0123456789ab"},
		{"subject.exe_trust", "other"},
		{"subject.package", "coreutils"},
		{"subject.package_state", "modified"},
		{"subject.exe_digest", "sha256:00ff"},
		{"subject.exe_verity", "sha256:ff00"},
		{"subject.untrusted.0", "traced"},
		{"subject.untrusted.1", "other"},
		{"subject.untrusted.2", "(absent)"},
		{"ancestry.0.pid", "800"},
		{"ancestry.1.exe", "/init"},
		{"ancestry.2", "(absent)"},
		{"ancestry_complete", "true"},
		{"object.path", "/home/alice/.ssh/id_rsa"},
		{"object.via", "/mnt/x"},
		{"object.class", "ssh-user-key"},
		{"object.key.type", "ED25519"},
		{"object.key.bits", "256"},
		{"object.key.source", "file"},
		{"object.key.encrypted", "false"},
		{"object.key.spki_sha256",
		 "abcd000000000000000000000000000000000000000000000000000000000000"},
		{"access.how", "mmap"},
		{"access.new_path", "/mnt/y"},
		{"sent.how", "connect"},
		{"sent.to", "192.0.2.7"},
		{"sent.port", "443"},
		{"access.mode.0", "read"},
		{"access.mode.1", "write"},
		{"access.incomplete.0", "path"},
		{"access.incomplete.1", "generation"},
		{"rule", "because"},
		{"cause", ""},
		{"gap", "(absent)"},
	};
	struct alert alert = whole();
	json_t *json = parse(&alert);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(at(json, cases[i].path), cases[i].value) != 0)
			fail_msg("%s: %s", cases[i].path, at(json, cases[i].path));
	json_decref(json);
}

static void its_place_in_the_evidence_log_is_told_where_there_is_one(void **state)
{
	struct alert alert = whole();
	json_t *json = parse(&alert);

	assert_string_equal(at(json, "chain"), "(absent)");
	json_decref(json);
	alert.chain_seq = 5321;
	memset(alert.chain_head, 'a', 64);
	json = parse(&alert);
	assert_string_equal(at(json, "chain.seq"), "5321");
	assert_string_equal(at(json, "chain.head"), alert.chain_head);
	json_decref(json);
}

static struct alert whole_memory(void)
{
	struct alert alert = whole();

	alert.type = ALERT_MEMORY_READ;
	alert.object = 0;
	alert.memory_how = MEMORY_PROC_MEM;
	alert.target = processes[1];
	alert.nr_keys = 2;
	alert.keys_read = 7;
	alert.keys[0] = (struct alert_key){.path = STR("/home/alice/.ssh/id_rsa"),
					   .object_class = "ssh-user-key",
					   .key_known = true,
					   .key = alert.key};
	alert.keys[1] = (struct alert_key){.path = STR(""), .object_class = ""};
	return alert;
}

static void whose_memory_and_what_it_has_read(void **state)
{
	static const struct {
		const char *path, *value;
	} cases[] = {
		{"type", "memory-read"},
		{"object", "(absent)"},
		{"subject.pid", "812"},
		{"target.pid", "800"},
		{"target.exe", "/usr/bin/bash"},
		{"memory.how", "proc-mem"},
		{"memory.keys_read", "7"},
		{"memory.keys.0.path", "/home/alice/.ssh/id_rsa"},
		{"memory.keys.0.class", "ssh-user-key"},
		{"memory.keys.0.key.fingerprint", "SHA256:x"},
		{"memory.keys.1.path", ""},
		{"memory.keys.1.key", "null"},
		{"memory.keys.2", "(absent)"},
	};
	struct alert alert = whole_memory();
	json_t *json = parse(&alert);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(at(json, cases[i].path), cases[i].value) != 0)
			fail_msg("%s: %s", cases[i].path, at(json, cases[i].path));
	json_decref(json);
	alert.target.pid = 0;
	alert.memory_how = MEMORY_KCORE;
	json = parse(&alert);
	assert_string_equal(at(json, "target"), "(absent)");
	assert_string_equal(at(json, "memory.how"), "kcore");
	json_decref(json);
	alert = whole();
	json = parse(&alert);
	assert_string_equal(at(json, "memory"), "(absent)");
	json_decref(json);
}

static void what_an_alert_is_not_about_is_absent_or_null(void **state)
{
	struct alert alert = whole();
	json_t *json;

	alert.loginuid = alert.session = UID_UNSET;
	alert.key_known = false;
	json = parse(&alert);
	assert_string_equal(at(json, "subject.loginuid"), "null");
	assert_string_equal(at(json, "subject.session"), "null");
	assert_string_equal(at(json, "object.key"), "null");
	json_decref(json);

	alert = (struct alert){
		.type = ALERT_EVENTS_LOST,
		.gap_from_ns = 1700000000000000000,
		.gap_to_ns = 1700000001000000000,
		.cause = STR("ring-critical"),
		.evidence = "gap",
	};
	json = parse(&alert);
	assert_string_equal(at(json, "subject"), "(absent)");
	assert_string_equal(at(json, "ancestry"), "(absent)");
	assert_string_equal(at(json, "object"), "(absent)");
	assert_string_equal(at(json, "access"), "(absent)");
	assert_string_equal(at(json, "gap.from"), "2023-11-14T22:13:20.000000000Z");
	assert_string_equal(at(json, "gap.cause"), "ring-critical");
	assert_string_equal(at(json, "host"), "");
	json_decref(json);
}

/* A string that slipped through unescaped must not cost the alert. */
static void invalid_text_does_not_cost_the_alert(void **state)
{
	struct alert alert = whole();
	char bad[] = "\xff\xfe";
	json_t *json;

	alert.path = bad;
	json = parse(&alert);
	assert_string_equal(at(json, "object.path"), "(invalid text)");
	assert_string_equal(at(json, "object.watch"), "ssh-user-keys");
	json_decref(json);
}

static char *doc;

/* Each name must stand in the text as `name`, or with its parent as `parent.name`. */
static void documented(const char *prefix, json_t *json)
{
	const char *name;
	json_t *value;

	if (json_is_array(json) && json_is_object(json_array_get(json, 0)))
		json = json_array_get(json, 0);
	json_object_foreach (json, name, value) {
		char full[128], quoted[160];

		snprintf(full, sizeof(full), "%s%s%s", prefix, *prefix ? "." : "", name);
		snprintf(quoted, sizeof(quoted), "`%s`", full);
		/* the steps of the ancestry have the subject's names */
		if (!strncmp(full, "ancestry.", 9))
			snprintf(quoted, sizeof(quoted), "`%s`", name);
		if (!strstr(doc, quoted))
			fail_msg("docs/alerts.md does not name %s", quoted);
		documented(full, value);
	}
}

static void load_doc(void)
{
	_cleanup_fclose_ FILE *f = fopen("docs/alerts.md", "re");
	size_t size = 0;

	if (!f || getdelim(&doc, &size, EOF, f) < 0)
		fail_msg("docs/alerts.md cannot be read: run from the top of the repository");
}

static void a_try_that_was_refused(void **state)
{
	struct alert alert = whole();
	json_t *json;

	alert.type = ALERT_ACCESS_REFUSED;
	alert.refused = "ENOENT";
	alert.owner = UID_UNSET;
	json = parse(&alert);
	assert_string_equal(at(json, "type"), "access-refused");
	assert_string_equal(at(json, "access.refused"), "ENOENT");
	assert_string_equal(at(json, "object.owner"), "null");
	load_doc();
	documented("", json);
	free(doc);
	json_decref(json);
	alert = whole();
	json = parse(&alert);
	assert_string_equal(at(json, "access.refused"), "(absent)");
	json_decref(json);
}

static void a_read_outside_of_its_zone(void **state)
{
	struct alert alert = whole();
	json_t *json;

	alert.type = ALERT_ISOLATION_BREACH;
	alert.breach = (struct alert_breach){
		.zone = (char *)"signing",
		.link = (char *)"signd[9] crashed into core[10]",
		.way = (char *)"/k -> signd[9]",
		.key_known = true,
		.key = alert.key,
	};
	json = parse(&alert);
	assert_string_equal(at(json, "type"), "isolation-breach");
	assert_string_equal(at(json, "breach.zone"), "signing");
	assert_string_equal(at(json, "breach.link"), "signd[9] crashed into core[10]");
	assert_string_equal(at(json, "breach.way"), "/k -> signd[9]");
	assert_string_equal(at(json, "breach.rotate.fingerprint"),
			    at(json, "object.key.fingerprint"));
	load_doc();
	documented("", json);
	free(doc);
	json_decref(json);
	alert.breach.key_known = false;
	json = parse(&alert);
	assert_string_equal(at(json, "breach.rotate"), "null");
	json_decref(json);
}

static void every_name_is_documented(void **state)
{
	struct alert alert = whole();
	json_t *json = parse(&alert);

	load_doc();
	documented("", json);
	json_decref(json);
	alert = (struct alert){.type = ALERT_EVENTS_LOST};
	json = parse(&alert);
	documented("", json);
	json_decref(json);
	free(doc);
}

static void every_word_is_documented(void **state)
{
	char quoted[64];

	load_doc();
#define EACH(from, to, function)                                             \
	for (unsigned v = from; v < to; v++) {                               \
		assert_string_not_equal(function(v), "?");                   \
		snprintf(quoted, sizeof(quoted), "`%s`", function(v));       \
		if (!strstr(doc, quoted))                                    \
			fail_msg("docs/alerts.md does not name %s", quoted); \
	}
	EACH(1, ALERT_TYPE_NR, alert_type_str);
	EACH(SETTING_CORE_PATTERN, SETTING_WHAT_NR, setting_what_str);
	EACH(DUMP_FILE, DUMP_HELPER, dump_how_str);
	EACH(DUMPKIND_ELF_CORE, DUMPKIND_COMPRESSED, dump_kind_str);
	EACH(SEV_INFO, SEV_NR, severity_str);
	EACH(CLASS_SSH_USER_KEY, CLASS_NR, object_class_str);
	EACH(EXE_UNKNOWN, EXE_TRUST_NR, exe_trust_str);
	EACH(ACCESS_OPEN, ACCESS_CLOSE_WRITE, access_how_str);
	EACH(ACCESS_CONNECT, ACCESS_HOW_NR, access_how_str);
	EACH(MEMORY_ATTACH, MEMORY_HOW_NR, memory_how_str);
#undef EACH
	assert_string_equal(alert_type_str(0), "?");
	assert_string_equal(alert_type_str(ALERT_TYPE_NR), "?");
	free(doc);
}

static void an_alert_half_built_can_be_freed(void **state)
{
	struct alert *alert = calloc(1, sizeof(*alert));

	alert_free(NULL);
	assert_non_null(alert);
	alert->processes = calloc(2, sizeof(*alert->processes));
	alert->nr_processes = 2;
	alert->processes[0].exe = strdup("x");
	alert->host = strdup("h");
	alert_free(alert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_there),
		cmocka_unit_test(its_place_in_the_evidence_log_is_told_where_there_is_one),
		cmocka_unit_test(whose_memory_and_what_it_has_read),
		cmocka_unit_test(a_try_that_was_refused),
		cmocka_unit_test(what_an_alert_is_not_about_is_absent_or_null),
		cmocka_unit_test(invalid_text_does_not_cost_the_alert),
		cmocka_unit_test(a_read_outside_of_its_zone),
		cmocka_unit_test(every_name_is_documented),
		cmocka_unit_test(every_word_is_documented),
		cmocka_unit_test(an_alert_half_built_can_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
