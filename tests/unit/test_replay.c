// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each script in tests/replay goes through the whole engine, and the alerts are compared with the
 * .expected file beside it: one JSON line each, in order, ids included.
 *
 * A script may bring its own SCRIPT.policy.yaml; the others share policy.yaml. After a wanted
 * change KT_REPLAY_UPDATE=1 writes the .expected files anew (and the test then fails once, so that
 * it is looked at). Run from the top of the repository, or with KT_REPLAY_DIR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/replay.h"

struct run {
	FILE *out;
	uint64_t nr;
};

static void on_alert(void *ctx, const struct alert *alert)
{
	struct run *run = ctx;
	_cleanup_free_ char *line = alert_json(alert);

	assert_non_null(line);
	fprintf(run->out, "%s\n", line);
	run->nr++;
}

static struct policy *load_policy(const char *script)
{
	_cleanup_free_ char *own = NULL;
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	const char *file;

	if (asprintf(&own, "%.*s.policy.yaml", (int)(strlen(script) - strlen(".trace")), script) <
	    0)
		fail();
	file = own;
	if (access(own, R_OK) != 0) {
		free(own);
		own = strdup("policy.yaml");
		file = own;
	}
	if (policy_load(&file, 1, &diags, &policy) < 0) {
		diag_print(&diags, stderr);
		fail_msg("%s: no policy", file);
	}
	diag_list_fini(&diags);
	return policy;
}

/* The alerts of a script as text. */
static char *replay(const char *script, struct replay_result *result)
{
	struct diag_list diags = {0};
	struct run run = {0};
	struct policy *policy = load_policy(script);
	struct replay_options options = {.policy = policy, .alert = on_alert, .ctx = &run};
	char *text = NULL;
	size_t size;
	int r;

	run.out = open_memstream(&text, &size);
	assert_non_null(run.out);
	r = replay_run(script, &options, &diags, result);
	fclose(run.out);
	if (r < 0 || diags.nr) {
		diag_print(&diags, stderr);
		fail_msg("%s: %d", script, r);
	}
	policy_free(policy);
	assert_int_equal(result->stats.alerts, run.nr);
	assert_int_equal(result->stats.alerts_lost, 0);
	return text;
}

static char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || getdelim(&text, &size, EOF, f) < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

static int compare(const char *script, const char *expected_file, const char *got)
{
	_cleanup_free_ char *expected = read_file(expected_file);
	const char *e = expected, *g = got;
	int line = 1;

	while (*e && *g) {
		size_t ne = strcspn(e, "\n"), ng = strcspn(g, "\n");

		if (ne != ng || memcmp(e, g, ne) != 0)
			break;
		e += ne + (e[ne] == '\n');
		g += ng + (g[ng] == '\n');
		line++;
	}
	/* A script that must stay silent says so by an empty file. */
	if (!*e && !*g && access(expected_file, R_OK) == 0)
		return 0;
	fprintf(stderr,
		"%s: alert %d is not the expected one\n  expected: %.*s\n  got:      %.*s\n",
		script, line, (int)strcspn(e, "\n"), e, (int)strcspn(g, "\n"), g);
	return 1;
}

static void scripts_give_their_alerts(void **state)
{
	const char *dir = getenv("KT_REPLAY_DIR");
	bool update = getenv("KT_REPLAY_UPDATE");
	glob_t found;
	int failed = 0;

	/* Alerts name the policy's file: by the same name wherever the tree stands. */
	if (chdir(dir ? dir : "tests/replay") < 0)
		fail_msg("tests/replay is not here: run from the top, or set KT_REPLAY_DIR");
	assert_int_equal(glob("*.trace", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *script = found.gl_pathv[i];
		struct replay_result result;
		_cleanup_free_ char *got = replay(script, &result), *again = NULL;
		_cleanup_free_ char *expected_file = NULL;

		if (asprintf(&expected_file, "%.*s.expected",
			     (int)(strlen(script) - strlen(".trace")), script) < 0)
			fail();
		/* The same trace gives the same alerts, whatever the tables' secret hash key is. */
		again = replay(script, &result);
		assert_string_equal(got, again);
		if (compare(script, expected_file, got)) {
			failed++;
			if (update) {
				_cleanup_fclose_ FILE *f = fopen(expected_file, "we");

				assert_non_null(f);
				fputs(got, f);
			}
		}
	}
	assert_true(found.gl_pathc >= 15);
	globfree(&found);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_give_their_alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
