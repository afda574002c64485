// SPDX-License-Identifier: GPL-2.0-or-later
/* The JSON lines sink: whole lines, rotation, full disks, loss. */
#include "sinks/jsonl.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "unit/alert_sample.h"
#include "unit/tmpdir.h"

static struct sink *open_sink(const char *path, const char *spool, size_t memory)
{
	struct jsonl_options options = {.path = path, .spool_path = spool, .memory_max = memory};
	struct sink *sink = NULL;

	assert_int_equal(jsonl_sink_new(&options, &sink), 0);
	return sink;
}

static int write_nr(struct sink *sink, unsigned nr)
{
	struct alert_sample s;

	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032u", nr);
	s.alert.time_ns += nr;
	return sink->ops->write(sink, &s.alert);
}

static struct sink_stats stats(const struct sink *sink)
{
	struct sink_stats s;

	sink->ops->stats(sink, &s);
	return s;
}

/* Every line of the file is an alert, their ids are first, first + 1, ... Returns how many. */
static unsigned expect_file(const char *path, unsigned first)
{
	_cleanup_fclose_ FILE *f = fopen(path, "r");
	_cleanup_free_ char *line = NULL;
	unsigned nr = 0;
	size_t size = 0;
	ssize_t len;

	assert_non_null(f);
	while ((len = getline(&line, &size, f)) > 0) {
		json_auto_t *alert = json_loads(line, 0, NULL);

		assert_non_null(alert);
		assert_true(line[len - 1] == '\n');
		assert_int_equal(atoi(json_string_value(json_object_get(alert, "id"))), first + nr);
		nr++;
	}
	return nr;
}

static void each_alert_is_a_line(void **state)
{
	const char *path = tmpdir_path(state, "log/alerts.jsonl"); /* the directory is made */
	struct sink *sink = open_sink(path, NULL, 0);
	struct stat st;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(write_nr(sink, i), 0);
	assert_int_equal(expect_file(path, 0), 5);
	assert_int_equal(stats(sink).written, 5);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07137, 0); /* at most 0640 */
	sink->ops->free(sink);
	sink = open_sink(path, NULL, 0); /* appends after a restart */
	write_nr(sink, 5);
	sink->ops->free(sink);
	assert_int_equal(expect_file(path, 0), 6);
}

/* A writer that is killed within write() leaves the beginning of a line. */
static void half_a_line_of_one_who_was_killed_stands_by_itself(void **state)
{
	const char *path = tmpdir_path(state, "half.jsonl");
	struct sink *sink = open_sink(path, NULL, 0);
	char text[65536] = "";
	size_t whole;
	FILE *f;

	write_nr(sink, 0);
	sink->ops->free(sink);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("{\"schema\":1,\"id", f);
	fclose(f);
	sink = open_sink(path, NULL, 0);
	write_nr(sink, 1);
	sink->ops->free(sink);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	whole = strcspn(text, "\n") + 1;
	assert_int_equal(strncmp(text + whole, "{\"schema\":1,\"id\n{\"schema\":1,", 28), 0);
}

static void a_rotated_file_is_noticed_without_a_signal(void **state)
{
	const char *path = tmpdir_path(state, "a.jsonl"), *old = tmpdir_path(state, "a.jsonl.1");
	struct sink *sink = open_sink(path, NULL, 0);

	write_nr(sink, 0);
	write_nr(sink, 1);
	assert_int_equal(rename(path, old), 0);
	write_nr(sink, 2);
	assert_int_equal(expect_file(old, 0), 2);
	assert_int_equal(expect_file(path, 2), 1);
	unlink(path);
	write_nr(sink, 3);
	assert_int_equal(expect_file(path, 3), 1);
	sink->ops->free(sink);
}

static void a_directory_that_comes_later_is_waited_for(void **state)
{
	const char *path = tmpdir_path(state, "not/yet/a.jsonl");
	struct sink *sink = open_sink(path, NULL, 0);

	assert_int_equal(write_nr(sink, 0), 0);
	assert_int_equal(stats(sink).queued, 1);
	assert_non_null(strstr(stats(sink).state, "No such file"));
	assert_int_equal(mkdir(tmpdir_path(state, "not"), 0700), 0);
	sink->ops->flush(sink);
	assert_int_equal(expect_file(path, 0), 1);
	assert_int_equal(stats(sink).queued, 0);
	sink->ops->free(sink);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file size limit behaves like a full disk: a short write first, then none. */
static void a_full_disk_leaves_no_half_line_and_loses_nothing(void **state)
{
	const char *path = tmpdir_path(state, "a.jsonl");
	struct sink *sink = open_sink(path, NULL, 0);
	unsigned nr = 0;

	limit_file_size(10000);
	while (stats(sink).queued == 0)
		write_nr(sink, nr++);
	write_nr(sink, nr++);
	assert_int_equal(expect_file(path, 0), stats(sink).written);
	assert_int_equal(stats(sink).queued, 2);
	limit_file_size(RLIM_INFINITY);
	sink->ops->flush(sink);
	assert_int_equal(expect_file(path, 0), nr);
	assert_int_equal(stats(sink).dropped, 0);
	sink->ops->free(sink);
}

static void what_was_dropped_is_told_once(void **state)
{
	const char *path = tmpdir_path(state, "sub/x/a.jsonl");
	struct sink *sink = open_sink(path, NULL, 8000);
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	unsigned nr = 0, notices = 0;
	size_t size = 0;

	while (write_nr(sink, nr) == 0)
		nr++;
	assert_int_equal(write_nr(sink, 999), -ENOSPC);
	assert_int_equal(mkdir(tmpdir_path(state, "sub"), 0700), 0);
	sink->ops->flush(sink);
	f = fopen(path, "r");
	assert_non_null(f);
	while (getline(&line, &size, f) > 0) {
		json_auto_t *alert = json_loads(line, 0, NULL);
		const char *type = json_string_value(json_object_get(alert, "type"));

		if (strcmp(type, "events-lost"))
			continue;
		notices++;
		assert_int_equal(json_integer_value(json_object_get(alert, "count")), 2);
	}
	assert_int_equal(notices, 1);
	assert_int_equal(stats(sink).dropped, 2);
	sink->ops->free(sink);
}

static void what_was_not_written_waits_in_the_spool_over_a_restart(void **state)
{
	char *path = strdup(tmpdir_path(state, "later/x/a.jsonl"));
	char *spool = strdup(tmpdir_path(state, "spool"));
	struct sink *sink = open_sink(path, spool, 0);

	for (unsigned i = 0; i < 7; i++)
		write_nr(sink, i);
	sink->ops->free(sink);
	mkdir(tmpdir_path(state, "later"), 0700);
	sink = open_sink(path, spool, 0);
	write_nr(sink, 7);
	assert_int_equal(expect_file(path, 0), 8);
	sink->ops->free(sink);
	free(path);
	free(spool);
}

static void only_regular_files_are_written_to(void **state)
{
	const char *fifo = tmpdir_path(state, "fifo"), *link = tmpdir_path(state, "link");
	const char *const paths[] = {fifo, link};
	int reader;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	assert_int_equal(symlink(tmpdir_path(state, "target"), link), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct sink *sink = open_sink(paths[i], NULL, 0);

		write_nr(sink, 0);
		assert_int_equal(stats(sink).written, 0);
		assert_int_equal(stats(sink).queued, 1);
		sink->ops->free(sink);
	}
	assert_int_equal(access(tmpdir_path(state, "target"), F_OK), -1);
	close(reader);
}

static void a_relative_path_is_refused(void **state)
{
	struct jsonl_options options = {.path = "alerts.jsonl"};
	struct sink *sink = NULL;

	assert_int_equal(jsonl_sink_new(&options, &sink), -EINVAL);
	assert_null(sink);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(each_alert_is_a_line),
		TEST(half_a_line_of_one_who_was_killed_stands_by_itself),
		TEST(a_rotated_file_is_noticed_without_a_signal),
		TEST(a_directory_that_comes_later_is_waited_for),
		TEST(a_full_disk_leaves_no_half_line_and_loses_nothing),
		TEST(what_was_dropped_is_told_once),
		TEST(what_was_not_written_waits_in_the_spool_over_a_restart),
		TEST(only_regular_files_are_written_to),
		TEST(a_relative_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
