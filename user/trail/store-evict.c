// SPDX-License-Identifier: GPL-2.0-or-later
/* How many edges each key has in the trail's database, and what gives way. */
#include "trail/store-internal.h"

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

static int count_each(struct trail_store *s, const char *sql, bool inferred)
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
		if (inferred) {
			key->inferred = (uint64_t)sqlite3_column_int64(stmt, 1);
			continue;
		}
		key->edges = (uint64_t)sqlite3_column_int64(stmt, 1);
		s->edges += key->edges;
	}
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

/* By two questions: an index answers each by itself. */
int store_count_all(struct trail_store *s)
{
	int r;

	store_count_free(s);
	r = count_each(s, trail_count_edges, false);
	return r < 0 ? r : count_each(s, trail_count_inferred, true);
}

int store_count_inferred(struct trail_store *s, int64_t id)
{
	struct key_count *key = store_count_of(s, id, false);
	sqlite3_stmt *stmt = s->stmt[STMT_COUNT_INFERRED];
	int rc;

	if (!key)
		return SQLITE_OK;
	sqlite3_bind_int64(stmt, 1, id);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		key->inferred = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
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
	uint64_t inferred = 0;
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
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	*out_gone = nr_ends / 2;
	s->edges -= *out_gone < s->edges ? *out_gone : s->edges;
	key->edges -= *out_gone < key->edges ? *out_gone : key->edges;
	key->inferred -= inferred < key->inferred ? inferred : key->inferred;
	for (size_t i = 0; i < nr_ends; i++) {
		rc = drop_orphan(s, ends[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return key->edges ? SQLITE_OK : drop_orphan(s, key->id);
}

/*
 * Who has a key can make as many edges as he likes, of either kind: inferred ones by forks, seen
 * ones by connections. So the kind that is more than half of the key's edges gives way, and neither
 * flood costs the trail all of the other kind. What the trail is about goes last.
 *
 * At most as many as are over the half go at once, and a small part of all more: else two floods
 * side by side would go edge by edge, by turns.
 */
static int give_way(struct trail_store *s, struct key_count *key, uint64_t nr, uint64_t *out_gone)
{
	const bool inferred = key->inferred > key->edges / 2;
	const enum statement order[] = {inferred ? STMT_PURGE_INFERRED : STMT_PURGE_SEEN,
					inferred ? STMT_PURGE_SEEN : STMT_PURGE_INFERRED,
					STMT_PURGE_ALL};
	const uint64_t others = key->inferred < key->edges ? key->edges - key->inferred : 0;
	const uint64_t over = inferred ? key->inferred - others : others - key->inferred + 1;
	const uint64_t most = over + key->edges / 1024;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < ARRAY_SIZE(order) && rc == SQLITE_OK && !*out_gone; i++)
		rc = purge(s, order[i], key, nr < most ? nr : most, 0, out_gone);
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
