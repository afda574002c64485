// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/store-evict: what is counted is what is there, and costs no more than what goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trail/store-internal.h"

#define SECOND 1000000000ULL

static struct trail_store *open_store(uint64_t max_edges)
{
	const struct trail_store_options options = {.path = ":memory:", .max_edges = max_edges};
	struct trail_store *store = NULL;

	assert_int_equal(trail_store_new(&options, &store), 0);
	return store;
}

static void put(struct trail_store *store, const char *key, enum trail_edge_kind kind,
		enum trail_evidence evidence, const char *from, const char *to, uint64_t time)
{
	const struct trail_sink sink = trail_store_sink(store);

	sink.edge(sink.ctx,
		  &(struct trail_edge){.kind = kind,
				       .evidence = evidence,
				       .rule = evidence == TRAIL_INFERRED ? "a-rule" : NULL,
				       .key = key,
				       .from = from,
				       .to = to,
				       .time_ns = time});
}

/* The file is kept for the key. */
static void holds(struct trail_store *store, const char *key, const char *file, uint64_t time)
{
	put(store, key, TRAIL_HOLDS, TRAIL_CONFIRMED, key, file, time);
}

static void rekey(struct trail_store *store, const char *old, const char *name)
{
	const struct trail_sink sink = trail_store_sink(store);

	sink.rekey(sink.ctx, old, name);
}

static const char *numbered(const char *what, unsigned nr)
{
	static char names[4][64];
	static unsigned next;
	char *name = names[next++ % ARRAY_SIZE(names)];

	snprintf(name, sizeof(names[0]), "%s/%u", what, nr);
	return name;
}

static int by_id(const void *a, const void *b)
{
	const int64_t x = ((const struct key_count *)a)->id, y = ((const struct key_count *)b)->id;

	return (x > y) - (x < y);
}

/* Copies, in the order of their ids. */
static struct key_count *counts_of(struct trail_store *store, size_t *out_nr)
{
	struct key_count *counts = calloc(HASH_COUNT(store->keys) + 1, sizeof(*counts));
	size_t nr = 0;

	assert_non_null(counts);
	for (struct key_count *key = store->keys; key; key = key->hh.next)
		counts[nr++] = *key;
	qsort(counts, nr, sizeof(*counts), by_id);
	*out_nr = nr;
	return counts;
}

static void assert_counted_as_it_is(struct trail_store *store)
{
	const uint64_t edges = store->edges;
	size_t nr, nr_there;
	struct key_count *there, *counts = counts_of(store, &nr);

	for (size_t i = 0; i < nr; i++) {
		assert_ptr_equal(store->heap[store->heap[i]->at], store->heap[i]);
		assert_true(store->heap[i]->edges <= store->heap[i ? (i - 1) / 2 : 0]->edges);
	}
	assert_int_equal(store_count_all(store), 0);
	there = counts_of(store, &nr_there);
	assert_int_equal(edges, store->edges);
	assert_int_equal(nr, nr_there);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(counts[i].id, there[i].id);
		assert_int_equal(counts[i].edges, there[i].edges);
		assert_int_equal(counts[i].inferred, there[i].inferred);
		assert_int_equal(counts[i].about, there[i].about);
	}
	free(counts);
	free(there);
}

/* As of one who makes a key, reads it and deletes it, again and again. */
static void of_a_key_without_edges_nothing_is_kept(void **state)
{
	struct trail_store *store = open_store(100);
	struct trail_store_stats stats;

	for (unsigned i = 0; i < 5000; i++) {
		holds(store, numbered("key", i), numbered("file", i), (1 + i) * SECOND);
		if (i % 50 == 49)
			trail_store_flush(store, (1 + i) * SECOND);
	}
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 100);
	assert_int_equal(stats.keys, 100);
	assert_counted_as_it_is(store);
	trail_store_free(store);
}

static void a_name_that_was_no_keys_is_none(void **state)
{
	struct trail_store *store = open_store(0);
	struct trail_store_stats stats;

	for (unsigned i = 0; i < 100; i++) {
		holds(store, numbered("file", i), numbered("file", i), SECOND);
		rekey(store, numbered("file", i), "key");
	}
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 100);
	assert_int_equal(stats.keys, 1);
	assert_counted_as_it_is(store);
	trail_store_free(store);
}

/* Those of which it is known longest, when all have as many. */
static void of_many_keys_with_few_edges_each_gives_one(void **state)
{
	struct trail_store *store = open_store(35000);
	struct trail_store_stats stats;
	struct key_count *counts;
	size_t nr;

	for (unsigned i = 0; i < 20000; i++) {
		const char *key = numbered("key", i), *file = numbered("file", i);

		holds(store, key, file, (1 + i) * SECOND);
		put(store, key, TRAIL_READ, TRAIL_OBSERVED, file, "process", (1 + i) * SECOND);
	}
	trail_store_flush(store, 20001 * SECOND);
	trail_store_stats(store, &stats);
	assert_int_equal(stats.edges, 35000);
	assert_int_equal(stats.keys, 20000);
	counts = counts_of(store, &nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(counts[i].edges, i < 5000 ? 1 : 2);
	free(counts);
	assert_counted_as_it_is(store);
	trail_store_free(store);
}

static void what_is_counted_is_there_whatever_comes(void **state)
{
	static const enum trail_edge_kind kinds[] = {TRAIL_HOLDS, TRAIL_READ, TRAIL_INHERITED,
						     TRAIL_FOUND_IN, TRAIL_SENT};
	struct trail_store *store = open_store(300);
	unsigned seed = 1;

	trail_store_keep(store, 1);
	for (unsigned i = 0; i < 20000; i++) {
		const uint64_t time = (1 + i) * (DAY_NS / 1000);
		unsigned r = (seed = seed * 1103515245 + 12345) >> 8, from;
		const char *key = numbered("key", r % 61);

		from = (r >> 6) % 40;
		if (i % 97 == 96) {
			rekey(store, key, numbered("key", (r % 61 + 1) % 61));
		} else {
			enum trail_edge_kind kind = kinds[r % ARRAY_SIZE(kinds)];

			put(store, key, kind, r % 2 ? TRAIL_INFERRED : TRAIL_OBSERVED,
			    kind == TRAIL_HOLDS ? key : numbered("p", from),
			    numbered("p", 1 + from), time);
		}
		if (i % 40 == 39)
			trail_store_flush(store, time);
		if (i % 500 == 499)
			assert_counted_as_it_is(store);
	}
	/* What never was does not stand in the way. */
	store->edges += 5000;
	store->heap[0]->edges += 5000;
	trail_store_flush(store, 20002 * (DAY_NS / 1000));
	assert_true(store->edges <= 300);
	trail_store_free(store);
}

static size_t edges_that(struct trail_store *store, const char *where)
{
	sqlite3_stmt *stmt = NULL;
	char sql[128];
	size_t nr;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM edges WHERE %s", where);
	assert_int_equal(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	nr = (size_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return nr;
}

/* As of a key file that is rewritten all the time: it is unknown first, then the same key. */
static void an_edge_that_a_key_has_already_is_not_counted_twice(void **state)
{
	struct trail_store *store = open_store(80);

	holds(store, "key", "file", SECOND);
	for (unsigned i = 0; i < 1000; i++) {
		holds(store, "unknown", "file", (2 + i) * SECOND);
		rekey(store, "unknown", "key");
	}
	assert_counted_as_it_is(store);
	for (unsigned i = 0; i < 1000; i++) {
		holds(store, "unknown", "file", (2 + i) * SECOND);
		rekey(store, "unknown", "key");
	}
	for (unsigned i = 0; i < 30; i++)
		put(store, "key", TRAIL_SENT, TRAIL_OBSERVED, "p", numbered("to", i),
		    (2000 + i) * SECOND);
	for (unsigned i = 0; i < 60; i++)
		put(store, "key", TRAIL_INHERITED, TRAIL_INFERRED, "p", numbered("child", i),
		    (3000 + i) * SECOND);
	trail_store_flush(store, 4000 * SECOND);
	assert_int_equal(edges_that(store, "kind = 10"), 30);
	assert_int_equal(edges_that(store, "kind = 3"), 49);
	assert_int_equal(edges_that(store, "kind = 1"), 1);
	assert_counted_as_it_is(store);
	trail_store_free(store);
}
_Static_assert(TRAIL_SENT == 10 && TRAIL_INHERITED == 3 && TRAIL_HOLDS == 1, "written out above");

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_key_without_edges_nothing_is_kept),
		cmocka_unit_test(a_name_that_was_no_keys_is_none),
		cmocka_unit_test(of_many_keys_with_few_edges_each_gives_one),
		cmocka_unit_test(what_is_counted_is_there_whatever_comes),
		cmocka_unit_test(an_edge_that_a_key_has_already_is_not_counted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
