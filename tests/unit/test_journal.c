// SPDX-License-Identifier: GPL-2.0-or-later
/* The evidence log as it is written: taken up again after any end, faults outlived, limits kept. */
#include "journal/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdatomic.h>
#include <signal.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "journal/segments.h"
#include "journal/select.h"
#include "journal/verify.h"
#include "unit/tmpdir.h"

#define S  1000000000ULL
#define T0 (1700000000 * S)

/* How much the disk still takes; then errno. */
static size_t room;
static int error;
static atomic_int syncs, refusals;

static ssize_t limited_write(int fd, const void *p, size_t len)
{
	if (!room) {
		errno = error;
		return -1;
	}
	if (len > room)
		len = room;
	if (room != SIZE_MAX)
		room -= len;
	return write(fd, p, len);
}

static int counted_sync(int fd)
{
	syncs++;
	if (refusals) {
		refusals--;
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static const struct journal_io limited = {limited_write, counted_sync};

static struct journal *open_log(void **state, struct journal_options options)
{
	struct journal *j;

	options.dir = tmpdir_path(state, "log");
	assert_int_equal(journal_new(&options, &j), 0);
	return j;
}

static int append(struct journal *j, uint64_t n, uint64_t now)
{
	struct body body;

	body_init(&body);
	body_number(&body, "n", n);
	return journal_append(j, JOURNAL_ACCESS, &body, now);
}

static struct verify_result verify(void **state)
{
	struct verify_result r;

	assert_int_equal(verify_directory(tmpdir_path(state, "log"), NULL, 0, &r), 0);
	return r;
}

static void expect_unbroken(void **state, uint64_t records)
{
	struct verify_result r = verify(state);

	if (r.fault)
		fail_msg("%s:%" PRIu64 ": %s", r.file, r.line, r.why);
	assert_int_equal(r.records, records);
	assert_int_equal(r.torn, 0);
}

/* What all files of the log hold. */
static char *content(void **state)
{
	static char text[4 << 20];
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct select_options all = {0};
	uint64_t records, bad;

	assert_int_equal(select_records(tmpdir_path(state, "log"), &all, f, &records, &bad), 0);
	fclose(f);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static void the_chain_goes_on_over_a_restart(void **state)
{
	for (int run = 0; run < 3; run++) {
		struct journal *j = open_log(state, (struct journal_options){});

		assert_int_equal(journal_sync(j, T0), 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(append(j, (uint64_t)i, T0 + S), 0);
		journal_free(j);
	}
	expect_unbroken(state, 1 + 9);
}

static void records_from_before_it_is_open_are_kept(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	const char *what = NULL;

	/* A file stands where the directory is to be. */
	fclose(fopen(tmpdir_path(state, "log"), "w"));
	assert_int_equal(append(j, 11, T0), 0);
	assert_int_equal(journal_sync(j, T0), -ENOTDIR);
	assert_int_equal(journal_fault(j, &what), -ENOTDIR);
	assert_string_equal(what, "cannot be opened");
	unlink(tmpdir_path(state, "log"));
	journal_tick(j, T0 + 5 * S, 5 * S);
	assert_int_equal(journal_fault(j, &what), 0);
	assert_int_equal(append(j, 12, T0 + 6 * S), 0);
	journal_free(j);
	expect_unbroken(state, 4); /* the clock of the first is behind that of the segment */
	assert_non_null(strstr(content(state), "\"n\":11"));
}

static void of_too_many_from_before_it_is_open_those_with_room_are_kept(void **state)
{
	static const char *const what[] = {"\"n\":0,", "\"n\":100,", "\"kind\":\"gap\""};
	struct journal *j = open_log(state, (struct journal_options){});
	struct journal_head head;
	uint64_t n;

	fclose(fopen(tmpdir_path(state, "log"), "w"));
	for (n = 0; append(j, n, T0 + n) == 0; n++)
		assert_true(n < 100000);
	assert_int_equal(journal_sync(j, T0 + n), -ENOTDIR);
	journal_head(j, &head);
	assert_int_equal(head.seq, 0); /* none to be told of */
	unlink(tmpdir_path(state, "log"));
	journal_tick(j, T0 + n, 5 * S);
	journal_free(j);
	expect_unbroken(state, 1 + n + 1); /* the segment's, all that were taken, the gap */
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		assert_int_equal(count(content(state), what[i]), 1);
}

/* The path of the only segment. */
static const char *segment(void **state)
{
	return tmpdir_path(state, "log/00000000000000000001.jsonl");
}

static void a_torn_end_is_kept_aside_and_told(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	struct stat whole;
	off_t last;
	char *text;

	journal_sync(j, T0);
	append(j, 1, T0);
	journal_flush(j, T0);
	stat(segment(state), &whole);
	last = whole.st_size;
	append(j, 2, T0);
	journal_free(j);
	stat(segment(state), &whole);
	text = strdup(content(state));
	for (off_t len = last; len <= whole.st_size; len++) {
		int fd = open(segment(state), O_WRONLY | O_TRUNC | O_CLOEXEC);
		bool torn = len > last && len < whole.st_size - 1;

		assert_int_equal(write(fd, text, (size_t)len), len);
		close(fd);
		j = open_log(state, (struct journal_options){});
		assert_int_equal(journal_sync(j, T0 + S), 0);
		append(j, 3, T0 + S);
		journal_free(j);
		/* Only what was not written whole is gone, and that is said. A newline alone that
		 * is missing costs nothing. */
		expect_unbroken(state, len == last ? 3 : 4);
		assert_int_equal(count(content(state), "\"kind\":\"recovered\""), torn);
		assert_int_equal(count(content(state), "\"n\":2,"), len >= whole.st_size - 1);
		if (torn) {
			struct stat st;

			assert_int_equal(stat(tmpdir_path(state, "log/00000000000000000003.torn"),
					      &st),
					 0);
			assert_int_equal(st.st_size, len - last);
		}
		unlink(tmpdir_path(state, "log/00000000000000000003.torn"));
	}
	free(text);
}

/* Stopped between setting the end aside and saying so. */
static void an_end_that_was_set_aside_is_told_by_the_next_start(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	FILE *f;

	journal_sync(j, T0);
	journal_free(j);
	f = fopen(tmpdir_path(state, "log/00000000000000000002.torn"), "w");
	fputs("{\"seq\":2,", f);
	fclose(f);
	j = open_log(state, (struct journal_options){});
	assert_int_equal(journal_sync(j, T0), 0);
	journal_free(j);
	expect_unbroken(state, 2);
	assert_non_null(strstr(content(state), "\"bytes\":9,\"kept_in\":\"00000000000000000002."));
}

/* The record that was to tell of one torn end was torn itself. */
static void another_torn_end_goes_behind_the_one_that_is_set_aside(void **state)
{
	/* The last: it was whole, and that start was stopped before it cut the log. */
	static const char *const had[] = {"{\"seq\":2,\"time\":\"20", "{\"seq\":2", "",
					  "{\"seq\":2,\"time\":\"20{\"seq\":2,\"ti"};
	static const char *const kept[] = {"{\"seq\":2,\"time\":\"20{\"seq\":2,\"ti",
					   "{\"seq\":2,\"ti", "{\"seq\":2,\"ti",
					   "{\"seq\":2,\"time\":\"20{\"seq\":2,\"ti"};

	for (size_t i = 0; i < ARRAY_SIZE(had); i++) {
		static const char name[] = "log/00000000000000000002.torn";
		struct journal *j = open_log(state, (struct journal_options){});
		char text[256] = "";
		FILE *f;

		journal_sync(j, T0);
		journal_free(j);
		f = fopen(segment(state), "a");
		fputs("{\"seq\":2,\"ti", f);
		fclose(f);
		f = fopen(tmpdir_path(state, name), "w");
		fputs(had[i], f);
		fclose(f);
		j = open_log(state, (struct journal_options){});
		assert_int_equal(journal_sync(j, T0), 0);
		journal_free(j);
		expect_unbroken(state, 2);
		f = fopen(tmpdir_path(state, name), "r");
		assert_non_null(f);
		assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
		fclose(f);
		assert_string_equal(text, kept[i]);
		snprintf(text, sizeof(text), "old-%zu", i);
		assert_int_equal(rename(tmpdir_path(state, "log"), tmpdir_path(state, text)), 0);
	}
}

/* A full disk: each start fails in the middle, and what was set aside earlier does not grow. */
static void an_end_that_cannot_be_set_aside_leaves_what_was(void **state)
{
	static const char had[] = "{\"seq\":2,\"time\":\"20";
	static const char name[] = "log/00000000000000000002.torn";
	struct journal *j = open_log(state, (struct journal_options){});
	struct rlimit before;
	char text[256] = "";
	FILE *f;

	journal_sync(j, T0);
	journal_free(j);
	f = fopen(segment(state), "a");
	fputs("{\"seq\":2,\"ti", f);
	fclose(f);
	f = fopen(tmpdir_path(state, name), "w");
	fputs(had, f);
	fclose(f);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE,
				   &(struct rlimit){sizeof(had) + 5, before.rlim_max}),
			 0);
	for (int i = 0; i < 3; i++) {
		struct stat st;

		j = open_log(state, (struct journal_options){});
		assert_true(journal_sync(j, T0) < 0);
		journal_free(j);
		assert_int_equal(stat(tmpdir_path(state, name), &st), 0);
		assert_int_equal(st.st_size, sizeof(had) - 1);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	j = open_log(state, (struct journal_options){});
	assert_int_equal(journal_sync(j, T0), 0);
	journal_free(j);
	expect_unbroken(state, 2);
	f = fopen(tmpdir_path(state, name), "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, "{\"seq\":2,\"time\":\"20{\"seq\":2,\"ti");
}

static void an_empty_segment_is_begun_anew(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});

	journal_sync(j, T0);
	append(j, 1, T0);
	journal_free(j);
	fclose(fopen(tmpdir_path(state, "log/00000000000000000003.jsonl"), "w"));
	j = open_log(state, (struct journal_options){});
	assert_int_equal(journal_sync(j, T0), 0);
	append(j, 2, T0);
	journal_free(j);
	expect_unbroken(state, 4);
	assert_int_equal(verify(state).segments, 2);
}

static void what_is_damaged_is_left_and_told(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	struct verify_result r;
	FILE *f;

	journal_sync(j, T0);
	for (int i = 0; i < 5; i++)
		append(j, (uint64_t)i, T0);
	journal_free(j);
	f = fopen(segment(state), "r+");
	fseek(f, 700, SEEK_SET); /* in the third line */
	fputc('!', f);
	fclose(f);
	j = open_log(state, (struct journal_options){});
	assert_int_equal(journal_sync(j, T0 + S), 0);
	append(j, 7, T0 + S);
	journal_free(j);
	r = verify(state);
	assert_int_equal(r.fault, VERIFY_CHANGED);
	assert_int_equal(r.line, 3);
	assert_int_equal(r.seq, 3);
	assert_int_equal(r.breaks, 1);
	assert_int_equal(r.whole_from, 4);
	assert_non_null(strstr(content(state), "\"kind\":\"damaged\",\"file\":"
					       "\"00000000000000000001.jsonl\",\"line\":3"));
	assert_non_null(strstr(content(state), "\"n\":7"));
}

static void what_the_disk_refused_stays_in_the_log(void **state)
{
	struct journal *j;
	const char *what = NULL, *told;

	room = SIZE_MAX;
	j = open_log(state, (struct journal_options){.io = &limited});
	assert_int_equal(journal_sync(j, T0), 0);
	append(j, 1, T0);
	refusals = 1;
	assert_int_equal(journal_sync(j, T0 + S), -EIO);
	assert_int_equal(journal_fault(j, &what), -EIO);
	assert_null(strstr(content(state), "the disk refused"));
	/* Linux takes the next one, without what it refused. */
	journal_tick(j, T0 + 9 * S, 9 * S);
	assert_int_equal(journal_fault(j, &what), 0);
	journal_tick(j, T0 + 19 * S, 19 * S);
	journal_tick(j, T0 + 29 * S, 29 * S);
	told = strstr(content(state), "the disk refused");
	assert_non_null(told);
	assert_null(strstr(told + 1, "the disk refused"));
	journal_free(j);
	assert_int_equal(verify(state).fault, VERIFY_NONE);
}

static void what_the_disk_refused_at_the_end_stays_in_the_log(void **state)
{
	/* Refused to who ends it, and to the thread, of which nobody has asked the result. */
	for (int thread = 0; thread < 2; thread++) {
		struct journal *j;

		tmpdir_clean(state);
		tmpdir_make(state);
		room = SIZE_MAX;
		j = open_log(state, (struct journal_options){.io = &limited, .thread = thread});
		assert_int_equal(journal_sync(j, T0), 0);
		append(j, 1, T0);
		refusals = 1;
		if (thread)
			journal_tick(j, T0 + 9 * S, 9 * S);
		journal_free(j);
		assert_int_equal(refusals, 0);
		assert_non_null(strstr(content(state), "the disk refused"));
		assert_int_equal(verify(state).fault, VERIFY_NONE);
	}
}

static void a_full_disk_loses_nothing_that_has_room_to_wait(void **state)
{
	struct journal *j;
	const char *what = NULL;
	struct journal_stats st;
	uint64_t i;

	for (size_t first = 0; first < 700; first += 13) {
		room = SIZE_MAX;
		error = ENOSPC;
		j = open_log(state, (struct journal_options){.io = &limited});
		assert_int_equal(journal_sync(j, T0), 0);
		room = first; /* the next lines go in part */
		append(j, 1, T0 + S);
		append(j, 2, T0 + S);
		if (first < 400)
			assert_int_equal(journal_flush(j, T0 + S), -ENOSPC);
		append(j, 3, T0 + S);
		room = SIZE_MAX;
		journal_tick(j, T0 + 9 * S, 9 * S);
		assert_int_equal(journal_fault(j, &what), 0);
		journal_free(j);
		assert_int_equal(verify(state).fault, VERIFY_NONE);
	}
	/* More than has room is counted, and told in one record. */
	room = SIZE_MAX;
	j = open_log(state, (struct journal_options){.io = &limited});
	journal_sync(j, T0);
	room = 100;
	for (i = 0; append(j, i, T0 + i) == 0; i++)
		assert_true(i < 100000);
	assert_int_equal(journal_fault(j, &what), -ENOSPC);
	assert_string_equal(what, "cannot be written");
	assert_int_equal(append(j, i, T0 + 3 * S), -ENOBUFS);
	room = SIZE_MAX;
	journal_tick(j, T0 + 20 * S, 20 * S);
	journal_stats(j, &st);
	assert_int_equal(st.lost, 2);
	append(j, i, T0 + 21 * S);
	journal_free(j);
	assert_int_equal(verify(state).fault, VERIFY_NONE);
	assert_int_equal(verify(state).torn, 0);
}

static void a_gap_record_says_how_many_were_lost(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){.io = &limited});
	struct select_options wanted = {.since_ns = T0 + 19 * S};
	char *text = NULL;
	size_t size = 0;
	uint64_t i, records, bad;
	FILE *f;

	room = SIZE_MAX;
	error = EROFS;
	journal_sync(j, T0);
	room = 0;
	for (i = 0; append(j, i, T0 + 2 * S) == 0; i++)
		assert_true(i < 100000);
	append(j, i, T0 + 5 * S);
	room = SIZE_MAX;
	journal_tick(j, T0 + 20 * S, 20 * S);
	journal_free(j);
	f = open_memstream(&text, &size);
	assert_int_equal(select_records(tmpdir_path(state, "log"), &wanted, f, &records, &bad), 0);
	fclose(f);
	assert_int_equal(records, 1);
	assert_non_null(strstr(text, "\"kind\":\"gap\",\"cause\":\"journal\","
				     "\"from\":\"2023-11-14T22:13:22.000000000Z\","
				     "\"to\":\"2023-11-14T22:13:25.000000000Z\",\"count\":2,"));
	free(text);
	expect_unbroken(state, 1 + i + 1);
}

static void a_link_in_place_of_the_directory_is_a_fault(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	char *log = strdup(tmpdir_path(state, "log")), *away = strdup(tmpdir_path(state, "away"));
	const char *what = NULL;

	journal_sync(j, T0);
	rename(log, away);
	assert_int_equal(symlink(away, log), 0);
	journal_tick(j, T0 + 2 * S, 2 * S);
	assert_int_equal(journal_fault(j, &what), -ELOOP);
	append(j, 1, T0 + 2 * S); /* goes on where it was */
	journal_tick(j, T0 + 4 * S, 4 * S);
	unlink(log);
	rename(away, log);
	journal_tick(j, T0 + 6 * S, 6 * S);
	assert_int_equal(journal_fault(j, &what), 0);
	journal_free(j);
	expect_unbroken(state, 2);
	/* And at a start. */
	rename(log, away);
	assert_int_equal(symlink(away, log), 0);
	j = open_log(state, (struct journal_options){});
	assert_int_equal(journal_sync(j, T0), -ELOOP);
	journal_free(j);
	free(log);
	free(away);
}

static void the_chain_goes_on_where_the_directory_is_new(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	char *log = strdup(tmpdir_path(state, "log")), *away = strdup(tmpdir_path(state, "away"));
	struct verify_result r;
	const char *what = NULL;

	journal_sync(j, T0);
	append(j, 1, T0);
	rename(log, away);
	journal_tick(j, T0 + 2 * S, 2 * S);
	assert_int_equal(journal_fault(j, &what), 0);
	append(j, 2, T0 + 2 * S);
	journal_free(j);
	r = verify(state);
	assert_int_equal(r.fault, VERIFY_MISSING);
	assert_int_equal(r.first, 3);
	assert_int_equal(r.whole_from, 3);
	assert_non_null(strstr(content(state), "\"kind\":\"damaged\""));
	/* Brought together again, nothing is missing. */
	assert_int_equal(rename(tmpdir_path(state, "away/00000000000000000001.jsonl"),
				tmpdir_path(state, "log/00000000000000000001.jsonl")),
			 0);
	expect_unbroken(state, 5);
	free(log);
	free(away);
}

static void a_file_that_is_gone_is_told(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});

	journal_sync(j, T0);
	unlink(segment(state));
	journal_tick(j, T0 + 2 * S, 2 * S);
	append(j, 2, T0 + 2 * S);
	journal_free(j);
	assert_int_equal(verify(state).fault, VERIFY_MISSING);
	assert_non_null(strstr(content(state), "the file is gone"));
}

static void two_do_not_write_one_log(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});
	struct journal *other = open_log(state, (struct journal_options){});

	assert_int_equal(journal_sync(j, T0), 0);
	assert_int_equal(journal_sync(other, T0), -EBUSY);
	journal_free(j);
	assert_int_equal(journal_sync(other, T0), 0);
	journal_free(other);
}

static void others_must_not_be_able_to_write_there(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});

	mkdir(tmpdir_path(state, "log"), 0700);
	chmod(tmpdir_path(state, "log"), 0777);
	assert_int_equal(journal_sync(j, T0), -EPERM);
	journal_free(j);
}

static void a_clock_that_goes_back_is_a_record(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){});

	journal_sync(j, T0 + 100 * S);
	append(j, 1, T0 + 100 * S);
	append(j, 2, T0 + 50 * S);
	append(j, 3, T0 + 51 * S);
	journal_free(j);
	expect_unbroken(state, 5);
	assert_int_equal(count(content(state), "\"kind\":\"clock\""), 1);
	assert_int_equal(count(content(state), "\"from\":\"2023-11-14T22:15:00.000000000Z\",\"to\":"
					       "\"2023-11-14T22:14:10.000000000Z\""),
			 1);
}

static void the_oldest_files_go_and_the_rest_is_proved(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){.segment_bytes = 2000,
								     .max_bytes = 10000});
	struct verify_result r;
	struct journal_stats st;

	journal_sync(j, T0);
	for (uint64_t i = 0; i < 200; i++) {
		append(j, i, T0 + i * S);
		journal_flush(j, T0 + i * S);
	}
	journal_stats(j, &st);
	assert_in_range(st.bytes, 6000, 10000 + 500);
	journal_free(j);
	r = verify(state);
	assert_int_equal(r.fault, VERIFY_NONE);
	assert_true(r.first > 100);
	assert_true(r.dropped_ns >= T0);
	assert_string_equal(r.dropped_why, "max_size_mib");
	assert_non_null(strstr(content(state), "\"n\":199"));
}

static void a_file_that_cannot_be_removed_is_a_fault_and_counts(void **state)
{
	struct journal *j = open_log(state, (struct journal_options){.segment_bytes = 2000,
								     .max_bytes = 10000});
	const char *what = NULL;
	struct journal_stats st;

	journal_sync(j, T0);
	append(j, 0, T0);
	journal_flush(j, T0);
	/* What stands there is no file. */
	assert_int_equal(rename(segment(state), tmpdir_path(state, "kept")), 0);
	assert_int_equal(mkdir(segment(state), 0700), 0);
	for (uint64_t i = 1; i < 200; i++) {
		append(j, i, T0 + i * S);
		journal_flush(j, T0 + i * S);
	}
	assert_true(journal_fault(j, &what) < 0);
	assert_non_null(strstr(what, "oldest"));
	assert_true(journal_writes(j));
	journal_stats(j, &st);
	assert_true(st.bytes > 10000 + 2000);
	assert_int_equal(rmdir(segment(state)), 0);
	assert_int_equal(rename(tmpdir_path(state, "kept"), segment(state)), 0);
	/* It was told once; now that it can go, what came after it goes as well. */
	assert_int_equal(count(content(state), "\"kind\":\"dropped\""), 1);
	journal_tick(j, T0 + 300 * S, S);
	assert_int_equal(journal_fault(j, &what), 0);
	journal_stats(j, &st);
	assert_in_range(st.bytes, 6000, 10000 + 500);
	journal_free(j);
	assert_int_equal(verify(state).fault, VERIFY_NONE);
}

static void age_drops_one_file_at_a_time(void **state)
{
	struct journal *j =
		open_log(state, (struct journal_options){.segment_bytes = 1000, .keep_days = 7});
	struct journal_stats before, st;
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (uint64_t)ts.tv_sec * S;
	journal_sync(j, now);
	for (uint64_t i = 0; i < 20; i++) {
		append(j, i, now);
		journal_flush(j, now);
	}
	journal_stats(j, &before);
	journal_tick(j, now + 6 * 86400 * S, S);
	journal_stats(j, &st);
	assert_int_equal(st.segments, before.segments);
	journal_tick(j, now + 8 * 86400 * S, 4000 * S);
	journal_tick(j, now + 8 * 86400 * S, 4001 * S);
	journal_stats(j, &st);
	assert_int_equal(st.segments, before.segments - 1);
	journal_free(j);
	assert_int_equal(verify(state).fault, VERIFY_NONE);
	assert_string_equal(verify(state).dropped_why, "keep_days");
}

static void the_disk_is_waited_for_by_a_thread(void **state)
{
	const struct journal_options options = {.io = &limited, .thread = true};
	struct journal *j = open_log(state, options);
	uint64_t mono = S;

	room = SIZE_MAX;
	journal_sync(j, T0);
	syncs = 0;
	append(j, 1, T0);
	for (int i = 0; i < 20000 && !syncs; i++) {
		journal_tick(j, T0, mono += JOURNAL_SYNC_NS);
		usleep(1000);
	}
	assert_int_not_equal(syncs, 0);
	journal_free(j);
	expect_unbroken(state, 2);
}

static void bodies_are_bounded_and_valid(void **state)
{
	static char raw[8192];
	struct journal *j = open_log(state, (struct journal_options){});
	struct body body;

	memset(raw, '\1', sizeof(raw));
	journal_sync(j, T0);
	body_init(&body);
	for (int i = 0; i < 64; i++)
		body_bytes(&body, "path", (struct span){raw, sizeof(raw)});
	assert_true(body.cut);
	assert_true(body.len <= LINE_BODY_MAX);
	assert_int_equal(journal_append(j, JOURNAL_ACCESS, &body, T0), 0);
	journal_free(j);
	expect_unbroken(state, 2);
	assert_non_null(strstr(content(state), "...\",\"cut\":true,\"prev\""));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(the_chain_goes_on_over_a_restart),
		TEST(records_from_before_it_is_open_are_kept),
		TEST(of_too_many_from_before_it_is_open_those_with_room_are_kept),
		TEST(a_torn_end_is_kept_aside_and_told),
		TEST(an_end_that_was_set_aside_is_told_by_the_next_start),
		TEST(another_torn_end_goes_behind_the_one_that_is_set_aside),
		TEST(an_end_that_cannot_be_set_aside_leaves_what_was),
		TEST(an_empty_segment_is_begun_anew),
		TEST(what_is_damaged_is_left_and_told),
		TEST(what_the_disk_refused_stays_in_the_log),
		TEST(what_the_disk_refused_at_the_end_stays_in_the_log),
		TEST(a_full_disk_loses_nothing_that_has_room_to_wait),
		TEST(a_gap_record_says_how_many_were_lost),
		TEST(a_link_in_place_of_the_directory_is_a_fault),
		TEST(the_chain_goes_on_where_the_directory_is_new),
		TEST(a_file_that_is_gone_is_told),
		TEST(two_do_not_write_one_log),
		TEST(others_must_not_be_able_to_write_there),
		TEST(a_clock_that_goes_back_is_a_record),
		TEST(the_oldest_files_go_and_the_rest_is_proved),
		TEST(a_file_that_cannot_be_removed_is_a_fault_and_counts),
		TEST(age_drops_one_file_at_a_time),
		TEST(the_disk_is_waited_for_by_a_thread),
		TEST(bodies_are_bounded_and_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
