/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon's SQLite databases have in common: how one is opened, recognised as ours, set
 * aside when it is damaged, and what its faults are called. One thread at a time for each database.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#define DB_FAULT_MAX 96

struct db_schema {
	uint32_t application_id; /* of the file's header: whose it is */
	uint32_t version;
	const char *create; /* SQL, a transaction, that sets both of the above, too */
	/* [v]: SQL from version v to v + 1, for v from 1 to version - 1; NULL: there was none. */
	const char *const *upgrade;
};

/* Negative errno for what SQLite said (also an extended code); 0 for OK, ROW and DONE. */
int db_errno(int rc);

/* First column of the first row. -ENODATA: there is none. */
int db_get_u64(sqlite3 *db, const char *sql, uint64_t *out);

/*
 * Opens or makes the file, of mode 0600 and for writing; ":memory:" is none. WAL, no waiting for
 * locks of others, no symbolic link in the last place of the path. 0 or negative errno; *out_db is
 * to be closed either way, and may be NULL.
 */
int db_open(const char *path, sqlite3 **out_db);

/*
 * An older schema is brought up, an empty file gets it if `create`; -EBADMSG: not ours, or damaged;
 * -EPROTONOSUPPORT: of a newer version, and never to be touched.
 */
int db_check(sqlite3 *db, const struct db_schema *schema, bool create);

/* Statements for as long as the database is open, by db_close() with it. */
int db_prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **out_stmt, size_t nr);
void db_close(sqlite3 **db, sqlite3_stmt **stmt, size_t nr);

/*
 * Gives the file system back what was deleted, at most DB_SHRINK_PAGES at a time, as long as more
 * than a quarter of the pages and at least a megabyte is free: less than that is soon used again.
 * Outside of a transaction, once a second; what cannot be done now is done later. A file that was
 * made before there was this keeps its size.
 */
#define DB_SHRINK_PAGES 128
void db_shrink(sqlite3 *db);

/* NAME -> NAME.damaged, with what SQLite keeps beside it. The database is closed. */
int db_move_aside(const char *path);

/* For people: "" for 0, else what r, as of the functions above, means. */
void db_fault(int r, char out[DB_FAULT_MAX]);
