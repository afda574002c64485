// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts of other hosts, out of logs, and trails joined by digests. */
#include "trail/claims.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/syslogline.h"
#include "trail/join.h"

#define PRINT "SHA256:kA5Xm1fQxXw1u4d0rXoUQm7a1B9u2pO1iVYcV1W3s0Q"
#define SPKI  "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f"
#define SHA_A "c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2"
#define SHA_B "a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7"
#define KEY   " x1_type=\"RSA\" x1_fingerprint=\"" PRINT "\" x1_spki_sha256=\"" SPKI "\""
#define LINE(host, type, id, minute, rest)                                                       \
	"<82>1 2023-11-14T22:" minute ":00.000000+00:00 " host " keytraild 410 " type            \
	" [keytrail@32473 id=\"" id id id id "\" type=\"" type "\" time=\"2023-11-14T22:" minute \
	":00+00:00\"" rest "] text"
#define DUMP(host, id, minute, path, digests)   \
	LINE(host, "dump-with-key", id, minute, \
	     " scan=\"key\" dump_path=\"" path  \
	     "\" holder_pid=\"7\" holder_exe=\"/bin/s\"" KEY digests)

static struct trail_store *store;
static struct trail_claims_stats stats;

static bool skip_here(void *ctx, const char *host)
{
	return !strcmp(host, "here");
}

static void take(const char *const *lines, size_t nr)
{
	const struct trail_store_options options = {.path = ":memory:"};
	struct trail_claims *claims;
	struct trail_sink sink;

	assert_int_equal(trail_store_new(&options, &store), 0);
	sink = trail_store_sink(store);
	claims = trail_claims_new(&sink, skip_here, NULL);
	for (size_t i = 0; i < nr; i++)
		trail_claims_line(claims, lines[i]);
	trail_claims_stats(claims, &stats);
	trail_claims_free(claims);
	trail_store_flush(store, 0);
}
#define TAKE(...)                                \
	take((const char *const[]){__VA_ARGS__}, \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct trail_view view_of(const char *what)
{
	struct trail_view view;

	assert_int_equal(trail_join_view(NULL, store, what, 0, &view), 0);
	return view;
}

static const struct trail_view_edge *edge_of(const struct trail_view *view,
					     enum trail_edge_kind kind)
{
	for (size_t i = 0; i < view->nr_edges; i++)
		if (view->edges[i].kind == kind)
			return &view->edges[i];
	return NULL;
}

static int teardown(void **state)
{
	trail_store_free(store);
	store = NULL;
	return 0;
}

static void the_same_dump_on_two_hosts_is_one_by_what_was_unpacked(void **state)
{
	const struct trail_view_edge *same;
	struct trail_view view;

	TAKE(DUMP("signer", "11111111", "10", "/c/core.zst",
		  " dump_sha256=\"" SHA_A "\" content1_sha256=\"" SHA_B "\""),
	     DUMP("debug", "22222222", "20", "/h/core", " dump_sha256=\"" SHA_B "\""));
	view = view_of(PRINT);
	same = edge_of(&view, TRAIL_SAME);
	assert_non_null(same);
	assert_int_equal(same->evidence, TRAIL_INFERRED);
	assert_string_equal(same->rule, "same-content");
	assert_string_equal(view.nodes[same->from].host, "signer");
	assert_string_equal(view.nodes[same->to].label, "/h/core");
	assert_int_equal(stats.alerts, 2);
	trail_view_fini(&view);
}

static void another_content_joins_nothing(void **state)
{
	struct trail_view view;

	/* Neither a digest of another file, nor what is none. */
	TAKE(DUMP("signer", "11111111", "10", "/c/core.zst", " dump_sha256=\"" SHA_A "\""),
	     DUMP("debug", "22222222", "20", "/h/core", " dump_sha256=\"" SHA_B "\""),
	     DUMP("third", "33333333", "30", "/h/x", " dump_sha256=\"c2c2...\""),
	     DUMP("fourth", "44444444", "31", "/h/y", " dump_sha256=\"c2c2...\""));
	view = view_of(PRINT);
	assert_null(edge_of(&view, TRAIL_SAME));
	trail_view_fini(&view);
}

static void a_key_told_by_its_fingerprint_alone_is_that_key(void **state)
{
	struct trail_view view;

	TAKE(LINE("debug", "memory-read", "33333333", "05",
		  " pid=\"9\" exe=\"/bin/gdb\" how=\"attach\" target_pid=\"7\""
		  " target_exe=\"/bin/s\" key1_fingerprint=\"" PRINT "\""),
	     DUMP("signer", "11111111", "10", "/c/core", ""));
	view = view_of(SPKI);
	assert_int_equal(view.nr_keys, 1);
	assert_non_null(edge_of(&view, TRAIL_MEMORY_READ));
	assert_int_equal(edge_of(&view, TRAIL_MEMORY_READ)->evidence, TRAIL_INFERRED);
	trail_view_fini(&view);
}

static void what_is_said_of_this_host_and_of_none_is_passed_over(void **state)
{
	struct trail_view view;

	TAKE(DUMP("here", "11111111", "10", "/c/core", ""), DUMP("-", "22222222", "11", "/c/x", ""),
	     "Nov 14 22:10:00 keytraild[4]: x [keytrail@1 id=\"1\" type=\"key-read\"]");
	assert_int_equal(stats.skipped, 3);
	assert_int_equal(stats.alerts, 0);
	assert_int_equal(trail_join_view(NULL, store, PRINT, 0, &view), -ENOENT);
}

static void lines_of_others_are_nothing(void **state)
{
	TAKE("", " ", "{", "{}", "[]", "keytraild", "<1>1 - - keytraild", "a b keytraild - - -",
	     "a b keytraild - - [", "a b sshd 1 - [keytrail@32473 id=\"1\"]",
	     "{\"host\":\"x\",\"type\":{},\"id\":[]}", "a b keytraild - - [x type=\"key-read",
	     LINE("debug", "dump-read", "zzzzzzzz", "10", KEY));
	assert_int_equal(stats.alerts, 0);
	assert_int_equal(stats.skipped, 0);
	assert_int_equal(stats.foreign, stats.lines);
}

/* A sentence, or a value, that looks like a parameter is none. */
static void a_value_cannot_pose_as_a_parameter(void **state)
{
	struct syslog_line line;
	char value[64];

	assert_true(syslog_line_parse("<1>1 T host keytraild 1 m [s@1 path=\"a\\\" pid=\\\"7\" "
				      "pid=\"8\"] pid=\"9\"",
				      &line));
	assert_true(syslog_line_param(&line, "pid", value, sizeof(value)));
	assert_string_equal(value, "8");
	assert_true(syslog_line_param(&line, "path", value, sizeof(value)));
	assert_string_equal(value, "a\" pid=\"7");
	assert_false(syslog_line_param(&line, "path", value, 5));
	assert_string_equal(line.host, "host");
}

static void the_older_framing_is_read_with_and_without_its_priority(void **state)
{
	static const char *const lines[] = {
		"<82>Nov 14 22:41:07 debug keytraild[410]: text [keytrail@32473 id=\"7\"]",
		"Nov  4 22:41:07 debug keytraild[410]: text [keytrail@32473 id=\"7\"]",
		"2023-11-14T22:41:07+00:00 debug keytraild: text [keytrail@32473 id=\"7\"]",
	};
	struct syslog_line line;
	char value[8];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(syslog_line_parse(lines[i], &line));
		assert_string_equal(line.host, "debug");
		assert_true(syslog_line_param(&line, "id", value, sizeof(value)));
		assert_string_equal(value, "7");
	}
	assert_false(syslog_line_parse("Nov 14 22:41:07 debug sshd[4]: keytraild[1]: x [keytrail@1 "
				       "id=\"7\"]",
				       &line));
	assert_false(syslog_line_parse("<1>1 T debug sshd keytraild - [s@1 id=\"7\"]", &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(f) cmocka_unit_test_teardown(f, teardown)
		CASE(the_same_dump_on_two_hosts_is_one_by_what_was_unpacked),
		CASE(another_content_joins_nothing),
		CASE(a_key_told_by_its_fingerprint_alone_is_that_key),
		CASE(what_is_said_of_this_host_and_of_none_is_passed_over),
		CASE(lines_of_others_are_nothing),
		CASE(a_value_cannot_pose_as_a_parameter),
		CASE(the_older_framing_is_read_with_and_without_its_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
