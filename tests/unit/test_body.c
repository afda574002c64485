// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands in a record about an access. */
#include "journal/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "base/cleanup.h"

static struct evidence usual(void)
{
	return (struct evidence){
		.count = 1,
		.action = ACTION_READ,
		.how = "open",
		.verdict = VERDICT_RECORD,
		.why = "the policy expects this program",
		.process = {.tgid = 7, .start = 9},
		.loginuid = UID_UNSET,
		.session = UID_UNSET,
		.exe = span_of("/usr/bin/perl"),
		.args = "",
		.unit = "",
		.container = "",
		.path = span_of("/etc/shadow"),
		.watch = "accounts",
		.object_class = "credential",
	};
}

static json_t *made(const struct evidence *e)
{
	struct body body;
	char text[LINE_BODY_MAX + 3];
	json_t *json;

	body_access(&body, e);
	assert_false(body.cut);
	/* A comma stands behind each member. */
	snprintf(text, sizeof(text), "{%.*s}", (int)body.len - 1, body.p);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		fail_msg("no JSON: %s", text);
	return json;
}

static void is(const json_t *json, const char *name, const char *value)
{
	const char *has = json_string_value(json_object_get(json, name));

	if (!value)
		assert_null(json_object_get(json, name));
	else if (!has || strcmp(has, value) != 0)
		fail_msg("%s is '%s', not '%s'", name, has ? has : "nothing", value);
}

static void a_script_is_told_with_how_it_is_known(void **state)
{
	const struct {
		const char *script, *evidence, *trust;
	} rows[] = {
		{"/usr/sbin/dpkg-preconfigure", "observed", "verified"},
		{"steal.py", "claimed", NULL}, /* nobody asked what stands there */
		{"", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence e = usual();
		json_auto_t *json = NULL;

		e.script = span_of(rows[i].script);
		e.script_evidence = rows[i].evidence ? rows[i].evidence : "";
		e.script_trust = EXE_VERIFIED;
		json = made(&e);
		is(json, "script", *rows[i].script ? rows[i].script : NULL);
		is(json, "script_evidence", rows[i].evidence);
		is(json, "script_trust", rows[i].trust);
	}
}

static void how_the_session_began_is_told_where_it_is_known(void **state)
{
	struct evidence e = usual();
	json_auto_t *unknown = NULL, *ssh = NULL;

	e.session = 7;
	unknown = made(&e);
	assert_int_equal(json_integer_value(json_object_get(unknown, "session")), 7);
	is(unknown, "session_type", NULL);
	is(unknown, "remote", NULL);
	e.session_type = SESSION_SSH;
	e.remote = "2001:db8::1";
	ssh = made(&e);
	is(ssh, "session_type", "ssh");
	is(ssh, "remote", "2001:db8::1");
}

static void what_a_container_was_made_from_is_told_where_it_is_known(void **state)
{
	static const struct {
		const char *name, *id;
	} rows[] = {
		{"docker.io/library/nginx:1.25", "sha256:0011"},
		{"q.io/a", NULL},
		{NULL, "sha256:0011"},
		{NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct evidence e = usual();
		json_auto_t *json = NULL;

		e.container = "0123456789ab";
		e.image = span_of(rows[i].name);
		e.image_id = span_of(rows[i].id);
		json = made(&e);
		is(json, "container", "0123456789ab");
		is(json, "image", rows[i].name);
		is(json, "image_id", rows[i].id);
		is(json, "image_container", NULL);
	}
}

static void which_container_is_of_that_image_is_told_if_it_is_another(void **state)
{
	struct evidence e = usual();
	json_auto_t *json = NULL;

	e.container = "0123456789ab";
	e.image = span_of("docker:dind");
	e.image_container = "ba9876543210";
	json = made(&e);
	is(json, "container", "0123456789ab");
	is(json, "image", "docker:dind");
	is(json, "image_container", "ba9876543210");
}

/* A script's name is whoever's who made the file. */
static void what_others_name_is_escaped(void **state)
{
	struct evidence e = usual();
	json_auto_t *json = NULL;

	e.script = span_of("/tmp/a\n\"b\\");
	e.script_evidence = "claimed";
	e.remote = "a\x1b[31m";
	e.image = span_of("a\xff");
	json = made(&e);
	is(json, "script", "/tmp/a\\x0a\"b\\\\");
	is(json, "remote", "a\\x1b[31m");
	is(json, "image", "a\\xff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_script_is_told_with_how_it_is_known),
		cmocka_unit_test(how_the_session_began_is_told_where_it_is_known),
		cmocka_unit_test(what_a_container_was_made_from_is_told_where_it_is_known),
		cmocka_unit_test(which_container_is_of_that_image_is_told_if_it_is_another),
		cmocka_unit_test(what_others_name_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
