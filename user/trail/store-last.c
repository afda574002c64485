// SPDX-License-Identifier: GPL-2.0-or-later
/* Who read a file last. The database can be anybody's: texts are checked as they are taken. */
#include "trail/store-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

#define PATH_TEXT (4 * 4096 + 1)
/* Of one file, newest first: each run of a program of our own is one. */
#define READS_SEEN 10000

/* Host and process: rows of other hosts come from copies of their databases. */
#define LAST_SQL(verified)                                                            \
	"SELECT e.last, p.label, u.name, l.name, p.pid, p.uid, p.loginuid, " verified \
	" FROM nodes f"                                                               \
	" JOIN edges e ON e.a = f.id JOIN nodes p ON p.id = e.b"                      \
	" LEFT JOIN users u ON u.host = p.host AND u.uid = p.uid"                     \
	" LEFT JOIN users l ON l.host = p.host AND l.uid = p.loginuid"                \
	" WHERE f.label = ?1 AND f.kind IN (2, 3) AND e.kind IN (2, 9)"               \
	" ORDER BY e.last DESC LIMIT 10000"
static const char last_sql[] = LAST_SQL("EXISTS (SELECT 1 FROM verified v WHERE v.node = p.id)");
/* Of a database that is older than this table. */
static const char older_sql[] = LAST_SQL("0");
_Static_assert(TRAIL_FILE == 2 && TRAIL_DUMP == 3 && TRAIL_READ == 2 && TRAIL_DUMP_READ == 9 &&
		       READS_SEEN == 10000,
	       "written out in `last_sql`");

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

/* Escaped once more if it is no text of ours. */
static char *text(sqlite3_stmt *stmt, int column)
{
	const char *p = (const char *)sqlite3_column_text(stmt, column);
	const int n = sqlite3_column_bytes(stmt, column);
	size_t len = p && n > 0 ? (size_t)n : 0;
	char raw[4096], out[4096];
	long undone;

	if (!len)
		return strdup("");
	if (len >= sizeof(raw))
		len = sizeof(raw) - 1;
	undone = escape_undo(p, len, raw, sizeof(raw));
	escape_bytes(undone >= 0 ? raw : p, undone >= 0 ? (size_t)undone : len, out, sizeof(out),
		     NULL);
	return strdup(out);
}

static uint32_t id_of(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? UINT32_MAX
		       : (uint32_t)sqlite3_column_int64(stmt, column);
}

static bool is_one_of(const char *exe, const char *const *exes)
{
	for (; *exes; exes++)
		if (exe && !strcmp(exe, *exes))
			return true;
	return false;
}

void trail_last_read_fini(struct trail_last_read *read)
{
	free(read->exe);
	free(read->user);
	free(read->login);
	*read = (struct trail_last_read){0};
}

int trail_store_last_read(struct trail_store *store, const char *path, const char *const *but_exes,
			  struct trail_last_read *out_read)
{
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	char escaped[PATH_TEXT];
	int rc;

	if (!store->db)
		return -EIO;
	rc = sqlite3_prepare_v2(store->db, last_sql, -1, &stmt, NULL);
	if (rc == SQLITE_ERROR)
		rc = sqlite3_prepare_v2(store->db, older_sql, -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return db_errno(rc);
	escape_bytes(path, strlen(path), escaped, sizeof(escaped), NULL);
	sqlite3_bind_text(stmt, 1, escaped, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct trail_last_read read;

		/* Whoever else has such a path is not passed over. */
		if (sqlite3_column_int(stmt, 7) &&
		    is_one_of((const char *)sqlite3_column_text(stmt, 1), but_exes))
			continue;
		read = (struct trail_last_read){
			.time_ns = (uint64_t)sqlite3_column_int64(stmt, 0),
			.exe = text(stmt, 1),
			.user = text(stmt, 2),
			.login = text(stmt, 3),
			.pid = (uint32_t)sqlite3_column_int64(stmt, 4),
			.uid = id_of(stmt, 5),
			.loginuid = id_of(stmt, 6),
		};
		if (!read.exe || !read.user || !read.login) {
			trail_last_read_fini(&read);
			return -ENOMEM;
		}
		*out_read = read;
		return 0;
	}
	return rc == SQLITE_DONE ? -ENOENT : db_errno(rc);
}

int trail_store_since(struct trail_store *store, uint64_t *out_ns)
{
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	if (!store->db)
		return -EIO;
	rc = sqlite3_prepare_v2(store->db, "SELECT min(first) FROM edges", -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return db_errno(rc);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -ENOENT : db_errno(rc);
	if (sqlite3_column_type(stmt, 0) == SQLITE_NULL)
		return -ENOENT;
	*out_ns = (uint64_t)sqlite3_column_int64(stmt, 0);
	return 0;
}
