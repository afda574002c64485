// SPDX-License-Identifier: GPL-2.0-or-later
/* The trail's database: its tables, and what is asked of and done to them. */
#include "trail/store-internal.h"

#define APPLICATION_ID 0x4b547274 /* "KTrt" */

/* Where a key is kept and was found (kinds 1 and 7) is neither: it says what its trail is about. */
#define INFERRED " evidence = 3 AND kind NOT IN (1, 7)"
#define SEEN	 " evidence <> 3 AND kind NOT IN (1, 7)"
#define ABOUT	 " kind IN (1, 7)"

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
const char trail_later_tables[] =
	"CREATE TABLE IF NOT EXISTS digests (" /* nr 0: of the file */
	" node INTEGER NOT NULL, nr INTEGER NOT NULL, sha256 TEXT NOT NULL,"
	" PRIMARY KEY (node, nr)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS digests_sha256 ON digests (sha256);"
	"CREATE TABLE IF NOT EXISTS verified (node INTEGER PRIMARY KEY);"; /* of processes */
/* What gives way, in order: for trail_statements[STMT_PURGE_INFERRED], _SEEN and _ABOUT. */
const char trail_later_indexes[] =
	"CREATE INDEX IF NOT EXISTS edges_inferred ON edges (key, last) WHERE" INFERRED ";"
	"CREATE INDEX IF NOT EXISTS edges_seen ON edges (key, last) WHERE" SEEN ";"
	"CREATE INDEX IF NOT EXISTS edges_about ON edges (key, kind DESC, last) WHERE" ABOUT ";";
_Static_assert(APPLICATION_ID == 1263825524 && TRAIL_SCHEMA == 1, "written out in `schema`");
_Static_assert(TRAIL_READ == 2 && TRAIL_DUMP_READ == 9 && TRAIL_HOLDS == 1 && TRAIL_FOUND_IN == 7 &&
		       TRAIL_CONFIRMED == 2 && TRAIL_INFERRED == 3,
	       "written out in `trail_statements`");

const char trail_count_edges[] = "SELECT key, count(*) FROM edges GROUP BY key";
const char trail_count_inferred[] =
	"SELECT key, count(*) FROM edges WHERE" INFERRED " GROUP BY key";
const char trail_count_about[] = "SELECT key, count(*) FROM edges WHERE" ABOUT " GROUP BY key";

#define COUNTED INFERRED "," ABOUT /* as store_count_more() takes it */
#define FIRST(condition, order)                                                        \
	"DELETE FROM edges WHERE id IN (SELECT id FROM edges WHERE key = ?1" condition \
	" ORDER BY " order " LIMIT ?2) RETURNING a, b," COUNTED
#define OLDEST(condition) FIRST(condition, "last")

const char *const trail_statements[STMT_NR] = {
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
	/* What was seen or found in content is inferred no more: it begins when it was seen. That a
	 * file stood there was seen before, whatever was inferred of what is in it. */
	[STMT_RAISE] = "UPDATE edges SET evidence = ?5, rule = NULL,"
		       " detail = CASE WHEN" ABOUT " THEN detail ELSE ?6 END,"
		       " first = CASE WHEN" ABOUT " THEN first ELSE ?7 END,"
		       " last = CASE WHEN" ABOUT " THEN last ELSE ?7 END,"
		       " count = CASE WHEN" ABOUT " THEN count ELSE 0 END"
		       " WHERE key = ?1 AND kind = ?2 AND a = ?3 AND b = ?4 AND evidence = 3",
	/* An edge that is known by content stays so, and what is inferred of one that was seen adds
	 * nothing to it. */
	[STMT_EDGE] = "INSERT INTO edges (key, kind, a, b, evidence, rule, detail, first, last,"
		      " count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1)"
		      " ON CONFLICT (key, a, b, kind) DO UPDATE SET"
		      " last = CASE WHEN ?5 = 3 AND" SEEN " THEN last ELSE max(last, ?8) END,"
		      " first = CASE WHEN ?5 = 3 AND" SEEN " THEN first ELSE min(first, ?8) END,"
		      " count = CASE WHEN ?5 = 3 AND" SEEN " THEN count ELSE count + 1 END,"
		      " rule = CASE WHEN ?5 = 2 THEN NULL ELSE rule END,"
		      " evidence = CASE WHEN ?5 = 2 THEN 2 ELSE evidence END",
	[STMT_GAP] = "INSERT INTO gaps (host, cause, began, ended, count) VALUES (?1, ?2, ?3, ?4,"
		     " ?5)",
	[STMT_GAP_PURGE] = "DELETE FROM gaps WHERE id <= (SELECT max(id) FROM gaps) - ?1",
	[STMT_USER] = "INSERT INTO users (host, uid, name) VALUES (?1, ?2, ?3)"
		      " ON CONFLICT (host, uid) DO UPDATE SET name = ?3",
	[STMT_ALERT] = "INSERT OR IGNORE INTO alerts (id, type, node) VALUES (?1, ?2, ?3)",
	[STMT_FIND] = "SELECT id FROM nodes WHERE name = ?1",
	[STMT_REKEY] = "UPDATE OR IGNORE edges SET key = ?2 WHERE key = ?1 RETURNING " COUNTED,
	[STMT_REKEY_HOLDS] = "UPDATE OR IGNORE edges SET a = ?2 WHERE key = ?2 AND a = ?1"
			     " AND kind = 1",
	[STMT_REKEY_REST] = "DELETE FROM edges WHERE key = ?1 OR (key = ?2 AND a = ?1 AND kind = 1)"
			    " RETURNING " COUNTED ", key",
	[STMT_PURGE_INFERRED] = OLDEST(" AND" INFERRED),
	[STMT_PURGE_SEEN] = OLDEST(" AND" SEEN),
	/* Where it was found before where it is kept. */
	[STMT_PURGE_ABOUT] = FIRST(" AND" ABOUT, "kind DESC, last"),
	/* Only of a key of which nothing is seen any more: as long as it lives, all of its trail
	 * stands. */
	[STMT_PURGE_AGE] = OLDEST(" AND (SELECT max(last) FROM edges WHERE key = ?1) < ?3"),
	[STMT_ORPHAN] = "DELETE FROM nodes WHERE id = ?1"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE a = ?1)"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE b = ?1)"
			" AND NOT EXISTS (SELECT 1 FROM edges WHERE key = ?1)",
	[STMT_POSITION] = "SELECT max(id) FROM edges", /* NULL, which is 0, if there are none */
	[STMT_WAS_READ] = "SELECT 1 FROM nodes f JOIN edges e ON e.a = f.id"
			  " WHERE (f.name = ?1 OR (f.label = ?3 AND f.host = ?2))"
			  " AND e.kind IN (2, 9) AND e.id <= ?4 LIMIT 1",
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
