// SPDX-License-Identifier: GPL-2.0-or-later
/* How many edges each key has in the trail's database, and what gives way. */
#include "trail/store-internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define PURGE_BITE 256
#define SWEEP_BITE 64 /* nodes that are looked at with each flush */

void store_count_free(struct trail_store *s)
{
	struct key_count *key, *next;

	HASH_ITER(hh, s->keys, key, next)
	{
		HASH_DEL(s->keys, key);
		free(key);
	}
	s->next_aged = NULL;
	s->edges = 0;
}

struct key_count *store_count_of(struct trail_store *s, int64_t id, bool create)
{
	struct key_count *key;

	HASH_FIND(hh, s->keys, &id, sizeof(id), key);
	if (key || !create)
		return key;
	key = calloc(1, sizeof(*key));
	if (key) {
		key->id = id;
		HASH_ADD(hh, s->keys, id, sizeof(key->id), key);
		if (!key->hh.tbl) {
			free(key);
			return NULL;
		}
	}
	return key;
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
		key = store_count_of(s, sqlite3_column_int64(stmt, 0), true);
		if (!key) {
			rc = SQLITE_NOMEM;
			break;
		}
		*(uint64_t *)((char *)key + which) = (uint64_t)sqlite3_column_int64(stmt, 1);
		s->edges += which == offsetof(struct key_count, edges) ? key->edges : 0;
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

static int count_one(struct trail_store *s, enum statement which, int64_t id, uint64_t *out_nr)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int rc;

	sqlite3_bind_int64(stmt, 1, id);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out_nr = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int store_count_kinds(struct trail_store *s, int64_t id)
{
	struct key_count *key = store_count_of(s, id, false);
	int rc;

	if (!key)
		return SQLITE_OK;
	rc = count_one(s, STMT_COUNT_INFERRED, id, &key->inferred);
	return rc != SQLITE_OK ? rc : count_one(s, STMT_COUNT_ABOUT, id, &key->about);
}

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

/* Deletes up to `nr` edges of a key, with the nodes that nothing names any more. */
static int purge(struct trail_store *s, enum statement which, struct key_count *key, uint64_t nr,
		 uint64_t before_ns, uint64_t *out_gone)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int64_t ends[2 * PURGE_BITE];
	uint64_t inferred = 0, about = 0;
	size_t nr_ends = 0;
	int rc;

	sqlite3_bind_int64(stmt, 1, key->id);
	sqlite3_bind_int64(stmt, 2, nr < PURGE_BITE ? (sqlite3_int64)nr : PURGE_BITE);
	if (which == STMT_PURGE_AGE)
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)before_ns);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (nr_ends + 2 > ARRAY_SIZE(ends))
			continue;
		ends[nr_ends++] = sqlite3_column_int64(stmt, 0);
		ends[nr_ends++] = sqlite3_column_int64(stmt, 1);
		inferred += sqlite3_column_int(stmt, 2) != 0;
		about += sqlite3_column_int(stmt, 3) != 0;
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	*out_gone = nr_ends / 2;
	s->edges -= *out_gone < s->edges ? *out_gone : s->edges;
	key->edges -= *out_gone < key->edges ? *out_gone : key->edges;
	key->inferred -= inferred < key->inferred ? inferred : key->inferred;
	key->about -= about < key->about ? about : key->about;
	for (size_t i = 0; i < nr_ends; i++) {
		rc = drop_orphan(s, ends[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return key->edges ? SQLITE_OK : drop_orphan(s, key->id);
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
static int give_way(struct trail_store *s, struct key_count *key, uint64_t nr, uint64_t *out_gone)
{
	const uint64_t others = key->inferred + key->about;
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
	rc = purge(s, kinds[largest].purge, key, nr < most ? nr : most, 0, out_gone);
	/* What is counted is not what is there. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == SQLITE_OK && !*out_gone; i++)
		rc = purge(s, kinds[i].purge, key, nr, 0, out_gone);
	return rc;
}

void store_keep_count(struct trail_store *s)
{
	int rc = SQLITE_OK;

	while (s->edges > s->max_edges && rc == SQLITE_OK) {
		struct key_count *most = NULL;
		uint64_t gone = 0;

		if (!store_begin(s)) /* may count anew, which frees what was counted */
			return;
		if (s->edges <= s->max_edges)
			break;
		for (struct key_count *key = s->keys; key; key = key->hh.next)
			if (!most || key->edges > most->edges)
				most = key;
		if (!most)
			break;
		rc = give_way(s, most, s->edges - s->max_edges, &gone);
		if (!gone)
			break;
	}
	if (rc != SQLITE_OK)
		store_lose(s, db_errno(rc));
}

/* One key at a time, in turn. */
void store_keep_age(struct trail_store *s, uint64_t now_ns)
{
	struct key_count *key;
	uint64_t gone = 0;
	int rc;

	if (!s->keys || now_ns <= s->max_age_ns || !store_begin(s))
		return;
	key = s->next_aged ? s->next_aged : s->keys;
	if (!key)
		return;
	rc = purge(s, STMT_PURGE_AGE, key, PURGE_BITE, now_ns - s->max_age_ns, &gone);
	if (rc != SQLITE_OK) {
		store_lose(s, db_errno(rc));
		return;
	}
	if (gone == PURGE_BITE)
		return; /* more of the same next time */
	s->next_aged = key->hh.next;
	if (!key->edges) {
		HASH_DEL(s->keys, key);
		free(key);
	}
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
