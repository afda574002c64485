// SPDX-License-Identifier: GPL-2.0-or-later
/* The alert store: once by id, found again, bounded, and begun anew when it is damaged. */
#include "sinks/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "unit/alert_sample.h"
#include "unit/tmpdir.h"

static struct sink *open_store(const char *path, uint64_t max_rows, uint64_t max_bytes)
{
	struct store_options options = {.path = path, .max_rows = max_rows, .max_bytes = max_bytes};
	struct sink *sink = NULL;

	assert_int_equal(store_sink_new(&options, &sink), 0);
	return sink;
}

static void put(struct sink *sink, unsigned nr, enum alert_type type, enum severity severity)
{
	struct alert_sample s;

	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032u", nr);
	s.alert.type = type;
	s.alert.severity = severity;
	s.alert.time_ns = 1000 + nr;
	assert_int_equal(sink->ops->write(sink, &s.alert), 0);
}

static struct sink_stats stats(const struct sink *sink)
{
	struct sink_stats s;

	sink->ops->stats(sink, &s);
	return s;
}

struct found {
	unsigned ids[4096];
	size_t nr;
	int64_t last;
};

static int row(void *userdata, int64_t number, const char *json, size_t len)
{
	struct found *found = userdata;
	const char *id = strstr(json, "\"id\":\"");

	assert_int_equal(strlen(json), len);
	assert_non_null(id);
	assert_true(number > found->last);
	found->last = number;
	found->ids[found->nr++] = strtoul(id + 6, NULL, 10);
	return 0;
}

/* The newest `limit` that match, in pages of three. */
static void find(struct sink *sink, struct store_query query, uint64_t limit, struct found *found)
{
	long n;

	*found = (struct found){.last = -1};
	assert_int_equal(store_newest(sink, &query, limit, &query.after), 0);
	while ((n = store_read(sink, &query, 3, row, found)) > 0)
		query.after = found->last;
	assert_int_equal(n, 0);
}

static void an_alert_is_kept_once_by_its_id(void **state)
{
	struct sink *sink = open_store(tmpdir_path(state, "a.db"), 0, 0);
	struct found found;

	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	put(sink, 2, ALERT_KEY_READ, SEV_HIGH);
	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.ids[0], 1);
	assert_int_equal(found.ids[1], 2);
	sink->ops->free(sink);
}

/* Whoever deleted it: a newer version with a smaller bound, or an administrator. */
static void a_store_that_lost_most_gets_smaller(void **state)
{
	const char *path = tmpdir_path(state, "shrinks.db");
	struct sink *sink = open_store(path, 0, 0);
	struct stat full, small;
	sqlite3 *db = NULL;

	for (unsigned i = 0; i < 3000; i++)
		put(sink, i, ALERT_KEY_READ, SEV_HIGH);
	sink->ops->free(sink);
	assert_int_equal(stat(path, &full), 0);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM alerts WHERE number > 20", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	sink = open_store(path, 0, 0);
	for (int i = 0; i < 100; i++)
		sink->ops->flush(sink);
	sink->ops->free(sink);
	assert_int_equal(stat(path, &small), 0);
	assert_true(small.st_size < full.st_size / 3);
}

static void it_is_there_after_a_restart_and_private(void **state)
{
	const char *path = tmpdir_path(state, "a.db");
	struct sink *sink = open_store(path, 0, 0);
	struct found found;
	struct stat st;

	put(sink, 7, ALERT_KEY_READ, SEV_HIGH);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sink->ops->free(sink);
	sink = open_store(path, 0, 0);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 1);
	assert_int_equal(found.ids[0], 7);
	sink->ops->free(sink);
}

static void queries_filter_and_give_the_newest_in_order(void **state)
{
	static const struct {
		struct store_query query;
		uint64_t limit;
		size_t nr;
		unsigned first, last;
	} rows[] = {
		{{0}, 1000, 40, 0, 39},
		{{0}, 5, 5, 35, 39},
		{{0}, 0, 0, 0, 0},
		{{.since_ns = 1030}, 1000, 10, 30, 39},
		{{.since_ns = 1030}, 4, 4, 36, 39},
		{{.since_ns = 2000}, 4, 0, 0, 0},
		{{.since_ns = UINT64_MAX}, UINT64_MAX, 0, 0, 0},
		{{.type = ALERT_DUMP_READ}, 1000, 20, 1, 39},
		{{.min_severity = SEV_CRITICAL}, 1000, 10, 0, 36},
		{{.min_severity = SEV_CRITICAL, .type = ALERT_DUMP_READ}, 1000, 0, 0, 0},
		{{.min_severity = SEV_CRITICAL, .since_ns = 1010}, 2, 2, 32, 36},
	};
	struct sink *sink = open_store(tmpdir_path(state, "a.db"), 0, 0);

	for (unsigned i = 0; i < 40; i++)
		put(sink, i, i % 2 ? ALERT_DUMP_READ : ALERT_KEY_READ,
		    i % 4 ? SEV_MEDIUM : SEV_CRITICAL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found found;

		find(sink, rows[i].query, rows[i].limit, &found);
		assert_int_equal(found.nr, rows[i].nr);
		if (found.nr == 0)
			continue;
		assert_int_equal(found.ids[0], rows[i].first);
		assert_int_equal(found.ids[found.nr - 1], rows[i].last);
	}
	sink->ops->free(sink);
}

static void a_flood_of_small_things_does_not_wash_out_the_big_one(void **state)
{
	struct sink *sink = open_store(tmpdir_path(state, "a.db"), 100, 0);
	struct found found;

	put(sink, 1, ALERT_KEY_READ, SEV_CRITICAL);
	for (unsigned i = 2; i < 1000; i++)
		put(sink, i, ALERT_DAEMON, SEV_INFO);
	find(sink, (struct store_query){0}, 10000, &found);
	assert_in_range(found.nr, 80, 100);
	assert_int_equal(found.ids[0], 1);
	assert_int_equal(found.ids[found.nr - 1], 999);
	/* And when all are grave the oldest of the lesser ones go. */
	for (unsigned i = 1000; i < 1300; i++)
		put(sink, i, ALERT_KEY_READ, SEV_HIGH);
	find(sink, (struct store_query){0}, 10000, &found);
	assert_in_range(found.nr, 80, 100);
	assert_int_equal(found.ids[0], 1);
	assert_true(found.ids[1] > 1000);
	assert_int_equal(found.ids[found.nr - 1], 1299);
	sink->ops->free(sink);
}

static void put_by(struct sink *sink, unsigned nr, uint32_t login, uint32_t uid,
		   enum severity severity)
{
	struct alert_sample s;

	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032u", nr);
	s.alert.severity = severity;
	s.alert.time_ns = 1000 + nr;
	s.alert.loginuid = login;
	s.processes[0].uid = uid;
	assert_int_equal(sink->ops->write(sink, &s.alert), 0);
}

static void a_users_flood_does_not_wash_out_others(void **state)
{
	struct sink *sink = open_store(tmpdir_path(state, "a.db"), 200, 0);
	struct found found;

	/* Of less weight than the flood, and older. */
	for (unsigned i = 0; i < 20; i++)
		put_by(sink, i, 1001, 1001, SEV_LOW);
	for (unsigned i = 20; i < 40; i++)
		put_by(sink, i, UID_UNSET, 33, SEV_MEDIUM);
	put(sink, 40, ALERT_DAEMON, SEV_INFO);
	for (unsigned i = 100; i < 3000; i++)
		put_by(sink, i, 1000, 0, SEV_CRITICAL);
	find(sink, (struct store_query){0}, 10000, &found);
	assert_in_range(found.nr, 170, 200);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(found.ids[i], i);
	assert_int_equal(found.ids[found.nr - 1], 2999);
	sink->ops->free(sink);
}

static void of_the_least_weight_whose_share_is_largest_goes_first(void **state)
{
	struct sink *sink = open_store(tmpdir_path(state, "a.db"), 100, 0);
	struct found found;
	unsigned id = 0, of[3] = {0};

	/* None has more than half. */
	for (unsigned i = 0; i < 40; i++)
		put_by(sink, id++, 1000, 0, SEV_HIGH);
	for (unsigned i = 0; i < 20; i++)
		put_by(sink, id++, 1001, 0, SEV_MEDIUM);
	for (unsigned i = 0; i < 40; i++)
		put_by(sink, id++, 1002, 0, SEV_MEDIUM);
	put_by(sink, id++, 1001, 0, SEV_HIGH);
	find(sink, (struct store_query){0}, 10000, &found);
	for (size_t i = 0; i < found.nr; i++)
		of[found.ids[i] < 40 ? 0 : found.ids[i] < 60 ? 1 : 2]++;
	assert_int_equal(of[0], 40);
	assert_int_equal(of[1], 20);
	assert_true(of[2] < 40);
	assert_int_equal(found.ids[found.nr - 1], 100);
	sink->ops->free(sink);
}

static void bytes_are_bounded_too(void **state)
{
	const char *path = tmpdir_path(state, "a.db");
	struct sink *sink = open_store(path, 0, 300000);
	struct stat st;

	for (unsigned i = 0; i < 3000; i++)
		put(sink, i, ALERT_KEY_READ, SEV_LOW);
	sink->ops->free(sink); /* the last close writes the log back */
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 700000); /* unbounded it would be over 4 MB */
}

static void scribble(const char *path, off_t at, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void a_damaged_database_is_moved_aside_at_start(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	char junk[8192];
	struct sink *sink;
	struct found found;

	memset(junk, 'x', sizeof(junk));
	scribble(path, 0, junk, sizeof(junk));
	sink = open_store(path, 0, 0);
	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 1);
	assert_int_equal(access(tmpdir_path(state, "a.db.damaged"), F_OK), 0);
	assert_non_null(strstr(stats(sink).state, ".damaged"));
	assert_int_equal(stats(sink).dropped, 0);
	sink->ops->free(sink);
	free(path);
}

static void one_that_breaks_later_is_replaced_and_no_new_alert_is_lost(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	char junk[64 * 4096];
	struct sink *sink = open_store(path, 0, 0);
	struct found found;

	for (unsigned i = 0; i < 50; i++)
		put(sink, i, ALERT_KEY_READ, SEV_HIGH);
	sink->ops->free(sink);
	memset(junk, 0xa5, sizeof(junk));
	scribble(path, 4096, junk, sizeof(junk)); /* all but the first page */
	sink = open_store(path, 0, 0);
	put(sink, 100, ALERT_KEY_READ, SEV_HIGH);
	put(sink, 101, ALERT_KEY_READ, SEV_HIGH);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.ids[0], 100);
	assert_int_equal(access(tmpdir_path(state, "a.db.damaged"), F_OK), 0);
	sink->ops->free(sink);
	free(path);
}

static void execute(const char *path, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void one_of_a_newer_version_is_left_alone(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	struct sink *sink = open_store(path, 0, 0);
	struct store_query query = {0};
	char version[64];
	int64_t after;

	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	sink->ops->free(sink);
	snprintf(version, sizeof(version), "PRAGMA user_version = %d", STORE_SCHEMA);
	execute(path, "PRAGMA user_version = 99");
	sink = open_store(path, 0, 0);
	put(sink, 2, ALERT_KEY_READ, SEV_HIGH);
	assert_int_equal(stats(sink).queued, 1);
	assert_non_null(strstr(stats(sink).state, "newer"));
	assert_int_equal(store_newest(sink, &query, 10, &after), -ENODATA);
	assert_int_equal(access(tmpdir_path(state, "a.db.damaged"), F_OK), -1);
	sink->ops->free(sink);
	execute(path, version);
	sink = open_store(path, 0, 0);
	assert_non_null(strstr(stats(sink).state, "1 alerts"));
	sink->ops->free(sink);
	free(path);
}

static void one_of_an_older_version_is_brought_up_to_date(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	struct sink *sink;
	struct found found;

	execute(path, "CREATE TABLE alerts (number INTEGER PRIMARY KEY AUTOINCREMENT,"
		      " id TEXT NOT NULL UNIQUE, time_ns INTEGER NOT NULL, type INTEGER NOT NULL,"
		      " severity INTEGER NOT NULL, json TEXT NOT NULL);"
		      "CREATE INDEX alerts_time ON alerts (time_ns);"
		      "CREATE INDEX alerts_minor ON alerts (number) WHERE severity < 4;"
		      "PRAGMA application_id = 1263825505; PRAGMA user_version = 1;"
		      "INSERT INTO alerts (id, time_ns, type, severity, json)"
		      " VALUES ('7', 1007, 1, 4, '{\"id\":\"7\"}')");
	for (int i = 0; i < 2; i++) {
		sink = open_store(path, 0, 0);
		put(sink, 8 + i, ALERT_KEY_READ, SEV_HIGH);
		find(sink, (struct store_query){0}, 10, &found);
		assert_int_equal(found.nr, 2 + i);
		assert_int_equal(found.ids[0], 7);
		sink->ops->free(sink);
	}
	assert_int_equal(access(tmpdir_path(state, "a.db.damaged"), F_OK), -1);
	free(path);
}

static void another_programs_database_is_not_written_into(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	struct sink *sink;

	execute(path, "CREATE TABLE theirs (x)");
	sink = open_store(path, 0, 0);
	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	execute(tmpdir_path(state, "a.db.damaged"), "SELECT x FROM theirs");
	sink->ops->free(sink);
	free(path);
}

static void a_lock_held_by_another_queues(void **state)
{
	char *path = strdup(tmpdir_path(state, "a.db"));
	struct sink *sink = open_store(path, 0, 0);
	struct found found;
	sqlite3 *db = NULL;

	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	put(sink, 2, ALERT_KEY_READ, SEV_HIGH);
	assert_int_equal(stats(sink).queued, 1);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	sink->ops->flush(sink);
	assert_int_equal(stats(sink).queued, 0);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 2);
	sink->ops->free(sink);
	free(path);
}

static void no_directory_queues_until_there_is_one(void **state)
{
	struct sink *sink = open_store(tmpdir_path(state, "later/a.db"), 0, 0);
	struct found found;

	put(sink, 1, ALERT_KEY_READ, SEV_HIGH);
	assert_int_equal(stats(sink).queued, 1);
	assert_int_equal(mkdir(tmpdir_path(state, "later"), 0700), 0);
	sink->ops->flush(sink);
	find(sink, (struct store_query){0}, 10, &found);
	assert_int_equal(found.nr, 1);
	sink->ops->free(sink);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(an_alert_is_kept_once_by_its_id),
		TEST(it_is_there_after_a_restart_and_private),
		TEST(a_store_that_lost_most_gets_smaller),
		TEST(queries_filter_and_give_the_newest_in_order),
		TEST(a_flood_of_small_things_does_not_wash_out_the_big_one),
		TEST(a_users_flood_does_not_wash_out_others),
		TEST(of_the_least_weight_whose_share_is_largest_goes_first),
		TEST(one_of_an_older_version_is_brought_up_to_date),
		TEST(bytes_are_bounded_too),
		TEST(a_damaged_database_is_moved_aside_at_start),
		TEST(one_that_breaks_later_is_replaced_and_no_new_alert_is_lost),
		TEST(one_of_a_newer_version_is_left_alone),
		TEST(another_programs_database_is_not_written_into),
		TEST(a_lock_held_by_another_queues),
		TEST(no_directory_queues_until_there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
