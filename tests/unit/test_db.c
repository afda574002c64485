// SPDX-License-Identifier: GPL-2.0-or-later
/* db/db.c: whose a database is, and what is done with one that is not as it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/db.h"
#include "tmpdir.h"

static const struct db_schema schema_1 = {
	.application_id = 7,
	.version = 1,
	.create = "CREATE TABLE t (a); PRAGMA application_id = 7; PRAGMA user_version = 1;",
};
static const char *const upgrades[] = {
	NULL,
	"ALTER TABLE t ADD COLUMN b; PRAGMA user_version = 2;",
	"ALTER TABLE t ADD COLUMN c; PRAGMA user_version = 3;",
};
static const struct db_schema schema_3 = {
	.application_id = 7,
	.version = 3,
	.create = "CREATE TABLE t (a, b, c); PRAGMA application_id = 7; PRAGMA user_version = 3;",
	.upgrade = upgrades,
};

static int check_once(const char *path, const struct db_schema *schema, bool create)
{
	sqlite3 *db;
	int r = db_open(path, &db);

	if (r == 0)
		r = db_check(db, schema, create);
	db_close(&db, NULL, 0);
	assert_null(db);
	return r;
}

static void a_new_file_is_for_root_alone_and_gets_the_schema(void **state)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/new", (const char *)*state);
	umask(0);
	assert_int_equal(check_once(path, &schema_1, false), -EBADMSG); /* not made by a reader */
	assert_int_equal(check_once(path, &schema_1, true), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(check_once(path, &schema_1, false), 0);
}

static void an_old_schema_is_brought_up_step_by_step(void **state)
{
	char path[256];
	uint64_t columns;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/old", (const char *)*state);
	assert_int_equal(check_once(path, &schema_1, true), 0);
	assert_int_equal(db_open(path, &db), 0);
	assert_int_equal(db_check(db, &schema_3, true), 0);
	assert_int_equal(db_get_u64(db, "SELECT count(*) FROM pragma_table_info('t')", &columns),
			 0);
	assert_int_equal(columns, 3);
	db_close(&db, NULL, 0);
	assert_int_equal(check_once(path, &schema_1, true), -EPROTONOSUPPORT);
	assert_int_equal(check_once(path, &schema_3, true), 0); /* and was not touched */
}

static void what_is_not_ours_or_is_a_link_is_refused(void **state)
{
	static const struct db_schema other = {.application_id = 8, .version = 1, .create = ""};
	char path[256], link[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/file", (const char *)*state);
	snprintf(link, sizeof(link), "%s/link", (const char *)*state);
	assert_int_equal(check_once(path, &schema_1, true), 0);
	assert_int_equal(check_once(path, &other, true), -EBADMSG);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(check_once(link, &schema_1, true), -ELOOP);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("this is no database, and long enough to be looked at as one .......",
			  f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(check_once(path, &schema_1, true), -EBADMSG);
	assert_int_equal(db_move_aside(path), 0);
	assert_int_equal(access(path, F_OK), -1);
	strcat(path, ".damaged");
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(db_move_aside(path), 0);
	assert_int_equal(db_move_aside(path), 0); /* nothing there */
}

/* Of one that is there: not with the lock that somebody else has, and not on a full disk. */
static void to_open_is_no_write(void **state)
{
	char path[256], wal[264];
	struct stat before, after;
	sqlite3 *first, *second;

	snprintf(path, sizeof(path), "%s/opened", (const char *)*state);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(db_open(path, &first), 0);
	assert_int_equal(db_check(first, &schema_1, true), 0);
	assert_int_equal(stat(wal, &before), 0);
	assert_int_equal(db_open(path, &second), 0);
	assert_int_equal(db_check(second, &schema_1, false), 0);
	assert_int_equal(stat(wal, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	db_close(&second, NULL, 0);
	assert_int_equal(sqlite3_exec(first, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(db_open(path, &second), 0);
	db_close(&second, NULL, 0);
	assert_int_equal(sqlite3_exec(first, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	db_close(&first, NULL, 0);
}

static uint64_t get(sqlite3 *db, const char *sql)
{
	uint64_t n = 0;

	assert_int_equal(db_get_u64(db, sql, &n), 0);
	return n;
}

static void what_was_deleted_is_given_back_in_small_steps(void **state)
{
	static const char fill[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
				   " WHERE i < 5000) INSERT INTO t SELECT randomblob(1000) FROM n";
	char path[256];
	uint64_t before, pages;
	struct stat full, small;
	sqlite3 *db;
	int steps = 0;

	snprintf(path, sizeof(path), "%s/shrinks", (const char *)*state);
	assert_int_equal(db_open(path, &db), 0);
	assert_int_equal(db_check(db, &schema_1, true), 0);
	assert_int_equal(sqlite3_exec(db, fill, NULL, NULL, NULL), SQLITE_OK);
	pages = get(db, "PRAGMA page_count");
	/* A fifth is soon used again. */
	assert_int_equal(sqlite3_exec(db, "DELETE FROM t WHERE rowid <= 1000", NULL, NULL, NULL),
			 SQLITE_OK);
	db_shrink(db);
	assert_int_equal(get(db, "PRAGMA page_count"), pages);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM t WHERE rowid <= 4900", NULL, NULL, NULL),
			 SQLITE_OK);
	db_close(&db, NULL, 0);
	assert_int_equal(stat(path, &full), 0);
	assert_int_equal(db_open(path, &db), 0);
	do {
		before = get(db, "PRAGMA page_count");
		db_shrink(db);
		pages = get(db, "PRAGMA page_count");
		assert_true(before - pages <= DB_SHRINK_PAGES + 1); /* one of the map */
		steps++;
	} while (pages < before);
	assert_true(steps > 5);
	assert_int_equal(get(db, "SELECT count(*) FROM t"), 100);
	db_close(&db, NULL, 0);
	assert_int_equal(stat(path, &small), 0);
	assert_true(small.st_size < full.st_size / 3);
}

static void faults_have_words(void **state)
{
	char text[DB_FAULT_MAX];

	(void)state;
	db_fault(0, text);
	assert_string_equal(text, "");
	db_fault(-EPROTONOSUPPORT, text);
	assert_non_null(strstr(text, "newer"));
	db_fault(-ENOSPC, text);
	assert_string_equal(text, strerror(ENOSPC));
	assert_int_equal(db_errno(SQLITE_CORRUPT_INDEX), -EBADMSG);
	assert_int_equal(db_errno(SQLITE_ROW), 0);
	assert_int_equal(db_errno(SQLITE_IOERR_READ), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_for_root_alone_and_gets_the_schema),
		cmocka_unit_test(an_old_schema_is_brought_up_step_by_step),
		cmocka_unit_test(what_is_not_ours_or_is_a_link_is_refused),
		cmocka_unit_test(to_open_is_no_write),
		cmocka_unit_test(what_was_deleted_is_given_back_in_small_steps),
		cmocka_unit_test(faults_have_words),
	};

	return cmocka_run_group_tests_name("db", tests, tmpdir_make, tmpdir_clean);
}
