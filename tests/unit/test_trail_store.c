// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/store: kept over a restart, once each, within its bounds, and what a damaged file does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "db/db.h"
#include "tmpdir.h"
#include "trail/store.h"

#define SECOND 1000000000ULL

static struct trail_store *open_store(const char *path, uint64_t max_edges)
{
	const struct trail_store_options options = {.path = path, .max_edges = max_edges};
	struct trail_store *store = NULL;

	assert_int_equal(trail_store_new(&options, &store), 0);
	return store;
}

static enum trail_verified verified; /* whom put() puts */

/* Key number `key` is read by process `pid`. */
static void put(struct trail_store *store, unsigned key, unsigned pid, uint64_t time)
{
	const struct trail_sink sink = trail_store_sink(store);
	char name[64], label[64], file[64], process[64];

	snprintf(name, sizeof(name), "key/ssh/SHA256:%u", key);
	snprintf(label, sizeof(label), "SHA256:%u", key);
	snprintf(file, sizeof(file), "h/file/%u", key);
	snprintf(process, sizeof(process), "h/process/b/%u.1.1", pid);
	sink.node(sink.ctx, &(struct trail_node){.name = name, .kind = TRAIL_KEY, .label = label});
	sink.node(sink.ctx, &(struct trail_node){
				    .name = file, .kind = TRAIL_FILE, .host = "h", .label = "/k"});
	sink.node(sink.ctx, &(struct trail_node){.name = process,
						 .kind = TRAIL_PROCESS,
						 .host = "h",
						 .label = "/usr/bin/cat",
						 .pid = pid,
						 .uid = 1000,
						 .loginuid = UINT32_MAX,
						 .verified = verified});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_HOLDS,
						 .evidence = TRAIL_CONFIRMED,
						 .key = name,
						 .from = name,
						 .to = file,
						 .time_ns = time});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_READ,
						 .evidence = TRAIL_OBSERVED,
						 .key = name,
						 .from = file,
						 .to = process,
						 .detail = "open",
						 .time_ns = time});
}

static size_t edges_of(struct trail_store *store, const char *what)
{
	struct trail_view view;
	size_t nr;
	int r = trail_store_view(store, what, 0, &view);

	if (r == -ENOENT)
		return 0;
	assert_int_equal(r, 0);
	nr = view.nr_edges;
	trail_view_fini(&view);
	return nr;
}

static void survives_a_restart(void **state)
{
	const char *path = tmpdir_path(state, "trail.db");
	struct trail_store *store = open_store(path, 0);
	struct trail_store_stats stats;
	struct stat st;

	put(store, 1, 11, 5 * SECOND);
	trail_store_free(store);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store = open_store(path, 0);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 2);
	assert_int_equal(stats.keys, 1);
	assert_int_equal(edges_of(store, "SHA256:1"), 2);
	trail_store_free(store);
	assert_int_equal(trail_store_open(path, &store), 0);
	assert_int_equal(edges_of(store, "11"), 2);
	trail_store_free(store);
}

static void who_read_a_file_last_is_known(void **state)
{
	static const char *const nobody[] = {NULL}, *const cat[] = {"/usr/bin/cat", NULL};
	struct trail_store *store = open_store(":memory:", 0);
	struct trail_last_read read;
	uint64_t since;

	assert_int_equal(trail_store_since(store, &since), -ENOENT);
	assert_int_equal(trail_store_last_read(store, "/k", nobody, &read), -ENOENT);
	put(store, 1, 11, 5 * SECOND);
	put(store, 1, 13, 9 * SECOND);
	put(store, 1, 12, 7 * SECOND);
	assert_int_equal(trail_store_last_read(store, "/k", nobody, &read), 0);
	assert_int_equal(read.pid, 13);
	assert_int_equal(read.time_ns, 9 * SECOND);
	assert_string_equal(read.exe, "/usr/bin/cat");
	assert_int_equal(read.uid, 1000);
	assert_int_equal(read.loginuid, UINT32_MAX);
	assert_string_equal(read.user, "");
	trail_last_read_fini(&read);
	assert_int_equal(trail_store_last_read(store, "/other", nobody, &read), -ENOENT);
	/* Called so, and not known to be it. */
	assert_int_equal(trail_store_last_read(store, "/k", cat, &read), 0);
	trail_last_read_fini(&read);
	verified = TRAIL_VERIFIED;
	for (unsigned pid = 11; pid <= 13; pid++)
		put(store, 1, pid, 6 * SECOND);
	assert_int_equal(trail_store_last_read(store, "/k", cat, &read), -ENOENT);
	verified = TRAIL_VERIFIED_UNTOLD;
	put(store, 1, 12, 6 * SECOND);
	assert_int_equal(trail_store_last_read(store, "/k", cat, &read), -ENOENT);
	/* It was not itself any more. */
	verified = TRAIL_NOT_VERIFIED;
	put(store, 1, 12, 6 * SECOND);
	assert_int_equal(trail_store_last_read(store, "/k", cat, &read), 0);
	assert_int_equal(read.pid, 12);
	trail_last_read_fini(&read);
	verified = TRAIL_VERIFIED_UNTOLD;
	since = 0;
	assert_int_equal(trail_store_since(store, &since), 0);
	assert_int_equal(since, 5 * SECOND);
	trail_store_free(store);
}

static void the_same_deed_is_one_edge(void **state)
{
	struct trail_store *store = open_store(":memory:", 0);
	struct trail_view view;

	for (unsigned i = 1; i <= 5; i++)
		put(store, 1, 11, i * SECOND);
	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	assert_int_equal(view.nr_edges, 2);
	assert_int_equal(view.edges[1].count, 5);
	assert_int_equal(view.edges[1].first_ns, SECOND);
	assert_int_equal(view.edges[1].last_ns, 5 * SECOND);
	trail_view_fini(&view);
	trail_store_free(store);
}

static void a_flood_about_one_key_costs_no_other_its_trail(void **state)
{
	struct trail_store *store = open_store(":memory:", 100);
	struct trail_store_stats stats;
	struct trail_view view;

	for (unsigned i = 0; i < 10; i++)
		put(store, 1, 100 + i, (1 + i) * SECOND); /* the oldest of all */
	for (unsigned i = 0; i < 500; i++)
		put(store, 2, 1000 + i, (100 + i) * SECOND);
	trail_store_flush(store, 1000 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 100);
	assert_int_equal(edges_of(store, "SHA256:1"), 11);
	assert_int_equal(edges_of(store, "SHA256:2"), 89);
	/* Of the flood the newest are left, and where the key is kept. */
	assert_int_equal(trail_store_view(store, "SHA256:2", 0, &view), 0);
	assert_int_equal(view.edges[0].kind, TRAIL_HOLDS);
	assert_int_equal(view.edges[88].first_ns, 599 * SECOND);
	trail_view_fini(&view);
	/* Nodes went with their last edge. */
	assert_int_equal(edges_of(store, "1000"), 0);
	trail_store_free(store);
}

/* Edges of the first key in the database, by how they are known. */
static size_t known_as(struct trail_store *store, enum trail_evidence evidence,
		       uint64_t *out_oldest)
{
	struct trail_view view;
	size_t nr = 0;

	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	for (size_t i = 0; i < view.nr_edges; i++)
		if (view.edges[i].evidence == evidence && nr++ == 0)
			*out_oldest = view.edges[i].first_ns;
	trail_view_fini(&view);
	return nr;
}

static void put_edge(struct trail_store *store, enum trail_edge_kind kind,
		     enum trail_evidence evidence, unsigned to, uint64_t time)
{
	const struct trail_sink sink = trail_store_sink(store);
	const char *rule = evidence == TRAIL_INFERRED ? "a-rule" : NULL;
	char name[64];

	snprintf(name, sizeof(name), "h/process/b/%u.1.1", to);
	sink.edge(sink.ctx, &(struct trail_edge){.kind = kind,
						 .evidence = evidence,
						 .rule = rule,
						 .key = "key/ssh/SHA256:1",
						 .from = "h/process/b/100.1.1",
						 .to = name,
						 .time_ns = time});
}

static void what_was_seen_outlives_what_was_inferred(void **state)
{
	const char *path = tmpdir_path(state, "inferred.db");
	struct trail_store *store = open_store(path, 100);
	const struct trail_sink sink = trail_store_sink(store);
	uint64_t oldest = 0;

	for (unsigned i = 0; i < 20; i++)
		put(store, 1, 100 + i, (1 + i) * SECOND);
	for (unsigned i = 0; i < 500; i++) { /* all of them newer */
		char child[64];

		snprintf(child, sizeof(child), "h/process/b/%u.1.1", 1000 + i);
		sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_INHERITED,
							 .evidence = TRAIL_INFERRED,
							 .rule = "fork-copies-memory",
							 .key = "key/ssh/SHA256:1",
							 .from = "h/process/b/100.1.1",
							 .to = child,
							 .time_ns = (100 + i) * SECOND});
	}
	trail_store_flush(store, 1000 * SECOND);
	assert_int_equal(known_as(store, TRAIL_CONFIRMED, &oldest), 1);
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 20);
	assert_int_equal(oldest, SECOND);
	assert_int_equal(known_as(store, TRAIL_INFERRED, &oldest), 79);
	assert_int_equal(oldest, (100 + 500 - 79) * SECOND);
	/* What is seen takes its half, and then its own oldest go. */
	for (unsigned i = 0; i < 200; i++)
		put(store, 1, 2000 + i, (2000 + i) * SECOND);
	trail_store_flush(store, 3000 * SECOND);
	assert_int_equal(known_as(store, TRAIL_CONFIRMED, &oldest), 1);
	assert_int_equal(known_as(store, TRAIL_INFERRED, &oldest), 49);
	assert_int_equal(oldest, (100 + 500 - 49) * SECOND);
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 50);
	assert_int_equal(oldest, (2000 + 200 - 50) * SECOND);
	trail_store_free(store);
}

static bool has_edge(struct trail_store *store, enum trail_edge_kind kind)
{
	struct trail_view view;
	bool has = false;

	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	for (size_t i = 0; i < view.nr_edges; i++)
		has |= view.edges[i].kind == kind;
	trail_view_fini(&view);
	return has;
}

/* That somebody could read the key from memory is inferred, and no flood of deeds hides it. */
static void what_was_inferred_outlives_a_flood_of_what_was_seen(void **state)
{
	static const enum trail_edge_kind floods[] = {TRAIL_READ, TRAIL_SENT};

	for (size_t f = 0; f < ARRAY_SIZE(floods); f++) {
		const char *path = tmpdir_path(state, f ? "sent" : "read");
		struct trail_store *store = open_store(path, 100);
		uint64_t now = 1000, oldest;

		put(store, 1, 100, SECOND);
		for (unsigned i = 0; i < 300; i++)
			put_edge(store, floods[f], TRAIL_OBSERVED, 2000 + i, ++now * SECOND);
		trail_store_flush(store, now * SECOND);
		put_edge(store, TRAIL_MEMORY_READ, TRAIL_INFERRED, 666, ++now * SECOND);
		for (unsigned round = 0; round < 10; round++) {
			trail_store_flush(store, now * SECOND);
			assert_true(has_edge(store, TRAIL_MEMORY_READ));
			for (unsigned i = 0; i < 50; i++)
				put_edge(store, floods[f], TRAIL_OBSERVED, 3000 + 50 * round + i,
					 ++now * SECOND);
			if (round == 5) { /* what is counted is as the database has it */
				trail_store_free(store);
				store = open_store(path, 100);
			}
		}
		trail_store_flush(store, now * SECOND);
		assert_true(has_edge(store, TRAIL_MEMORY_READ));
		assert_true(has_edge(store, TRAIL_HOLDS));
		assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 98);
		trail_store_free(store);
	}
}

/* Who copies a key into file after file does not hide who read it, nor where it is kept. */
static void a_flood_of_places_hides_no_deeds(void **state)
{
	const char *path = tmpdir_path(state, "places.db");
	struct trail_store *store = open_store(path, 90);
	uint64_t now = 100, oldest;

	for (unsigned i = 0; i < 20; i++)
		put(store, 1, 100 + i, (1 + i) * SECOND);
	put_edge(store, TRAIL_MEMORY_READ, TRAIL_INFERRED, 666, 50 * SECOND);
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 50; i++)
			put_edge(store, TRAIL_FOUND_IN, TRAIL_CONFIRMED, 2000 + 50 * round + i,
				 ++now * SECOND);
		trail_store_flush(store, now * SECOND);
		if (round == 5) { /* what is counted is as the database has it */
			trail_store_free(store);
			store = open_store(path, 90);
		}
	}
	assert_true(has_edge(store, TRAIL_MEMORY_READ));
	assert_true(has_edge(store, TRAIL_HOLDS));
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 20);
	assert_int_equal(oldest, SECOND);
	/* Nor with another flood beside it. */
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 50; i++) {
			put_edge(store, TRAIL_FOUND_IN, TRAIL_CONFIRMED, 3000 + 50 * round + i,
				 ++now * SECOND);
			put_edge(store, TRAIL_INHERITED, TRAIL_INFERRED, 4000 + 50 * round + i,
				 ++now * SECOND);
		}
		trail_store_flush(store, now * SECOND);
	}
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 20);
	assert_true(has_edge(store, TRAIL_HOLDS));
	trail_store_free(store);
}

static void what_was_inferred_and_is_then_seen_is_observed(void **state)
{
	struct trail_store *store = open_store(":memory:", 100);
	struct trail_view view;
	uint64_t oldest;

	put(store, 1, 100, SECOND);
	put_edge(store, TRAIL_SENT, TRAIL_INFERRED, 7, 2 * SECOND);
	put_edge(store, TRAIL_SENT, TRAIL_OBSERVED, 7, 3 * SECOND);
	put_edge(store, TRAIL_SENT, TRAIL_INFERRED, 7, 4 * SECOND); /* and stays so */
	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	assert_int_equal(view.nr_edges, 3);
	assert_int_equal(view.edges[2].kind, TRAIL_SENT);
	assert_int_equal(view.edges[2].evidence, TRAIL_OBSERVED);
	assert_string_equal(view.edges[2].rule, "");
	/* Once, and then: what was inferred before and after it is no part of it. */
	assert_int_equal(view.edges[2].count, 1);
	assert_int_equal(view.edges[2].first_ns, 3 * SECOND);
	assert_int_equal(view.edges[2].last_ns, 3 * SECOND);
	trail_view_fini(&view);
	put_edge(store, TRAIL_SENT, TRAIL_OBSERVED, 7, 5 * SECOND);
	/* That a file is there is seen each time, whatever is inferred of what is in it. */
	put_edge(store, TRAIL_HOLDS, TRAIL_INFERRED, 8, 2 * SECOND);
	put_edge(store, TRAIL_HOLDS, TRAIL_CONFIRMED, 8, 3 * SECOND);
	put_edge(store, TRAIL_HOLDS, TRAIL_INFERRED, 8, 4 * SECOND);
	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	assert_int_equal(view.nr_edges, 4);
	for (size_t i = 2; i < 4; i++) {
		const bool sent = view.edges[i].kind == TRAIL_SENT;

		assert_int_equal(view.edges[i].count, sent ? 2 : 3);
		assert_int_equal(view.edges[i].first_ns, (sent ? 3 : 2) * SECOND);
		assert_int_equal(view.edges[i].last_ns, (sent ? 5 : 4) * SECOND);
	}
	trail_view_fini(&view);
	/* It counts as seen, too: of 60 that were inferred all are seen, and 60 more give way. */
	for (unsigned i = 0; i < 60; i++) {
		put_edge(store, TRAIL_SENT, TRAIL_INFERRED, 1000 + i, (10 + i) * SECOND);
		put_edge(store, TRAIL_SENT, TRAIL_OBSERVED, 1000 + i, (10 + i) * SECOND);
	}
	for (unsigned i = 0; i < 40; i++)
		put_edge(store, TRAIL_INHERITED, TRAIL_INFERRED, 2000 + i, (100 + i) * SECOND);
	trail_store_flush(store, 200 * SECOND);
	assert_int_equal(known_as(store, TRAIL_INFERRED, &oldest), 40);
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 58);
	trail_store_free(store);
}

/* Edges that come to a key with another name of it are counted as what they are. */
static void inferred_edges_that_a_key_takes_along_count(void **state)
{
	struct trail_store *store = open_store(":memory:", 100);
	const struct trail_sink sink = trail_store_sink(store);
	uint64_t oldest;

	put(store, 1, 100, SECOND);
	for (unsigned i = 0; i < 80; i++)
		sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_INHERITED,
							 .evidence = TRAIL_INFERRED,
							 .rule = "a-rule",
							 .key = "h/file/9",
							 .from = "h/file/9",
							 .to = (char[]){'n', (char)('0' + i), '\0'},
							 .time_ns = (10 + i) * SECOND});
	sink.rekey(sink.ctx, "h/file/9", "key/ssh/SHA256:1");
	for (unsigned i = 0; i < 30; i++)
		put_edge(store, TRAIL_SENT, TRAIL_OBSERVED, 2000 + i, (i ? 200 + i : 2) * SECOND);
	trail_store_flush(store, 300 * SECOND);
	assert_int_equal(known_as(store, TRAIL_OBSERVED, &oldest), 31);
	assert_int_equal(known_as(store, TRAIL_INFERRED, &oldest), 68);
	trail_store_free(store);
}

/* The oldest of either kind are found by an index, and not among all edges of a key. */
static void what_gives_way_first_is_found_by_an_index(void **state)
{
	static const struct {
		const char *which, *index;
	} kinds[] = {
		{"evidence = 3 AND kind NOT IN (1, 7) ORDER BY last", "edges_inferred (key=?)"},
		{"evidence <> 3 AND kind NOT IN (1, 7) ORDER BY last", "edges_seen (key=?)"},
		{"kind IN (1, 7) ORDER BY kind DESC, last", "edges_about (key=?"},
	};
	const char *path = tmpdir_path(state, "index.db");
	struct trail_store *store = open_store(path, 0);
	sqlite3 *db = NULL;

	put(store, 1, 11, SECOND);
	trail_store_free(store);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		bool found = false, sorts = false;
		sqlite3_stmt *stmt = NULL;
		char sql[200];

		snprintf(sql, sizeof(sql),
			 "EXPLAIN QUERY PLAN SELECT id FROM edges WHERE key = 1 AND %s LIMIT 5",
			 kinds[i].which);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *plan = (const char *)sqlite3_column_text(stmt, 3);

			found |= strstr(plan, kinds[i].index) != NULL;
			sorts |= strstr(plan, "TEMP B-TREE") != NULL;
		}
		sqlite3_finalize(stmt);
		assert_true(found);
		assert_false(sorts);
	}
	sqlite3_close(db);
}

static void what_is_too_old_goes(void **state)
{
	const struct trail_store_options options = {.path = ":memory:", .max_age_ns = 100 * SECOND};
	struct trail_store *store = NULL;
	struct trail_store_stats stats;

	assert_int_equal(trail_store_new(&options, &store), 0);
	put(store, 1, 11, 10 * SECOND);
	put(store, 2, 12, 190 * SECOND);
	for (int i = 0; i < 6; i++)
		trail_store_flush(store, 200 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 2);
	assert_int_equal(edges_of(store, "SHA256:1"), 0);
	assert_int_equal(edges_of(store, "SHA256:2"), 2);
	trail_store_free(store);
}

static void a_database_that_lost_most_gets_smaller(void **state)
{
	const char *path = tmpdir_path(state, "shrinks.db");
	const struct trail_store_options options = {.path = path, .max_age_ns = 100 * SECOND};
	struct trail_store *store = NULL;
	struct stat full, small;

	assert_int_equal(trail_store_new(&options, &store), 0);
	for (unsigned i = 0; i < 20000; i++)
		put(store, 1, i, 10 * SECOND);
	trail_store_free(store);
	assert_int_equal(stat(path, &full), 0);
	assert_int_equal(trail_store_new(&options, &store), 0);
	for (int i = 0; i < 200; i++)
		trail_store_flush(store, 200 * SECOND);
	trail_store_free(store);
	assert_int_equal(stat(path, &small), 0);
	assert_true(small.st_size < full.st_size / 3);
}

/* Who read it two years ago is known as long as there is the key. */
static void the_trail_of_a_key_that_lives_is_kept_whole(void **state)
{
	struct trail_store *store = open_store(":memory:", 0);

	trail_store_keep(store, 1);
	put(store, 1, 11, 10 * SECOND);
	put(store, 1, 12, 3 * DAY_NS);
	put(store, 2, 13, 10 * SECOND);
	for (int i = 0; i < 6; i++)
		trail_store_flush(store, 3 * DAY_NS + 10 * SECOND);
	assert_int_equal(edges_of(store, "SHA256:1"), 3);
	assert_int_equal(edges_of(store, "SHA256:2"), 0);
	trail_store_keep(store, 0);
	for (int i = 0; i < 6; i++)
		trail_store_flush(store, 9 * DAY_NS);
	assert_int_equal(edges_of(store, "SHA256:1"), 3);
	trail_store_keep(store, 5);
	for (int i = 0; i < 6; i++)
		trail_store_flush(store, 9 * DAY_NS);
	assert_int_equal(edges_of(store, "SHA256:1"), 0);
	trail_store_free(store);
}

static uint64_t rows_of(const char *path, const char *sql)
{
	uint64_t nr = 0;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(db_get_u64(db, sql, &nr), 0);
	sqlite3_close(db);
	return nr;
}

static void nodes_and_alerts_go_with_their_edges(void **state)
{
	const char *path = tmpdir_path(state, "old.db");
	const struct trail_store_options options = {.path = path, .max_age_ns = 100 * SECOND};
	struct trail_store *store = NULL;
	struct trail_sink sink;

	assert_int_equal(trail_store_new(&options, &store), 0);
	sink = trail_store_sink(store);
	put(store, 1, 11, 10 * SECOND);
	sink.alert(sink.ctx, "0123456789", "key-read", "h/process/b/11.1.1");
	put(store, 2, 12, 190 * SECOND);
	sink.alert(sink.ctx, "abcdef0123", "key-read", "h/process/b/12.1.1");
	/* A key whose own edges went first, and who read it later. */
	sink.node(sink.ctx, &(struct trail_node){.name = "key/x", .kind = TRAIL_KEY});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_SENT,
						 .evidence = TRAIL_OBSERVED,
						 .key = "key/x",
						 .from = "h/process/b/13.1.1",
						 .to = "h/to/there",
						 .time_ns = 10 * SECOND});
	trail_store_flush(store, 50 * SECOND);
	assert_int_equal(rows_of(path, "SELECT count(*) FROM alerts"), 2);
	assert_int_equal(rows_of(path, "SELECT count(*) FROM nodes"), 9);
	for (int i = 0; i < 9; i++)
		trail_store_flush(store, 200 * SECOND);
	for (unsigned i = 0; i < 200; i++) { /* as processes that end when their edges are gone */
		char name[32];

		snprintf(name, sizeof(name), "h/process/b/%u.1.2", i);
		sink.node(sink.ctx, &(struct trail_node){.name = name, .kind = TRAIL_PROCESS});
	}
	for (int i = 0; i < 9; i++)
		trail_store_flush(store, 200 * SECOND);
	assert_int_equal(rows_of(path, "SELECT count(*) FROM alerts"), 1);
	assert_int_equal(rows_of(path, "SELECT count(*) FROM nodes"), 3);
	trail_store_free(store);
}

static void a_key_that_becomes_known_takes_its_edges_along(void **state)
{
	struct trail_store *store = open_store(":memory:", 0);
	const struct trail_sink sink = trail_store_sink(store);
	struct trail_store_stats stats;

	sink.node(sink.ctx, &(struct trail_node){.name = "h/file/9",
						 .kind = TRAIL_FILE,
						 .host = "h",
						 .label = "/n"});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_HOLDS,
						 .evidence = TRAIL_INFERRED,
						 .key = "h/file/9",
						 .from = "h/file/9",
						 .to = "h/file/9",
						 .time_ns = SECOND});
	sink.edge(sink.ctx, &(struct trail_edge){.kind = TRAIL_READ,
						 .evidence = TRAIL_OBSERVED,
						 .key = "h/file/9",
						 .from = "h/file/9",
						 .to = "h/process/b/5.1.1",
						 .time_ns = SECOND});
	sink.node(sink.ctx, &(struct trail_node){.name = "key/ssh/SHA256:9",
						 .kind = TRAIL_KEY,
						 .label = "SHA256:9"});
	sink.rekey(sink.ctx, "h/file/9", "key/ssh/SHA256:9");
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 2);
	assert_int_equal(edges_of(store, "SHA256:9"), 2);
	assert_int_equal(edges_of(store, "/n"), 2);
	trail_store_free(store);
}

static void a_damaged_database_is_moved_aside(void **state)
{
	const char *path = tmpdir_path(state, "bad.db");
	const char *aside = tmpdir_path(state, "bad.db.damaged");
	_cleanup_fclose_ FILE *f = fopen(path, "we");
	struct trail_store_stats stats;
	struct trail_store *store;

	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(trail_store_open(path, &store), -EBADMSG);
	store = open_store(path, 0);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.damaged, 1);
	assert_string_equal(stats.error, "");
	assert_int_equal(access(aside, R_OK), 0);
	put(store, 1, 11, SECOND);
	assert_int_equal(edges_of(store, "SHA256:1"), 2);
	trail_store_free(store);
}

static void pages_that_are_damaged_while_it_runs_cost_no_start(void **state)
{
	const char *path = tmpdir_path(state, "torn.db");
	struct trail_store *store = open_store(path, 0);
	struct trail_store_stats stats;
	struct stat st;
	int fd;

	for (unsigned i = 0; i < 2000; i++)
		put(store, i % 7, i, SECOND);
	trail_store_free(store);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 4096; at + 4096 <= st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 8);
	close(fd);
	store = open_store(path, 0);
	put(store, 1, 1, SECOND);
	put(store, 1, 2, SECOND);
	trail_store_flush(store, 2 * SECOND);
	trail_store_stats(store, &stats);
	assert_true(stats.damaged >= 1);
	put(store, 1, 3, SECOND);
	assert_true(edges_of(store, "3") >= 2);
	trail_store_free(store);
}

static void one_of_a_newer_version_is_left_alone(void **state)
{
	const char *path = tmpdir_path(state, "new.db");
	struct trail_store *store = open_store(path, 0);
	struct trail_store_stats stats;
	int fd;

	put(store, 1, 11, SECOND);
	trail_store_free(store);
	/* user_version stands at byte 60 of the header (sqlite.org/fileformat2.html). */
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "\0\0\0\x63", 4, 60), 4);
	close(fd);
	assert_int_equal(trail_store_open(path, &store), -EPROTONOSUPPORT);
	store = open_store(path, 0);
	put(store, 2, 12, SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.damaged, 0);
	assert_true(stats.lost > 0);
	assert_non_null(strstr(stats.error, "newer"));
	trail_store_free(store);
}

static void what_could_not_be_written_is_a_gap(void **state)
{
	const char *dir = tmpdir_path(state, "later");
	const char *path = tmpdir_path(state, "later/trail.db");
	struct trail_store *store = open_store(path, 0); /* there is no such directory */
	struct trail_store_stats stats;
	struct trail_view view;

	put(store, 1, 11, 5 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.lost, 5);
	assert_int_equal(mkdir(dir, 0700), 0);
	trail_store_flush(store, 8 * SECOND);
	put(store, 1, 12, 6 * SECOND);
	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	assert_int_equal(view.nr_gaps, 1);
	assert_string_equal(view.gaps[0].cause, "trail-store");
	assert_int_equal(view.gaps[0].count, 5);
	trail_view_fini(&view);
	trail_store_free(store);
}

/* No file may grow: writes fail, as on a full disk. */
static void set_full(bool full)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = full ? 1 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool has_indexes(const char *path)
{
	return rows_of(path, "SELECT count(*) FROM sqlite_master WHERE type = 'index'"
			     " AND name IN ('edges_inferred', 'edges_seen', 'edges_about')") == 3;
}

/* A database of before there were these, without room to make them. */
static void without_room_for_its_indexes_it_is_used_as_it_is(void **state)
{
	const char *path = tmpdir_path(state, "earlier.db");
	struct trail_store *store = open_store(path, 0);
	struct trail_store_stats stats;
	sqlite3 *db = NULL;
	struct rlimit limit;

	for (unsigned i = 0; i < 20000; i++)
		put(store, 1, i, (1 + i) * SECOND);
	trail_store_free(store);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(
			db,
			"DROP INDEX edges_inferred; DROP INDEX edges_seen; DROP INDEX edges_about;"
			"VACUUM",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 48 << 10; /* what SQLite keeps beside it, and few pages */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	store = open_store(path, 20000);
	set_full(false);
	trail_store_stats(store, &stats);
	assert_string_equal(stats.error, "");
	assert_int_equal(stats.edges, 20001);
	assert_false(has_indexes(path));
	put(store, 1, 20001, 20001 * SECOND);
	trail_store_flush(store, 20002 * SECOND); /* what gives way is found without them */
	trail_store_stats(store, &stats);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.edges, 20000);
	trail_store_free(store);
	trail_store_free(open_store(path, 0));
	assert_true(has_indexes(path));
}

/* As a backup of the file, or who looks into it. */
static void indexes_that_a_lock_forbids_are_made_when_it_ends(void **state)
{
	const char *path = tmpdir_path(state, "locked.db");
	struct trail_store *store = open_store(path, 0);
	struct trail_store_stats stats;
	sqlite3 *db = NULL;

	put(store, 1, 11, SECOND);
	trail_store_free(store);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(
			db,
			"DROP INDEX edges_inferred; DROP INDEX edges_seen; DROP INDEX edges_about;"
			"BEGIN IMMEDIATE",
			NULL, NULL, NULL),
		SQLITE_OK);
	store = open_store(path, 0);
	trail_store_stats(store, &stats);
	assert_string_equal(stats.error, "");
	assert_int_equal(stats.edges, 2);
	assert_false(has_indexes(path));
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	trail_store_flush(store, 2 * SECOND);
	assert_true(has_indexes(path));
	trail_store_free(store);
}

/* To try costs as much as it costs to fail, and rows come by the thousand. */
static void what_cannot_be_opened_is_tried_again_by_a_flush_alone(void **state)
{
	const char *dir = tmpdir_path(state, "later");
	struct trail_store *store = open_store(tmpdir_path(state, "later/trail.db"), 0);
	struct trail_store_stats stats;

	assert_int_equal(mkdir(dir, 0700), 0);
	put(store, 1, 11, 5 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.lost, 5);
	assert_string_not_equal(stats.error, "");
	trail_store_flush(store, 8 * SECOND);
	put(store, 1, 12, 9 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.lost, 5);
	assert_string_equal(stats.error, "");
	trail_store_free(store);
}

static void a_transaction_that_fails_is_lost_row_by_row(void **state)
{
	struct trail_store *store = open_store(tmpdir_path(state, "full.db"), 0);
	struct trail_store_stats stats;
	struct trail_view view;

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	put(store, 1, 10, 6 * SECOND);
	trail_store_flush(store, 5 * SECOND);
	for (unsigned i = 0; i < 2; i++) {
		set_full(true);
		put(store, 1, 11 + i, (6 + 10 * i) * SECOND);
		trail_store_flush(store, (7 + 10 * i) * SECOND);
		set_full(false);
		trail_store_stats(store, &stats);
		assert_int_equal(stats.lost, 5 * (i + 1));
		assert_int_equal(stats.edges, 2);
		assert_string_not_equal(stats.error, "");
		trail_store_flush(store, (9 + 10 * i) * SECOND);
	}
	put(store, 1, 13, 26 * SECOND);
	trail_store_flush(store, 27 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.lost, 10);
	assert_int_equal(stats.edges, 3);
	assert_int_equal(stats.written, 5 + 5 + 2); /* the gaps, too */
	assert_string_equal(stats.error, "");
	assert_int_equal(trail_store_view(store, "SHA256:1", 0, &view), 0);
	assert_int_equal(view.nr_gaps, 2);
	assert_int_equal(view.gaps[0].count, 5);
	assert_int_equal(view.gaps[1].count, 5);
	trail_view_fini(&view);
	trail_store_free(store);
}

static void asks_that_are_none_and_asks_that_find_nothing(void **state)
{
	static const struct {
		const char *what;
		int result;
	} cases[] = {
		{"SHA256:2", -ENOENT},	  {"/nowhere", -ENOENT}, {"99", -ENOENT},
		{"deadbeef", -ENOENT},	  {"", -EINVAL},	 {"zebra", -EINVAL},
		{"12345678901", -ENOENT},
	};
	struct trail_store *store = open_store(":memory:", 0);
	struct trail_view view;

	put(store, 1, 11, SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(trail_store_view(store, cases[i].what, 0, &view), cases[i].result);
	trail_store_free(store);
}

static void more_than_is_shown_is_said(void **state)
{
	struct trail_store *store = open_store(":memory:", 0);
	struct trail_view view;

	for (unsigned i = 0; i < 50; i++)
		put(store, 1, 100 + i, i == 0 ? SECOND : (100 + i) * SECOND);
	assert_int_equal(trail_store_view(store, "SHA256:1", 10, &view), 0);
	assert_true(view.more);
	assert_true(view.nr_edges == 10 || view.nr_edges == 11);
	assert_int_equal(view.edges[0].kind, TRAIL_HOLDS);
	trail_view_fini(&view);
	trail_store_free(store);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(survives_a_restart),
		CASE(who_read_a_file_last_is_known),
		CASE(the_same_deed_is_one_edge),
		CASE(a_flood_about_one_key_costs_no_other_its_trail),
		CASE(what_was_seen_outlives_what_was_inferred),
		CASE(what_was_inferred_outlives_a_flood_of_what_was_seen),
		CASE(a_flood_of_places_hides_no_deeds),
		CASE(what_was_inferred_and_is_then_seen_is_observed),
		CASE(inferred_edges_that_a_key_takes_along_count),
		CASE(what_gives_way_first_is_found_by_an_index),
		CASE(what_is_too_old_goes),
		CASE(a_database_that_lost_most_gets_smaller),
		CASE(the_trail_of_a_key_that_lives_is_kept_whole),
		CASE(nodes_and_alerts_go_with_their_edges),
		CASE(a_key_that_becomes_known_takes_its_edges_along),
		CASE(a_damaged_database_is_moved_aside),
		CASE(pages_that_are_damaged_while_it_runs_cost_no_start),
		CASE(one_of_a_newer_version_is_left_alone),
		CASE(what_could_not_be_written_is_a_gap),
		CASE(without_room_for_its_indexes_it_is_used_as_it_is),
		CASE(indexes_that_a_lock_forbids_are_made_when_it_ends),
		CASE(what_cannot_be_opened_is_tried_again_by_a_flush_alone),
		CASE(a_transaction_that_fails_is_lost_row_by_row),
		CASE(asks_that_are_none_and_asks_that_find_nothing),
		CASE(more_than_is_shown_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
