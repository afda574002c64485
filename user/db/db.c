// SPDX-License-Identifier: GPL-2.0-or-later
/* SQLite databases of the daemon. */
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Free pages that are left where they are, for what comes next. */
#define SPARE_MIN 256

int db_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

static int exec(sqlite3 *db, const char *sql)
{
	return db_errno(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int db_get_u64(sqlite3 *db, const char *sql, uint64_t *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : rc == SQLITE_DONE ? -ENODATA : db_errno(rc);
}

int db_open(const char *path, sqlite3 **out_db)
{
	bool empty = true;
	int r;

	*out_db = NULL;
	if (strcmp(path, ":memory:") != 0) {
		struct stat st;
		/* SQLite would make it 0644 and gives -wal and -shm the mode of the main file. */
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

		if (fd < 0)
			return -errno;
		empty = fstat(fd, &st) == 0 && st.st_size == 0;
		close(fd);
	}
	r = db_errno(
		sqlite3_open_v2(path, out_db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
				NULL));
	if (r < 0)
		return r;
	sqlite3_extended_result_codes(*out_db, 1);
	sqlite3_busy_timeout(*out_db, 0); /* never wait: somebody else's lock queues us */
	/* First what is fixed by the first page that is written. Of a file that is there it would
	 * change nothing, and still be a write: on a full disk, against somebody's lock, into a
	 * file of a newer version. */
	r = empty ? exec(*out_db, "PRAGMA auto_vacuum = INCREMENTAL") : 0;
	if (r < 0)
		return r;
	return exec(*out_db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			     "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
}

int db_check(sqlite3 *db, const struct db_schema *schema, bool create)
{
	uint64_t application = 0, version = 0, tables = 0;
	int r = db_get_u64(db, "PRAGMA application_id", &application);

	if (r == 0)
		r = db_get_u64(db, "PRAGMA user_version", &version);
	if (r == 0)
		r = db_get_u64(db, "SELECT count(*) FROM sqlite_master", &tables);
	if (r < 0)
		return r;
	if (create && tables == 0 && application == 0)
		return exec(db, schema->create);
	if (application != schema->application_id)
		return -EBADMSG;
	if (version > schema->version)
		return -EPROTONOSUPPORT;
	for (; version < schema->version; version++) {
		const char *sql = version && schema->upgrade ? schema->upgrade[version] : NULL;

		r = sql ? exec(db, sql) : -EBADMSG;
		if (r < 0)
			return r;
	}
	return 0;
}

int db_prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **out_stmt, size_t nr)
{
	int r = 0;

	for (size_t i = 0; i < nr && r == 0; i++)
		r = db_errno(sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
						&out_stmt[i], NULL));
	return r;
}

void db_close(sqlite3 **db, sqlite3_stmt **stmt, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		sqlite3_finalize(stmt[i]);
		stmt[i] = NULL;
	}
	sqlite3_close(*db);
	*db = NULL;
}

void db_shrink(sqlite3 *db)
{
	uint64_t pages = 0, spare = 0;
	char sql[64];

	if (db_get_u64(db, "PRAGMA page_count", &pages) < 0 ||
	    db_get_u64(db, "PRAGMA freelist_count", &spare) < 0)
		return;
	if (spare < SPARE_MIN || spare <= pages / 4)
		return;
	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", DB_SHRINK_PAGES);
	(void)exec(db, sql);
}

int db_move_aside(const char *path)
{
	static const char *const suffixes[] = {"-wal", "-shm", ""};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *from = NULL, *to = NULL;

		if (asprintf(&from, "%s%s", path, suffixes[i]) < 0 ||
		    asprintf(&to, "%s.damaged%s", path, suffixes[i]) < 0)
			return -ENOMEM;
		unlink(to); /* a -wal of an earlier one must not stand beside this */
		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

void db_fault(int r, char out[DB_FAULT_MAX])
{
	const char *what = r == 0		   ? ""
			   : r == -EPROTONOSUPPORT ? "written by a newer keytrail, not used"
						   : strerror(-r);

	snprintf(out, DB_FAULT_MAX, "%s", what);
}
