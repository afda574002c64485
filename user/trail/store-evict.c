// SPDX-License-Identifier: GPL-2.0-or-later
/* How many edges each key has in the trail's database, and what gives way. */
#include "trail/store-internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define PURGE_BITE 256
#define SWEEP_BITE 64 /* nodes that are looked at with each flush */

/* --- how many each key has -----------------------------------------------------------------------
 *
 * Keys stand in a hash, and in a heap by how many edges they have: who has a key made, read and
 * deleted without end has as many of them as there are edges, and each edge that goes would
 * otherwise cost a look at all.
 */

static bool goes_before(const struct key_count *a, const struct key_count *b)
{
	return a->edges != b->edges ? a->edges > b->edges : a->id < b->id;
}

static void put_at(struct trail_store *s, size_t at, struct key_count *key)
{
	s->heap[at] = key;
	key->at = at;
}

/* Its number is another one. */
static void move_in_heap(struct trail_store *s, struct key_count *key)
{
	const size_t nr = HASH_COUNT(s->keys);
	size_t at = key->at;

	for (; at && goes_before(key, s->heap[(at - 1) / 2]); at = (at - 1) / 2)
		put_at(s, at, s->heap[(at - 1) / 2]);
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < nr && goes_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (child >= nr || !goes_before(s->heap[child], key))
			break;
		put_at(s, at, s->heap[child]);
		at = child;
	}
	put_at(s, at, key);
}

static bool reserve(struct trail_store *s, size_t nr)
{
	const size_t room = s->heap_room ? 2 * s->heap_room : 64;
	struct key_count **heap;

	if (nr <= s->heap_room)
		return true;
	heap = reallocarray(s->heap, room, sizeof(*heap));
	if (!heap)
		return false;
	s->heap = heap;
	s->heap_room = room;
	return true;
}

void store_count_free(struct trail_store *s)
{
	struct key_count *key, *next;

	HASH_ITER(hh, s->keys, key, next)
	{
		HASH_DEL(s->keys, key);
		free(key);
	}
	free(s->heap);
	s->heap = NULL;
	s->heap_room = 0;
	s->next_aged = NULL;
	s->edges = 0;
}

static struct key_count *count_of(struct trail_store *s, int64_t id, bool create)
{
	struct key_count *key;

	HASH_FIND(hh, s->keys, &id, sizeof(id), key);
	if (key || !create)
		return key;
	if (!reserve(s, HASH_COUNT(s->keys) + 1))
		return NULL;
	key = calloc(1, sizeof(*key));
	if (key) {
		key->id = id;
		HASH_ADD(hh, s->keys, id, sizeof(key->id), key);
		if (!key->hh.tbl) {
			free(key);
			return NULL;
		}
		key->at = HASH_COUNT(s->keys) - 1;
		move_in_heap(s, key);
	}
	return key;
}

/* A key without edges is none. */
static void drop(struct trail_store *s, struct key_count *key)
{
	struct key_count *last = s->heap[HASH_COUNT(s->keys) - 1];
	const size_t at = key->at;

	if (s->next_aged == key)
		s->next_aged = key->hh.next;
	HASH_DEL(s->keys, key);
	if (last != key) {
		last->at = at;
		move_in_heap(s, last);
	}
	free(key);
}

void store_count_more(struct trail_store *s, int64_t id, bool inferred, bool about)
{
	struct key_count *key = count_of(s, id, true);

	s->edges++;
	if (!key)
		return;
	key->edges++;
	key->inferred += inferred;
	key->about += about;
	move_in_heap(s, key);
}

void store_count_less(struct trail_store *s, int64_t id, bool inferred, bool about)
{
	struct key_count *key = count_of(s, id, false);

	s->edges -= s->edges > 0;
	if (!key)
		return;
	key->edges -= key->edges > 0;
	key->inferred -= inferred && key->inferred;
	key->about -= about && key->about;
	if (key->edges)
		move_in_heap(s, key);
	else
		drop(s, key);
}

void store_count_seen(struct trail_store *s, int64_t id)
{
	struct key_count *key = count_of(s, id, false);

	if (key && key->inferred)
		key->inferred--;
}

static int count_each(struct trail_store *s, const char *sql, size_t which)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		struct key_count *key;

		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		key = count_of(s, sqlite3_column_int64(stmt, 0), true);
		if (!key) {
			rc = SQLITE_NOMEM;
			break;
		}
		*(uint64_t *)((char *)key + which) = (uint64_t)sqlite3_column_int64(stmt, 1);
		if (which == offsetof(struct key_count, edges)) {
			s->edges += key->edges;
			move_in_heap(s, key);
		}
	}
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

/* By a question each: an index answers it by itself. */
int store_count_all(struct trail_store *s)
{
	int r;

	store_count_free(s);
	r = count_each(s, trail_count_edges, offsetof(struct key_count, edges));
	if (r == 0)
		r = count_each(s, trail_count_inferred, offsetof(struct key_count, inferred));
	if (r == 0)
		r = count_each(s, trail_count_about, offsetof(struct key_count, about));
	return r;
}

/* --- what gives way ------------------------------------------------------------------------------
 */

/* A node that nothing names any more goes, with its alerts. */
static int drop_orphan(struct trail_store *s, int64_t node)
{
	int rc;

	sqlite3_bind_int64(s->stmt[STMT_ORPHAN], 1, node);
	rc = store_run(s, STMT_ORPHAN);
	if (rc != SQLITE_OK || sqlite3_changes(s->db) == 0)
		return rc;
	sqlite3_bind_int64(s->stmt[STMT_DIGESTS_DROP], 1, node);
	rc = store_run(s, STMT_DIGESTS_DROP);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_VERIFIED_DROP], 1, node);
		rc = store_run(s, STMT_VERIFIED_DROP);
	}
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->stmt[STMT_ORPHAN_ALERTS], 1, node);
	return store_run(s, STMT_ORPHAN_ALERTS);
}

/* Deletes up to `nr` edges of a key, with the nodes that nothing names any more. The key is counted
 * no more when it has none left. */
static int purge(struct trail_store *s, enum statement which, int64_t key, uint64_t nr,
		 uint64_t before_ns, uint64_t *out_gone)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int64_t ends[2 * PURGE_BITE];
	size_t nr_ends = 0;
	int rc;

	sqlite3_bind_int64(stmt, 1, key);
	sqlite3_bind_int64(stmt, 2, nr < PURGE_BITE ? (sqlite3_int64)nr : PURGE_BITE);
	if (which == STMT_PURGE_AGE)
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)before_ns);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (nr_ends + 2 > ARRAY_SIZE(ends))
			continue;
		ends[nr_ends++] = sqlite3_column_int64(stmt, 0);
		ends[nr_ends++] = sqlite3_column_int64(stmt, 1);
		store_count_less(s, key, sqlite3_column_int(stmt, 2) != 0,
				 sqlite3_column_int(stmt, 3) != 0);
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	*out_gone = nr_ends / 2;
	for (size_t i = 0; i < nr_ends; i++) {
		rc = drop_orphan(s, ends[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return count_of(s, key, false) ? SQLITE_OK : drop_orphan(s, key);
}

/*
 * Who has a key can make as many edges as he likes, of each of three kinds: inferred ones by forks,
 * seen ones by connections, places where the key was found by copies. So the kind gives way of
 * which there are most, and no flood costs the trail all of another kind, nor do two side by side.
 * Of where it was found and where it is kept, the latter goes last.
 *
 * At most as many go at once as make it no more than the next, and a small part of all more: else
 * two floods would go edge by edge, by turns.
 */
static int give_way(struct trail_store *s, const struct key_count *key, uint64_t nr,
		    uint64_t *out_gone)
{
	const uint64_t others = key->inferred + key->about;
	const int64_t id = key->id; /* its count may go with its last edge */
	const struct {
		enum statement purge;
		uint64_t nr;
	} kinds[] = {
		{STMT_PURGE_SEEN, others < key->edges ? key->edges - others : 0},
		{STMT_PURGE_INFERRED, key->inferred},
		{STMT_PURGE_ABOUT, key->about},
	};
	uint64_t next = 0, most;
	size_t largest = 0;
	int rc;

	for (size_t i = 1; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].nr > kinds[largest].nr)
			largest = i;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (i != largest && kinds[i].nr > next)
			next = kinds[i].nr;
	most = kinds[largest].nr - next + 1 + key->edges / 1024;
	rc = purge(s, kinds[largest].purge, id, nr < most ? nr : most, 0, out_gone);
	/* What is counted is not what is there. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == SQLITE_OK && !*out_gone; i++)
		rc = purge(s, kinds[i].purge, id, nr, 0, out_gone);
	return rc;
}

void store_keep_count(struct trail_store *s)
{
	int rc = SQLITE_OK;

	/* It may count anew, which frees what was counted. */
	if (s->edges <= s->max_edges || !store_begin(s))
		return;
	while (s->edges > s->max_edges && s->keys && rc == SQLITE_OK) {
		struct key_count *most = s->heap[0];
		uint64_t gone = 0;

		rc = give_way(s, most, s->edges - s->max_edges, &gone);
		if (rc == SQLITE_OK && !gone) { /* it was counted, and is not there */
			s->edges -= most->edges < s->edges ? most->edges : s->edges;
			drop(s, most);
		}
	}
	if (rc != SQLITE_OK)
		store_lose(s, db_errno(rc));
}

/* One key at a time, in turn. */
void store_keep_age(struct trail_store *s, uint64_t now_ns)
{
	struct key_count *key;
	uint64_t gone = 0;
	int64_t id;
	int rc;

	if (!s->keys || now_ns <= s->max_age_ns || !store_begin(s))
		return;
	key = s->next_aged ? s->next_aged : s->keys;
	if (!key)
		return;
	id = key->id;
	rc = purge(s, STMT_PURGE_AGE, id, PURGE_BITE, now_ns - s->max_age_ns, &gone);
	if (rc != SQLITE_OK) {
		store_lose(s, db_errno(rc));
		return;
	}
	if (gone == PURGE_BITE)
		return; /* more of the same next time */
	key = count_of(s, id, false);
	if (key)
		s->next_aged = key->hh.next;
}

/* A node may be told once more after its last edge went, as a process is when it ends. */
void store_sweep_nodes(struct trail_store *s)
{
	sqlite3_stmt *stmt = s->stmt[STMT_NEXT_NODES];
	int64_t nodes[SWEEP_BITE];
	size_t nr = 0;
	int rc;

	if (!store_begin(s))
		return;
	sqlite3_bind_int64(stmt, 1, s->swept);
	sqlite3_bind_int64(stmt, 2, SWEEP_BITE);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && nr < SWEEP_BITE)
		nodes[nr++] = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	s->swept = nr == SWEEP_BITE ? nodes[nr - 1] : 0;
	rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
	for (size_t i = 0; i < nr && rc == SQLITE_OK; i++)
		rc = drop_orphan(s, nodes[i]);
	if (rc != SQLITE_OK)
		store_lose(s, db_errno(rc));
}
