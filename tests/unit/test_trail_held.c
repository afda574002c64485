// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/graph: writings that are told when a scan has found the key, or could not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "trail/graph-internal.h"

#define SECOND 1000000000ULL
#define FILE_1 1000
#define FILE_2 1001

static char told[65536]; /* a line for each edge that a file was written, or a key found in it */

static void on_edge(void *ctx, const struct trail_edge *e)
{
	const size_t n = strlen(told);

	if (e->kind == TRAIL_WROTE)
		snprintf(told + n, sizeof(told) - n, "%s wrote %s at %d\n",
			 strrchr(e->from, '/') + 1, strrchr(e->key, ':') + 1,
			 (int)(e->time_ns / SECOND));
	else if (e->kind == TRAIL_FOUND_IN)
		snprintf(told + n, sizeof(told) - n, "found %s\n", strrchr(e->key, ':') + 1);
}

/* Object N below 10 is the file of key N. */
static bool on_object(void *ctx, uint64_t number, struct trail_object *out)
{
	static struct key_identity key;

	key = (struct key_identity){.kind = KEY_ED25519, .source = KEYSRC_FILE};
	snprintf(key.ssh_fp, sizeof(key.ssh_fp), "SHA256:%u", (unsigned)number);
	*out = (struct trail_object){
		.inode = {.ino = number},
		.path = span_of("/f"),
		.watch = span_of("w"),
		.holds_key = number < 10,
		.is_copy = number >= 10,
		.key = number < 10 ? &key : NULL,
	};
	return true;
}

static struct trail_graph *graph_new(void)
{
	const struct trail_sink sink = {.edge = on_edge};
	struct trail_graph *g = trail_graph_new(&(struct trail_graph_config){
		.host = "h",
		.boot_id = "0123456789",
		.object = on_object,
	});

	assert_non_null(g);
	trail_graph_set_sink(g, &sink);
	told[0] = '\0';
	return g;
}

static void expect(const char *text)
{
	assert_string_equal(told, text);
	told[0] = '\0';
}

static struct subject subject(uint32_t pid)
{
	return (struct subject){
		.id = {.start = pid, .exec_id = 1, .tgid = pid},
		.loginuid = UID_UNSET,
	};
}

static void reads(struct trail_graph *g, uint32_t pid, uint64_t object)
{
	const struct event ev = {
		.type = EVENT_ACCESS,
		.time = SECOND,
		.access = {.subject = subject(pid),
			   .inode = {.ino = object},
			   .object = object,
			   .how = ACCESS_OPEN,
			   .mode = ACCESS_M_READ},
	};

	trail_graph_feed(g, &ev);
}

static void writes(struct trail_graph *g, uint32_t pid, uint64_t ino, uint64_t second)
{
	const struct event ev = {
		.type = EVENT_WRITTEN,
		.time = second * SECOND,
		.written = {.subject = subject(pid), .inode = {.ino = ino}, .how = WRITTEN_COPY},
	};

	trail_graph_feed(g, &ev);
}

/* Of the keys that are named, a digit each. */
static struct event_scan scan_of(struct trail_graph *g, uint64_t ino, const char *keys)
{
	static uint64_t scan;
	struct event ev = {
		.type = EVENT_SCAN_KEY,
		.time = SECOND,
		.scan_key = {.scan = ++scan,
			     .places = 1,
			     .key = {.kind = KEY_ED25519, .source = KEYSRC_FILE}},
	};

	for (const char *key = keys; *key; key++) {
		snprintf(ev.scan_key.key.ssh_fp, sizeof(ev.scan_key.key.ssh_fp), "SHA256:%c", *key);
		trail_graph_feed(g, &ev);
	}
	return (struct event_scan){
		.scan = scan,
		.state = *keys ? SCANSTATE_KEY : SCANSTATE_CLEAN,
		.copy = true,
		.inode = {.ino = ino},
		.object = *keys ? ino : 0,
		.keys = strlen(keys),
	};
}

static void ends(struct trail_graph *g, const struct event_scan *scan, uint64_t second)
{
	trail_graph_feed(g, &(struct event){.type = EVENT_SCAN,
					    .time = second * SECOND,
					    .scan = *scan});
}

static void finds(struct trail_graph *g, uint64_t ino, const char *keys, uint64_t second)
{
	const struct event_scan scan = scan_of(g, ino, keys);

	ends(g, &scan, second);
}

static void cannot_say(struct trail_graph *g, uint64_t ino, uint64_t second)
{
	struct event_scan scan = scan_of(g, ino, "");

	scan.state = SCANSTATE_INCOMPLETE;
	ends(g, &scan, second);
}

/* So that what it writes is told later. */
static void uses_up_its_sixteen(struct trail_graph *g, uint32_t pid)
{
	for (unsigned i = 0; i < CANDIDATES_TOLD; i++) {
		writes(g, pid, 2000 + i, 1);
		finds(g, 2000 + i, "", 1);
	}
	told[0] = '\0';
}

static void of_what_a_scan_has_refuted_nothing_is_told(void **state)
{
	struct trail_graph *g = graph_new();
	struct trail_step steps[TRAIL_STEPS_MAX];
	const struct inode_id file = {.ino = FILE_1};
	struct event_scan scan;

	reads(g, 5, 1);
	reads(g, 5, 2);
	uses_up_its_sixteen(g, 5);
	reads(g, 6, 2);
	writes(g, 5, FILE_1, 2); /* key 1 only */
	expect("");
	finds(g, FILE_1, "1", 3);
	expect("5.5.1 wrote 1 at 2\nfound 1\n");
	writes(g, 6, FILE_1, 4);
	expect("6.6.1 wrote 2 at 4\n");
	finds(g, FILE_1, "12", 5);
	expect("found 1\nfound 2\n");
	assert_int_equal(trail_graph_way_to_file(g, &file, "key/ssh/SHA256:2", steps,
						 TRAIL_STEPS_MAX),
			 3);
	assert_int_equal(steps[1].id.tgid, 6);
	/* But what he writes then. */
	writes(g, 5, FILE_1, 6);
	finds(g, FILE_1, "1", 7);
	expect("found 1\n");
	writes(g, 5, FILE_1, 8);
	expect("");
	finds(g, FILE_1, "12", 9);
	expect("found 1\n5.5.1 wrote 2 at 8\nfound 2\n");
	/* And what he wrote while it ran: that came too late for it. */
	uses_up_its_sixteen(g, 6);
	writes(g, 6, FILE_1, 10);
	writes(g, 5, FILE_1, 10);
	writes(g, 5, FILE_1, 12);
	scan = scan_of(g, FILE_1, "1");
	scan.took = 2 * SECOND;
	ends(g, &scan, 13);
	expect("found 1\n");
	finds(g, FILE_1, "12", 14);
	expect("found 1\n5.5.1 wrote 2 at 12\nfound 2\n");
	trail_graph_free(g);
}

/* It found one, and may not have come to the other. */
static void what_was_not_looked_at_is_not_refuted(void **state)
{
	struct trail_graph *g = graph_new();

	reads(g, 5, 1);
	reads(g, 5, 2);
	uses_up_its_sixteen(g, 5);
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t ino = FILE_1 + i;
		struct event_scan scan;

		writes(g, 5, ino, 2);
		scan = scan_of(g, ino, "1");
		scan.flags = span_of(i == 0 ? "truncated" : "");
		scan.cause = i == 1 ? SCANCAUSE_TIME : SCANCAUSE_NONE;
		scan.more = i == 2;
		scan.keys += i == 3;
		ends(g, &scan, 3);
		expect("5.5.1 wrote 1 at 2\nfound 1\n");
		finds(g, ino, "12", 4);
		expect("found 1\n5.5.1 wrote 2 at 2\nfound 2\n");
	}
	trail_graph_free(g);
}

/* Of two that are held back the first was before the scan. */
static void whom_a_scan_has_refuted_makes_room_for_the_next(void **state)
{
	struct trail_graph *g = graph_new();
	struct trail_step steps[TRAIL_STEPS_MAX];
	const struct inode_id file = {.ino = FILE_1};
	struct event_scan scan;

	for (uint32_t pid = 5; pid <= 7; pid++) {
		reads(g, pid, 1);
		reads(g, pid, 2);
		uses_up_its_sixteen(g, pid);
	}
	writes(g, 5, FILE_1, 2);
	writes(g, 6, FILE_1, 4);
	scan = scan_of(g, FILE_1, "1");
	scan.took = SECOND;
	ends(g, &scan, 4);
	told[0] = '\0';
	writes(g, 7, FILE_1, 5);
	finds(g, FILE_1, "12", 6);
	expect("7.7.1 wrote 1 at 5\nfound 1\n"
	       "6.6.1 wrote 2 at 4\n7.7.1 wrote 2 at 5\nfound 2\n");
	assert_int_equal(trail_graph_way_to_file(g, &file, "key/ssh/SHA256:2", steps,
						 TRAIL_STEPS_MAX),
			 3);
	assert_int_equal(steps[1].id.tgid, 6);
	trail_graph_free(g);
}

static size_t count(const char *line)
{
	size_t nr = 0;

	for (const char *at = told; (at = strstr(at, line)); at++)
		nr++;
	return nr;
}

static void of_files_and_not_of_keys_so_many_are_told(void **state)
{
	struct trail_graph *g = graph_new();

	for (uint64_t key = 1; key <= 4; key++)
		reads(g, 5, key);
	uses_up_its_sixteen(g, 5);
	for (uint64_t i = 0; i < 2 * UNCLEAR_TOLD; i++) {
		writes(g, 5, FILE_1 + i, 2);
		cannot_say(g, FILE_1 + i, 3);
	}
	for (char key = '1'; key <= '4'; key++)
		assert_int_equal(count((char[]){'w', 'r', 'o', 't', 'e', ' ', key, '\0'}),
				 UNCLEAR_TOLD);
	trail_graph_free(g);
}

static void what_is_not_told_as_unclear_is_told_as_found(void **state)
{
	struct trail_graph *g = graph_new();

	reads(g, 4, 1);
	reads(g, 5, 1);
	reads(g, 6, 1);
	writes(g, 4, FILE_1, 2);
	finds(g, FILE_1, "1", 3);
	uses_up_its_sixteen(g, 5);
	uses_up_its_sixteen(g, 6);
	for (uint64_t i = 0; i < UNCLEAR_TOLD; i++) {
		writes(g, 5, FILE_2 + i, 4);
		cannot_say(g, FILE_2 + i, 5);
	}
	told[0] = '\0';
	writes(g, 5, FILE_1, 6);
	cannot_say(g, FILE_1, 7);
	expect("");
	writes(g, 5, FILE_1, 8);
	cannot_say(g, FILE_1, 9);
	expect("");
	/* Another has not used them up. */
	writes(g, 6, FILE_1, 10);
	cannot_say(g, FILE_1, 11);
	expect("6.6.1 wrote 1 at 10\n");
	finds(g, FILE_1, "1", 12);
	expect("5.5.1 wrote 1 at 6\nfound 1\n");
	trail_graph_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_what_a_scan_has_refuted_nothing_is_told),
		cmocka_unit_test(what_was_not_looked_at_is_not_refuted),
		cmocka_unit_test(whom_a_scan_has_refuted_makes_room_for_the_next),
		cmocka_unit_test(of_files_and_not_of_keys_so_many_are_told),
		cmocka_unit_test(what_is_not_told_as_unclear_is_told_as_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
