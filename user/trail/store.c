// SPDX-License-Identifier: GPL-2.0-or-later
/* The trail's database: what the daemon writes, and what gives way. */
#include "trail/store-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define APPLICATION_ID 0x4b547274 /* "KTrt" */
#define PURGE_BITE     256
#define SWEEP_BITE     64 /* nodes that are looked at with each flush */
#define PENDING_MAX    4096 /* rows in one transaction */

static const char schema[] =
	"BEGIN;"
	"CREATE TABLE nodes ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" kind INTEGER NOT NULL DEFAULT 0," /* 0: only an edge named it */
	" host TEXT, label TEXT, about TEXT, unit TEXT, container TEXT,"
	" pid INTEGER NOT NULL DEFAULT 0,"
	" uid INTEGER, loginuid INTEGER,"
	" ended INTEGER NOT NULL DEFAULT 0,"
	" state INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX nodes_label ON nodes (label);"
	"CREATE INDEX nodes_pid ON nodes (pid) WHERE pid > 0;"
	"CREATE TABLE edges ("
	" id INTEGER PRIMARY KEY,"
	" key INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" evidence INTEGER NOT NULL, rule TEXT, detail TEXT,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL);"
	"CREATE UNIQUE INDEX edges_same ON edges (key, a, b, kind);"
	"CREATE INDEX edges_age ON edges (key, last);"
	"CREATE INDEX edges_a ON edges (a);"
	"CREATE INDEX edges_b ON edges (b);"
	"CREATE TABLE gaps ("
	" id INTEGER PRIMARY KEY, host TEXT, cause TEXT, began INTEGER, ended INTEGER,"
	" count INTEGER);"
	"CREATE INDEX gaps_ended ON gaps (ended);"
	"CREATE TABLE users ("
	" host TEXT NOT NULL, uid INTEGER NOT NULL, name TEXT, PRIMARY KEY (host, uid))"
	" WITHOUT ROWID;"
	"CREATE TABLE alerts ("
	" id TEXT NOT NULL PRIMARY KEY, type TEXT, node INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX alerts_node ON alerts (node);"
	"PRAGMA application_id = 1263825524;"
	"PRAGMA user_version = 1;"
	"COMMIT;";
/* Came later: a database without it is one in which none is known. */
static const char later_tables[] =
	"CREATE TABLE IF NOT EXISTS digests (" /* nr 0: of the file */
	" node INTEGER NOT NULL, nr INTEGER NOT NULL, sha256 TEXT NOT NULL,"
	" PRIMARY KEY (node, nr)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS digests_sha256 ON digests (sha256);"
	"CREATE TABLE IF NOT EXISTS verified (node INTEGER PRIMARY KEY);"; /* of processes */
_Static_assert(APPLICATION_ID == 1263825524 && TRAIL_SCHEMA == 1, "written out in `schema`");
_Static_assert(TRAIL_HOLDS == 1 && TRAIL_FOUND_IN == 7 && TRAIL_CONFIRMED == 2,
	       "written out in `statement_sql`");

#define OLDEST(condition)                                                              \
	"DELETE FROM edges WHERE id IN (SELECT id FROM edges WHERE key = ?1" condition \
	" ORDER BY last LIMIT ?2) RETURNING a, b"

static const char *const statement_sql[STMT_NR] = {
	[STMT_NODE] =
		"INSERT INTO nodes (name, kind, host, label, about, unit, container, pid, uid,"
		" loginuid, ended, state)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT (name) DO UPDATE SET kind = ?2,"
		" host = coalesce(nullif(?3, ''), host), label = coalesce(nullif(?4, ''), label),"
		" about = coalesce(nullif(?5, ''), about), unit = coalesce(nullif(?6, ''), unit),"
		" container = coalesce(nullif(?7, ''), container), pid = ?8, uid = ?9,"
		" loginuid = ?10, ended = max(ended, ?11), state = ?12",
	[STMT_STUB] = "INSERT INTO nodes (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
	/* An edge that is known by content stays so. */
	[STMT_EDGE] = "INSERT INTO edges (key, kind, a, b, evidence, rule, detail, first, last,"
		      " count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)"
		      " ON CONFLICT (key, a, b, kind) DO UPDATE SET last = max(last, ?8),"
		      " first = min(first, ?8), count = count + 1,"
		      " rule = CASE WHEN ?5 = 2 THEN NULL ELSE rule END,"
		      " evidence = CASE WHEN ?5 = 2 THEN 2 ELSE evidence END",
	[STMT_GAP] = "INSERT INTO gaps (host, cause, began, ended, count) VALUES (?1, ?2, ?3, ?4,"
		     " ?5)",
	[STMT_GAP_PURGE] = "DELETE FROM gaps WHERE id <= (SELECT max(id) FROM gaps) - ?1",
	[STMT_USER] = "INSERT INTO users (host, uid, name) VALUES (?1, ?2, ?3)"
		      " ON CONFLICT (host, uid) DO UPDATE SET name = ?3",
	[STMT_ALERT] = "INSERT OR IGNORE INTO alerts (id, type, node) VALUES (?1, ?2, ?3)",
	[STMT_FIND] = "SELECT id FROM nodes WHERE name = ?1",
	[STMT_REKEY] = "UPDATE OR IGNORE edges SET key = ?2 WHERE key = ?1",
	[STMT_REKEY_HOLDS] = "UPDATE OR IGNORE edges SET a = ?2 WHERE key = ?2 AND a = ?1"
			     " AND kind = 1",
	[STMT_REKEY_REST] =
		"DELETE FROM edges WHERE key = ?1 OR (key = ?2 AND a = ?1 AND kind = 1)",
	/* Where a key is kept and was found (kinds 1 and 7) says what its trail is about. */
	[STMT_PURGE] = OLDEST(" AND kind NOT IN (1, 7)"),
	[STMT_PURGE_ALL] = OLDEST(""),
	/* Only of a key of which nothing is seen any more: as long as it lives, all of its trail
	 * stands. */
	[STMT_PURGE_AGE] = OLDEST(" AND (SELECT max(last) FROM edges WHERE key = ?1) < ?3"),
	[STMT_ORPHAN] = "DELETE FROM nodes WHERE id = ?1"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE a = ?1)"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE b = ?1)"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE key = ?1)",
	[STMT_NEXT_NODES] = "SELECT id FROM nodes WHERE id > ?1 ORDER BY id LIMIT ?2",
	[STMT_ORPHAN_ALERTS] = "DELETE FROM alerts WHERE node = ?1"
			       " AND NOT EXISTS (SELECT 1 FROM nodes WHERE id = ?1)",
	[STMT_VERIFIED] = "INSERT OR IGNORE INTO verified (node)"
			  " SELECT id FROM nodes WHERE name = ?1",
	[STMT_NOT_VERIFIED] =
		"DELETE FROM verified WHERE node = (SELECT id FROM nodes WHERE name = ?1)",
	[STMT_DIGESTS_DROP] = "DELETE FROM digests WHERE node = ?1",
	[STMT_VERIFIED_DROP] = "DELETE FROM verified WHERE node = ?1",
	[STMT_DIGEST] = "INSERT OR IGNORE INTO digests (node, nr, sha256) VALUES (?1, ?2, ?3)",
};

const struct db_schema trail_schema = {
	.application_id = APPLICATION_ID,
	.version = TRAIL_SCHEMA,
	.create = schema,
};

/* --- how many edges each key has
 * ----------------------------------------------------------------- */

static void count_free(struct trail_store *s)
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

static struct key_count *count_of(struct trail_store *s, int64_t id, bool create)
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

static int count_all(struct trail_store *s)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, "SELECT key, count(*) FROM edges GROUP BY key", -1,
				    &stmt, NULL);

	count_free(s);
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
		key->edges = (uint64_t)sqlite3_column_int64(stmt, 1);
		s->edges += key->edges;
	}
	sqlite3_finalize(stmt);
	return db_errno(rc);
}

/* --- open, damaged, anew
 * -------------------------------------------------------------------------- */

static void close_db(struct trail_store *s)
{
	db_close(&s->db, s->stmt, STMT_NR);
	s->pending = s->rows = 0;
}

static int open_db(struct trail_store *s)
{
	int r;

	if (s->newer)
		return -EPROTONOSUPPORT;
	r = db_open(s->path, &s->db);
	if (r == 0)
		r = db_check(s->db, &trail_schema, true);
	s->newer = r == -EPROTONOSUPPORT;
	if (r == 0)
		r = db_errno(sqlite3_exec(s->db, later_tables, NULL, NULL, NULL));
	if (r == 0)
		r = count_all(s);
	if (r == 0)
		r = db_prepare(s->db, statement_sql, s->stmt, STMT_NR);
	if (r < 0)
		close_db(s);
	return r;
}

static int move_aside(struct trail_store *s)
{
	int r;

	close_db(s);
	r = db_move_aside(s->path);
	if (r == 0)
		s->damaged++;
	return r;
}

static int ready(struct trail_store *s)
{
	int r;

	if (s->db)
		return 0;
	r = open_db(s);
	if (r == -EBADMSG && move_aside(s) == 0)
		r = open_db(s);
	db_fault(r, s->error);
	return r;
}

/* Something could not be written, and with it goes what SQLite has rolled back for that. */
static void lose(struct trail_store *s, int r)
{
	const bool rolled_back = s->db && s->pending && sqlite3_get_autocommit(s->db);
	uint64_t nr = 1;

	if (rolled_back || r == -EBADMSG) {
		nr += s->rows;
		s->written -= s->rows;
		s->pending = s->rows = 0;
	}
	if (rolled_back && r != -EBADMSG)
		count_all(s);
	s->lost += nr;
	s->gap += nr;
	if (!s->lost_from_ns)
		s->lost_from_ns = s->latest_ns;
	if (r == -EBADMSG && move_aside(s) == 0)
		r = ready(s);
	db_fault(r, s->error);
}

/* --- writing
 * --------------------------------------------------------------------------------------- */

static int run(struct trail_store *s, enum statement which)
{
	int rc = sqlite3_step(s->stmt[which]);

	sqlite3_reset(s->stmt[which]);
	sqlite3_clear_bindings(s->stmt[which]);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Opens what is to be written into, and a transaction. */
static bool begin(struct trail_store *s)
{
	int r = ready(s);

	if (r == 0 && s->pending == 0)
		r = db_errno(sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r < 0) {
		lose(s, r);
		return false;
	}
	s->pending++;
	return true;
}

static void commit(struct trail_store *s)
{
	int r;

	if (!s->db || !s->pending)
		return;
	r = db_errno(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL));
	if (r == -EBUSY)
		return; /* with the next ones */
	if (r == 0) {
		s->pending = s->rows = 0;
		return;
	}
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	/* The last of the rows is the one that lose() counts by itself. */
	s->written -= s->rows > 0;
	s->rows -= s->rows > 0;
	lose(s, r);
}

/* A row is in, or it failed with `rc`. */
static void done(struct trail_store *s, int rc)
{
	int r = db_errno(rc);

	if (r < 0) {
		lose(s, r);
		return;
	}
	db_fault(0, s->error);
	s->written++;
	s->rows++;
	if (s->pending >= PENDING_MAX)
		commit(s);
}

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
	return run(s, STMT_DIGEST);
}

/* In place of those of what the file held before. */
static int put_digests(struct trail_store *s, const char *name, const struct digests *digests)
{
	int64_t node;
	int rc = find_node(s, name, false, &node);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_DIGESTS_DROP], 1, node);
		rc = run(s, STMT_DIGESTS_DROP);
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
	return run(s, which);
}

static void put_node(void *ctx, const struct trail_node *n)
{
	struct trail_store *s = ctx;
	sqlite3_stmt *stmt;
	int rc;

	if (!begin(s))
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
	rc = run(s, STMT_NODE);
	if (rc == SQLITE_OK && n->digests)
		rc = put_digests(s, n->name, n->digests);
	if (rc == SQLITE_OK && n->verified)
		rc = put_verified(s, n->name, n->verified == TRAIL_VERIFIED);
	done(s, rc);
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
		rc = run(s, STMT_STUB);
		if (rc != SQLITE_OK)
			return rc;
	}
	return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
}

static int insert_edge(struct trail_store *s, const struct trail_edge *e)
{
	sqlite3_stmt *stmt = s->stmt[STMT_EDGE];
	int64_t key, from, to, before;
	struct key_count *count;
	int rc = find_node(s, e->key, true, &key);

	if (rc == SQLITE_OK)
		rc = find_node(s, e->from, true, &from);
	if (rc == SQLITE_OK)
		rc = find_node(s, e->to, true, &to);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(stmt, 1, key);
	sqlite3_bind_int(stmt, 2, e->kind);
	sqlite3_bind_int64(stmt, 3, from);
	sqlite3_bind_int64(stmt, 4, to);
	sqlite3_bind_int(stmt, 5, e->evidence);
	bind_text(stmt, 6, e->rule);
	bind_text(stmt, 7, e->detail);
	sqlite3_bind_int64(stmt, 8, (sqlite3_int64)e->time_ns);
	/* An upsert that updates leaves the last row's number alone. */
	sqlite3_set_last_insert_rowid(s->db, 0);
	rc = run(s, STMT_EDGE);
	before = sqlite3_last_insert_rowid(s->db);
	if (rc != SQLITE_OK || !before)
		return rc;
	count = count_of(s, key, true);
	if (count)
		count->edges++;
	s->edges++;
	return SQLITE_OK;
}

static void put_edge(void *ctx, const struct trail_edge *e)
{
	struct trail_store *s = ctx;

	s->latest_ns = e->time_ns;
	if (begin(s))
		done(s, insert_edge(s, e));
}

static void put_gap(void *ctx, const struct trail_gap *gap)
{
	struct trail_store *s = ctx;
	sqlite3_stmt *stmt;
	int rc;

	if (!begin(s))
		return;
	stmt = s->stmt[STMT_GAP];
	bind_text(stmt, 1, gap->host);
	bind_text(stmt, 2, gap->cause);
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)gap->from_ns);
	sqlite3_bind_int64(stmt, 4, (sqlite3_int64)gap->to_ns);
	sqlite3_bind_int64(stmt, 5, (sqlite3_int64)gap->count);
	rc = run(s, STMT_GAP);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_GAP_PURGE], 1, TRAIL_GAPS_MAX);
		rc = run(s, STMT_GAP_PURGE);
	}
	done(s, rc);
}

static void put_user(void *ctx, const char *host, uint32_t uid, const char *name)
{
	struct trail_store *s = ctx;

	if (!begin(s))
		return;
	bind_text(s->stmt[STMT_USER], 1, host);
	sqlite3_bind_int64(s->stmt[STMT_USER], 2, uid);
	bind_text(s->stmt[STMT_USER], 3, name);
	done(s, run(s, STMT_USER));
}

static void put_alert(void *ctx, const char *id, const char *type, const char *node)
{
	struct trail_store *s = ctx;
	int64_t number;
	int rc;

	if (!begin(s))
		return;
	rc = find_node(s, node, false, &number);
	if (rc == SQLITE_OK) {
		bind_text(s->stmt[STMT_ALERT], 1, id);
		bind_text(s->stmt[STMT_ALERT], 2, type);
		sqlite3_bind_int64(s->stmt[STMT_ALERT], 3, number);
		rc = run(s, STMT_ALERT);
	}
	done(s, rc == SQLITE_NOTFOUND ? SQLITE_OK : rc);
}

static void rekey(void *ctx, const char *old, const char *name)
{
	static const enum statement steps[] = {STMT_REKEY, STMT_REKEY_HOLDS, STMT_REKEY_REST};
	uint64_t changed[ARRAY_SIZE(steps)] = {0};
	struct trail_store *s = ctx;
	struct key_count *count;
	int64_t from, to;
	int rc;

	if (!begin(s))
		return;
	rc = find_node(s, old, false, &from);
	if (rc == SQLITE_OK)
		rc = find_node(s, name, true, &to);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && rc == SQLITE_OK; i++) {
		sqlite3_bind_int64(s->stmt[steps[i]], 1, from);
		sqlite3_bind_int64(s->stmt[steps[i]], 2, to);
		rc = run(s, steps[i]);
		changed[i] = (uint64_t)sqlite3_changes(s->db);
	}
	if (rc == SQLITE_OK && changed[0] + changed[2]) {
		count = count_of(s, to, true);
		if (count)
			count->edges += changed[0];
		count = count_of(s, from, false);
		if (count)
			count->edges = 0;
		s->edges -= changed[2] < s->edges ? changed[2] : s->edges;
	}
	done(s, rc == SQLITE_NOTFOUND ? SQLITE_OK : rc);
}

/* --- what gives way
 * -------------------------------------------------------------------------------- */

/* A node that nothing names any more goes, with its alerts. */
static int drop_orphan(struct trail_store *s, int64_t node)
{
	int rc;

	sqlite3_bind_int64(s->stmt[STMT_ORPHAN], 1, node);
	rc = run(s, STMT_ORPHAN);
	if (rc != SQLITE_OK || sqlite3_changes(s->db) == 0)
		return rc;
	sqlite3_bind_int64(s->stmt[STMT_DIGESTS_DROP], 1, node);
	rc = run(s, STMT_DIGESTS_DROP);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s->stmt[STMT_VERIFIED_DROP], 1, node);
		rc = run(s, STMT_VERIFIED_DROP);
	}
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->stmt[STMT_ORPHAN_ALERTS], 1, node);
	return run(s, STMT_ORPHAN_ALERTS);
}

/* Deletes up to `nr` edges of a key, with the nodes that nothing names any more. */
static int purge(struct trail_store *s, enum statement which, struct key_count *key, uint64_t nr,
		 uint64_t before_ns, uint64_t *out_gone)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int64_t ends[2 * PURGE_BITE];
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
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	*out_gone = nr_ends / 2;
	s->edges -= *out_gone < s->edges ? *out_gone : s->edges;
	key->edges -= *out_gone < key->edges ? *out_gone : key->edges;
	for (size_t i = 0; i < nr_ends; i++) {
		rc = drop_orphan(s, ends[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return key->edges ? SQLITE_OK : drop_orphan(s, key->id);
}

static void keep_count(struct trail_store *s)
{
	int rc = SQLITE_OK;

	while (s->edges > s->max_edges && rc == SQLITE_OK) {
		struct key_count *most = NULL;
		uint64_t gone = 0;

		for (struct key_count *key = s->keys; key; key = key->hh.next)
			if (!most || key->edges > most->edges)
				most = key;
		if (!most || !begin(s))
			return;
		rc = purge(s, STMT_PURGE, most, s->edges - s->max_edges, 0, &gone);
		if (rc == SQLITE_OK && !gone)
			rc = purge(s, STMT_PURGE_ALL, most, s->edges - s->max_edges, 0, &gone);
		if (!gone)
			break;
	}
	if (rc != SQLITE_OK)
		lose(s, db_errno(rc));
}

/* One key at a time, in turn. */
static void keep_age(struct trail_store *s, uint64_t now_ns)
{
	struct key_count *key = s->next_aged ? s->next_aged : s->keys;
	uint64_t gone = 0;
	int rc;

	if (!key || now_ns <= s->max_age_ns || !begin(s))
		return;
	rc = purge(s, STMT_PURGE_AGE, key, PURGE_BITE, now_ns - s->max_age_ns, &gone);
	if (rc != SQLITE_OK) {
		lose(s, db_errno(rc));
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
static void sweep_nodes(struct trail_store *s)
{
	sqlite3_stmt *stmt = s->stmt[STMT_NEXT_NODES];
	int64_t nodes[SWEEP_BITE];
	size_t nr = 0;
	int rc;

	if (!begin(s))
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
		lose(s, db_errno(rc));
}

void trail_store_flush(struct trail_store *s, uint64_t now_ns)
{
	const uint64_t lost_before = s->lost, from_ns = s->lost_from_ns;
	uint64_t told = 0;

	if (ready(s) < 0)
		return;
	if (s->gap) {
		const struct trail_gap gap = {
			.cause = "trail-store",
			.from_ns = s->lost_from_ns,
			.to_ns = now_ns,
			.count = s->gap,
		};

		put_gap(s, &gap);
		if (s->lost == lost_before) {
			told = s->gap;
			s->gap = s->lost_from_ns = 0;
		}
	}
	keep_count(s);
	if (s->db)
		keep_age(s, now_ns);
	if (s->db)
		sweep_nodes(s);
	commit(s);
	if (told && s->lost != lost_before) { /* that gap may have gone with the rest */
		s->gap += told;
		s->lost_from_ns = from_ns;
	}
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

struct trail_sink trail_store_sink(struct trail_store *s)
{
	return (struct trail_sink){
		.node = put_node,
		.edge = put_edge,
		.gap = put_gap,
		.rekey = rekey,
		.user = put_user,
		.alert = put_alert,
		.ctx = s,
	};
}

int trail_store_new(const struct trail_store_options *options, struct trail_store **out_store)
{
	struct trail_store *s;

	if (!options->path || (options->path[0] != '/' && strcmp(options->path, ":memory:")))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->max_edges = options->max_edges ? options->max_edges : TRAIL_EDGES_DEFAULT;
	s->max_age_ns = options->max_age_ns ? options->max_age_ns : TRAIL_AGE_DEFAULT_NS;
	s->path = strdup(options->path);
	if (!s->path) {
		free(s);
		return -ENOMEM;
	}
	(void)ready(s); /* told by stats, tried again by every write */
	*out_store = s;
	return 0;
}

void trail_store_keep(struct trail_store *s, uint32_t days)
{
	s->max_age_ns = days ? days * DAY_NS : UINT64_MAX;
}

void trail_store_free(struct trail_store *s)
{
	if (!s)
		return;
	commit(s);
	close_db(s);
	count_free(s);
	free(s->path);
	free(s);
}

void trail_store_stats(const struct trail_store *s, struct trail_store_stats *out_stats)
{
	struct trail_store_stats stats = {
		.edges = s->edges,
		.max_edges = s->max_edges,
		.keys = HASH_COUNT(s->keys),
		.written = s->written,
		.lost = s->lost,
		.damaged = s->damaged,
	};

	memcpy(stats.error, s->error, sizeof(stats.error));
	*out_stats = stats;
}
