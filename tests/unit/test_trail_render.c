// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trail/, the whole way: scripts of tests/replay go through the engine into a database in memory,
 * and what is shown of the key in them is compared with SCRIPT.trail (text) and SCRIPT.trail.json.
 *
 * After a wanted change KT_REPLAY_UPDATE=1 writes them anew (and the test then fails once, so that
 * it is looked at). Run from the top of the repository.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/replay.h"
#include "trail/render.h"
#include "trail/store.h"

#define FINGERPRINT "SHA256:kA5Xm1fQxXw1u4d0rXoUQm7a1B9u2pO1iVYcV1W3s0Q"

static void feed(const char *script, struct trail_store *store)
{
	const struct trail_sink sink = trail_store_sink(store);
	_cleanup_free_ char *trace = NULL, *own = NULL;
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	const char *file;

	assert_true(asprintf(&trace, "tests/replay/%s.trace", script) > 0);
	assert_true(asprintf(&own, "tests/replay/%s.policy.yaml", script) > 0);
	file = own;
	assert_int_equal(policy_load(&file, 1, &diags, &policy), 0);
	assert_int_equal(replay_run(trace,
				    &(struct replay_options){.policy = policy, .trail = &sink},
				    &diags, NULL),
			 0);
	diag_list_fini(&diags);
	policy_free(policy);
	trail_store_flush(store, 0);
}

static struct trail_store *store_new(void)
{
	const struct trail_store_options options = {.path = ":memory:"};
	struct trail_store *store = NULL;

	assert_int_equal(trail_store_new(&options, &store), 0);
	return store;
}

enum form { TEXT, JSON, DOT };

static char *show(struct trail_store *store, const char *what, enum form form)
{
	struct trail_view view;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(trail_store_view(store, what, 0, &view), 0);
	if (form == TEXT)
		trail_render_text(&view, f);
	else if (form == JSON)
		assert_int_equal(trail_render_json(&view, f), 0);
	else
		trail_render_dot(&view, f);
	trail_view_fini(&view);
	assert_int_equal(fclose(f), 0);
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

static int compare(const char *script, const char *suffix, const char *got)
{
	_cleanup_free_ char *file = NULL, *expected = NULL;

	assert_true(asprintf(&file, "tests/replay/%s.%s", script, suffix) > 0);
	expected = read_file(file);
	if (!strcmp(expected, got))
		return 0;
	fprintf(stderr, "%s: this was not expected:\n%s", file, got);
	if (getenv("KT_REPLAY_UPDATE")) {
		_cleanup_fclose_ FILE *f = fopen(file, "we");

		assert_non_null(f);
		fputs(got, f);
	}
	return 1;
}

static void scripts_give_their_trails(void **state)
{
	static const char *const scripts[] = {"trail-incident", "trail-clean", "zones",
					      "breach-early", "pipeline"};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct trail_store *store = store_new();
		_cleanup_free_ char *text = NULL, *json = NULL;

		feed(scripts[i], store);
		text = show(store, FINGERPRINT, TEXT);
		json = show(store, FINGERPRINT, JSON);
		failed += compare(scripts[i], "trail", text);
		failed += compare(scripts[i], "trail.json", json);
		trail_store_free(store);
	}
	assert_int_equal(failed, 0);
}

static void all_that_leads_to_the_key_gives_its_trail(void **state)
{
	static const char *const ways[] = {
		"/srv/signing/keys/token.key", /* where it is kept */
		"/var/lib/systemd/coredump/core.signd.998.6a1c.901.200.zst",
		"901", /* who read it */
		"1100", /* who read the dump */
		"5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f",
		"1281207f", /* the alert about the crash */
	};
	struct trail_store *store = store_new();
	_cleanup_free_ char *expected = NULL;

	feed("trail-incident", store);
	expected = show(store, FINGERPRINT, TEXT);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		_cleanup_free_ char *got = show(store, ways[i], TEXT);

		assert_string_equal(got, expected);
	}
	trail_store_free(store);
}

static void two_hosts_are_one_trail(void **state)
{
	struct trail_store *store = store_new();
	_cleanup_free_ char *text = NULL;

	/* The same key in the traces of two hosts; those have the same name here. */
	feed("trail-incident", store);
	feed("zones", store);
	text = show(store, FINGERPRINT, TEXT);
	assert_non_null(strstr(text, "read by gdb (pid 1100"));
	assert_non_null(strstr(text, "read by cat (pid 1200"));
	assert_null(strstr(text + 1, "Trail of"));
	trail_store_free(store);
}

static void names_the_json_fields_that_the_document_names(void **state)
{
	_cleanup_free_ char *document = read_file("docs/trail.md"), *text = NULL;
	struct trail_store *store = store_new();
	const char *name;
	json_t *json, *value;

	feed("trail-incident", store);
	text = show(store, FINGERPRINT, JSON);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	json_object_foreach (json, name, value) {
		json_t *item;
		size_t i;

		json_array_foreach (value, i, item) {
			const char *field;
			json_t *unused;

			if (!json_is_object(item))
				break;
			json_object_foreach (item, field, unused) {
				_cleanup_free_ char *quoted = NULL;

				assert_true(asprintf(&quoted, "`%s`", field) > 0);
				if (!strstr(document, quoted))
					fail_msg("docs/trail.md does not name %s", quoted);
			}
		}
	}
	json_decref(json);
	trail_store_free(store);
}

static void hostile_names_stay_within_their_quotes(void **state)
{
	struct trail_store *store = store_new();
	const struct trail_sink sink = trail_store_sink(store);
	_cleanup_free_ char *dot = NULL;

	sink.node(sink.ctx, &(struct trail_node){.name = "key/ssh/SHA256:x",
						 .kind = TRAIL_KEY,
						 .label = "SHA256:x",
						 .about = "\"]; evil [label=\"\\"});
	sink.node(sink.ctx, &(struct trail_node){.name = "h/file/1",
						 .kind = TRAIL_FILE,
						 .host = "h",
						 .label = "/a\"b"});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_HOLDS,
						 .evidence = TRAIL_CONFIRMED,
						 .key = "key/ssh/SHA256:x",
						 .from = "key/ssh/SHA256:x",
						 .to = "h/file/1",
						 .time_ns = 1});
	dot = show(store, "SHA256:x", DOT);
	assert_non_null(strstr(dot, "label=\"\\\"]; evil [label=\\\""));
	assert_non_null(strstr(dot, "/a\\\"b"));
	trail_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_give_their_trails),
		cmocka_unit_test(all_that_leads_to_the_key_gives_its_trail),
		cmocka_unit_test(two_hosts_are_one_trail),
		cmocka_unit_test(names_the_json_fields_that_the_document_names),
		cmocka_unit_test(hostile_names_stay_within_their_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
