// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told to the trail's database: nodes, edges, gaps, users, alerts. */
#include "trail/store-internal.h"

#include "base/cleanup.h"

static void bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *stmt, int i, uint32_t id)
{
	if (id != UINT32_MAX)
		sqlite3_bind_int64(stmt, i, id);
}

static int find_node(struct trail_store *s, const char *name, bool create, int64_t *out_id);

static int put_digest(struct trail_store *s, int64_t node, uint32_t nr, const char *sha256)
{
	sqlite3_stmt *stmt = s->stmt[STMT_DIGEST];

	sqlite3_bind_int64(stmt, 1, node);
	sqlite3_bind_int64(stmt, 2, nr);
	bind_text(stmt, 3, sha256);
	return store_run(s, STMT_DIGEST);
}

/* In place of those of what the file held before. */
static int put_digests(struct trail_store *s, const char *name, const struct digests *digests)
{
	int64_t node;
	int rc = find_node(s, name, false, &node);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_DIGESTS_DROP], 1, node);
		rc = store_run(s, STMT_DIGESTS_DROP);
	}
	if (rc == SQLITE_OK && digests->file[0])
		rc = put_digest(s, node, 0, digests->file);
	for (uint32_t i = 0; i < digests->nr_content && rc == SQLITE_OK; i++)
		rc = put_digest(s, node, i + 1, digests->content[i]);
	return rc;
}

static int put_verified(struct trail_store *s, const char *name, bool verified)
{
	const enum statement which = verified ? STMT_VERIFIED : STMT_NOT_VERIFIED;

	bind_text(s->stmt[which], 1, name);
	return store_run(s, which);
}

static void put_node(void *ctx, const struct trail_node *n)
{
	struct trail_store *s = ctx;
	sqlite3_stmt *stmt;
	int rc;

	if (!store_begin(s))
		return;
	stmt = s->stmt[STMT_NODE];
	bind_text(stmt, 1, n->name);
	sqlite3_bind_int(stmt, 2, n->kind);
	bind_text(stmt, 3, n->host);
	bind_text(stmt, 4, n->label);
	bind_text(stmt, 5, n->about);
	bind_text(stmt, 6, n->unit);
	bind_text(stmt, 7, n->container);
	sqlite3_bind_int64(stmt, 8, n->pid);
	bind_id(stmt, 9, n->uid);
	bind_id(stmt, 10, n->loginuid);
	sqlite3_bind_int64(stmt, 11, (sqlite3_int64)n->ended_ns);
	sqlite3_bind_int(stmt, 12, n->state);
	rc = store_run(s, STMT_NODE);
	if (rc == SQLITE_OK && n->digests)
		rc = put_digests(s, n->name, n->digests);
	if (rc == SQLITE_OK && n->verified)
		rc = put_verified(s, n->name, n->verified == TRAIL_VERIFIED);
	store_done(s, rc);
}

/* The row of a node, which is made if there is none. */
static int find_node(struct trail_store *s, const char *name, bool create, int64_t *out_id)
{
	sqlite3_stmt *stmt = s->stmt[STMT_FIND];
	int rc;

	for (int round = 0; round < 2; round++) {
		bind_text(stmt, 1, name);
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			*out_id = sqlite3_column_int64(stmt, 0);
		sqlite3_reset(stmt);
		sqlite3_clear_bindings(stmt);
		if (rc != SQLITE_DONE || !create || round)
			break;
		bind_text(s->stmt[STMT_STUB], 1, name);
		rc = store_run(s, STMT_STUB);
		if (rc != SQLITE_OK)
			return rc;
	}
	return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
}

static void bind_edge(sqlite3_stmt *stmt, const struct trail_edge *e, int64_t key, int64_t from,
		      int64_t to)
{
	sqlite3_bind_int64(stmt, 1, key);
	sqlite3_bind_int(stmt, 2, e->kind);
	sqlite3_bind_int64(stmt, 3, from);
	sqlite3_bind_int64(stmt, 4, to);
	sqlite3_bind_int(stmt, 5, e->evidence);
}

/* Is it of those that key_count.about counts? As ABOUT of store-schema.c says it. */
static bool is_about(enum trail_edge_kind kind)
{
	return kind == TRAIL_HOLDS || kind == TRAIL_FOUND_IN;
}

/* An edge that is there as an inferred one, and now was seen. */
static int raise_edge(struct trail_store *s, const struct trail_edge *e, int64_t key, int64_t from,
		      int64_t to)
{
	int rc;

	bind_edge(s->stmt[STMT_RAISE], e, key, from, to);
	bind_text(s->stmt[STMT_RAISE], 6, e->detail);
	sqlite3_bind_int64(s->stmt[STMT_RAISE], 7, (sqlite3_int64)e->time_ns);
	rc = store_run(s, STMT_RAISE);
	if (rc == SQLITE_OK && sqlite3_changes(s->db) && !is_about(e->kind))
		store_count_seen(s, key);
	return rc;
}

static int insert_edge(struct trail_store *s, const struct trail_edge *e)
{
	sqlite3_stmt *stmt = s->stmt[STMT_EDGE];
	const bool about = is_about(e->kind);
	int64_t key, from, to, before;
	int rc = find_node(s, e->key, true, &key);

	if (rc == SQLITE_OK)
		rc = find_node(s, e->from, true, &from);
	if (rc == SQLITE_OK)
		rc = find_node(s, e->to, true, &to);
	if (rc == SQLITE_OK && e->evidence != TRAIL_INFERRED)
		rc = raise_edge(s, e, key, from, to);
	if (rc != SQLITE_OK)
		return rc;
	bind_edge(stmt, e, key, from, to);
	bind_text(stmt, 6, e->rule);
	bind_text(stmt, 7, e->detail);
	sqlite3_bind_int64(stmt, 8, (sqlite3_int64)e->time_ns);
	/* An upsert that updates leaves the last row's number alone. */
	sqlite3_set_last_insert_rowid(s->db, 0);
	rc = store_run(s, STMT_EDGE);
	before = sqlite3_last_insert_rowid(s->db);
	if (rc != SQLITE_OK || !before)
		return rc;
	store_count_more(s, key, !about && e->evidence == TRAIL_INFERRED, about);
	return SQLITE_OK;
}

static void put_edge(void *ctx, const struct trail_edge *e)
{
	struct trail_store *s = ctx;

	s->latest_ns = e->time_ns;
	if (store_begin(s))
		store_done(s, insert_edge(s, e));
}

void store_put_gap(void *ctx, const struct trail_gap *gap)
{
	struct trail_store *s = ctx;
	sqlite3_stmt *stmt;
	int rc;

	if (!store_begin(s))
		return;
	stmt = s->stmt[STMT_GAP];
	bind_text(stmt, 1, gap->host);
	bind_text(stmt, 2, gap->cause);
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)gap->from_ns);
	sqlite3_bind_int64(stmt, 4, (sqlite3_int64)gap->to_ns);
	sqlite3_bind_int64(stmt, 5, (sqlite3_int64)gap->count);
	rc = store_run(s, STMT_GAP);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_GAP_PURGE], 1, TRAIL_GAPS_MAX);
		rc = store_run(s, STMT_GAP_PURGE);
	}
	store_done(s, rc);
}

static void put_user(void *ctx, const char *host, uint32_t uid, const char *name)
{
	struct trail_store *s = ctx;

	if (!store_begin(s))
		return;
	bind_text(s->stmt[STMT_USER], 1, host);
	sqlite3_bind_int64(s->stmt[STMT_USER], 2, uid);
	bind_text(s->stmt[STMT_USER], 3, name);
	store_done(s, store_run(s, STMT_USER));
}

static void put_alert(void *ctx, const char *id, const char *type, const char *node)
{
	struct trail_store *s = ctx;
	int64_t number;
	int rc;

	if (!store_begin(s))
		return;
	rc = find_node(s, node, false, &number);
	if (rc == SQLITE_OK) {
		bind_text(s->stmt[STMT_ALERT], 1, id);
		bind_text(s->stmt[STMT_ALERT], 2, type);
		sqlite3_bind_int64(s->stmt[STMT_ALERT], 3, number);
		rc = store_run(s, STMT_ALERT);
	}
	store_done(s, rc == SQLITE_NOTFOUND ? SQLITE_OK : rc);
}

/* A step of rekey(): what it has moved, or deleted, is counted row by row. */
static int rekey_step(struct trail_store *s, enum statement which, int64_t from, int64_t to)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int rc;

	sqlite3_bind_int64(stmt, 1, from);
	sqlite3_bind_int64(stmt, 2, to);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const bool moved = which == STMT_REKEY;
		const bool inferred = sqlite3_column_int(stmt, 0) != 0;
		const bool about = sqlite3_column_int(stmt, 1) != 0;

		store_count_less(s, moved ? from : sqlite3_column_int64(stmt, 2), inferred, about);
		if (moved)
			store_count_more(s, to, inferred, about);
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void rekey(void *ctx, const char *old, const char *name)
{
	static const enum statement steps[] = {STMT_REKEY, STMT_REKEY_HOLDS, STMT_REKEY_REST};
	struct trail_store *s = ctx;
	int64_t from, to;
	int rc;

	if (!store_begin(s))
		return;
	rc = find_node(s, old, false, &from);
	if (rc == SQLITE_OK)
		rc = find_node(s, name, true, &to);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && rc == SQLITE_OK; i++)
		rc = rekey_step(s, steps[i], from, to);
	store_done(s, rc == SQLITE_NOTFOUND ? SQLITE_OK : rc);
}

static int64_t position(void *ctx)
{
	struct trail_store *s = ctx;
	sqlite3_stmt *stmt;
	int64_t max = 0;
	int rc = store_ready(s);

	if (rc < 0)
		return rc;
	stmt = s->stmt[STMT_POSITION];
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		max = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? max : db_errno(rc);
}

/* What was told and not written yet is seen as well: it is in the same transaction. */
static int was_read(void *ctx, const char *name, const char *host, const char *label,
		    int64_t position)
{
	struct trail_store *s = ctx;
	int rc = store_ready(s);

	if (rc < 0)
		return rc;
	bind_text(s->stmt[STMT_WAS_READ], 1, name);
	bind_text(s->stmt[STMT_WAS_READ], 2, host);
	bind_text(s->stmt[STMT_WAS_READ], 3, label);
	sqlite3_bind_int64(s->stmt[STMT_WAS_READ], 4, position);
	rc = sqlite3_step(s->stmt[STMT_WAS_READ]);
	sqlite3_reset(s->stmt[STMT_WAS_READ]);
	sqlite3_clear_bindings(s->stmt[STMT_WAS_READ]);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : db_errno(rc);
}

struct trail_sink trail_store_sink(struct trail_store *s)
{
	return (struct trail_sink){
		.node = put_node,
		.edge = put_edge,
		.gap = store_put_gap,
		.rekey = rekey,
		.user = put_user,
		.alert = put_alert,
		.position = position,
		.was_read = was_read,
		.ctx = s,
	};
}
