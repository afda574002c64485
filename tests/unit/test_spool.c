// SPDX-License-Identifier: GPL-2.0-or-later
/* The spool: order, bounds, what survives a restart and what damage costs. */
#include "base/spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "unit/tmpdir.h"

#define MAX (1024 * 1024)

static struct spool *open_spool(const char *path, uint64_t max)
{
	struct spool *spool = NULL;

	assert_int_equal(spool_open(path, max, NULL, &spool), 0);
	return spool;
}

static void expect(struct spool *spool, const char *text)
{
	const char *p;
	size_t len;

	assert_int_equal(spool_peek(spool, &p, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(p, text, len);
	spool_pop(spool);
}

static void put(struct spool *spool, const char *text)
{
	assert_int_equal(spool_append(spool, text, strlen(text)), 0);
}

static void records_come_out_in_order(void **state)
{
	struct spool *spool = open_spool(tmpdir_path(state, "s"), MAX);
	const char *p;
	size_t len;

	assert_int_equal(spool_peek(spool, &p, &len), -ENOENT);
	put(spool, "one");
	put(spool, "two");
	assert_int_equal(spool_count(spool), 2);
	expect(spool, "one");
	put(spool, "three");
	expect(spool, "two");
	expect(spool, "three");
	assert_int_equal(spool_peek(spool, &p, &len), -ENOENT);
	put(spool, "four");
	expect(spool, "four");
	spool_close(spool);
}

static void what_is_left_is_there_after_a_restart(void **state)
{
	const char *path = tmpdir_path(state, "s");
	struct spool *spool = open_spool(path, MAX);
	struct stat st;

	put(spool, "one");
	put(spool, "two");
	put(spool, "three");
	expect(spool, "one");
	spool_close(spool);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	spool = open_spool(path, MAX);
	assert_int_equal(spool_count(spool), 2);
	expect(spool, "two");
	put(spool, "four");
	expect(spool, "three");
	expect(spool, "four");
	spool_close(spool);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_process_that_was_killed_loses_nothing(void **state)
{
	const char *path = tmpdir_path(state, "s"), *copy = tmpdir_path(state, "copy");
	struct spool *spool = open_spool(path, MAX), *after;

	put(spool, "one");
	put(spool, "two");
	expect(spool, "one");
	assert_int_equal(link(path, copy), 0); /* as the file stands without a close */
	after = open_spool(copy, MAX);
	expect(after, "two");
	spool_close(after);
	spool_close(spool);
}

static void the_file_stays_within_its_bound(void **state)
{
	const char *path = tmpdir_path(state, "s");
	struct spool *spool = open_spool(path, 1000);
	char record[100];
	struct stat st;
	int nr = 0;

	memset(record, 'x', sizeof(record));
	while (spool_append(spool, record, sizeof(record)) == 0)
		nr++;
	assert_int_equal(nr, (1000 - 16) / 108);
	assert_int_equal(spool_append(spool, record, sizeof(record)), -ENOSPC);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size <= 1000);
	assert_int_equal(spool_append(spool, record, 0), -EMSGSIZE);
	assert_int_equal(spool_append(spool, record, SPOOL_RECORD_MAX + 1), -EMSGSIZE);
	spool_close(spool);
}

static void consumed_room_is_used_again(void **state)
{
	struct spool *spool = open_spool(tmpdir_path(state, "s"), 300000);
	unsigned in = 0, out = 0;
	char record[1000];

	/* Thirty times the bound goes through, never empty in between. */
	while (in < 9000) {
		while (in - out < 150) {
			memset(record, ' ', sizeof(record));
			memcpy(record, &in, sizeof(in));
			assert_int_equal(spool_append(spool, record, sizeof(record)), 0);
			in++;
		}
		while (in - out > 20) {
			const char *p;
			size_t len;

			assert_int_equal(spool_peek(spool, &p, &len), 0);
			assert_memory_equal(p, &out, sizeof(out));
			spool_pop(spool);
			out++;
		}
	}
	spool_close(spool);
}

enum { FULL = 16 + 198 * 1008 }; /* bytes of 198 records */

/* A full disk, with a spool of FULL bytes whose bound is `bound`. */
static void use_again(const char *path, uint64_t bound)
{
	struct spool *spool = open_spool(path, bound);
	struct rlimit before, full;
	char record[1000];
	unsigned nr = 0;
	struct stat st;

	memset(record, 'x', sizeof(record));
	for (; nr < 198; nr++)
		assert_int_equal(spool_append(spool, record, sizeof(record)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, FULL);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	full = (struct rlimit){.rlim_cur = (rlim_t)st.st_size, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < nr - 20; i++) {
		const char *p;
		size_t len;

		assert_int_equal(spool_peek(spool, &p, &len), 0);
		spool_pop(spool);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	put(spool, "behind them");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 30000);
	assert_int_equal(spool_count(spool), 21);
	spool_close(spool);
	spool = open_spool(path, bound);
	assert_int_equal(spool_count(spool), 21);
	for (unsigned i = 0; i < 20; i++) {
		const char *p;
		size_t len;

		assert_int_equal(spool_peek(spool, &p, &len), 0);
		assert_int_equal(len, sizeof(record));
		assert_memory_equal(p, record, len);
		spool_pop(spool);
	}
	expect(spool, "behind them");
	spool_close(spool);
}

/* The moving of what is left to the front needs no room on the disk, and is done once. */
static void consumed_room_is_used_on_a_full_disk(void **state)
{
	use_again(tmpdir_path(state, "at-bound"), FULL); /* to the last byte */
	use_again(tmpdir_path(state, "below-bound"), 2 * FULL);
}

/* As after a kill between the header that points at the copy, and the cut. */
static void what_stands_behind_the_end_mark_is_no_damage(void **state)
{
	static const unsigned char mark[] = {0, 0, 0, 0, 0xc5, 0x9d, 0x1c, 0x81};
	const char *path = tmpdir_path(state, "s");
	struct spool *spool = open_spool(path, MAX);
	bool damaged = true;
	int fd;

	put(spool, "one");
	put(spool, "two");
	spool_close(spool);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, mark, sizeof(mark)), sizeof(mark));
	assert_int_equal(write(fd, "rest of what was", 16), 16);
	close(fd);
	assert_int_equal(spool_open(path, MAX, &damaged, &spool), 0);
	assert_false(damaged);
	assert_int_equal(spool_count(spool), 2);
	spool_close(spool);
	/* Zeros, as a power cut leaves them, are. */
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\0\0\0\0\0\0\0\0", 8), 8);
	close(fd);
	assert_int_equal(spool_open(path, MAX, &damaged, &spool), 0);
	assert_true(damaged);
	assert_int_equal(spool_count(spool), 2);
	spool_close(spool);
}

static bool uncut; /* no file gets shorter */

int ftruncate(int fd, off_t len)
{
	if (uncut) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, len);
}

static void copy(const char *path, const char *to)
{
	int from = open(path, O_RDONLY), fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	char buf[4096];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		assert_int_equal(write(fd, buf, (size_t)n), n);
	assert_int_equal(n, 0);
	close(from);
	close(fd);
}

static void what_was_consumed_does_not_come_back(void **state)
{
	const char *path = tmpdir_path(state, "uncut"), *to = tmpdir_path(state, "copy");
	char text[1000];
	struct spool *spool = open_spool(path, FULL), *next;
	bool damaged = true;
	uint64_t nr = 0;

	memset(text, 'a', sizeof(text));
	while (spool_append(spool, text, sizeof(text)) == 0)
		nr++;
	for (uint64_t i = 0; i + 2 < nr; i++) {
		assert_int_equal(spool_peek(spool, &(const char *){NULL}, &(size_t){0}), 0);
		spool_pop(spool);
	}
	uncut = true;
	for (uint64_t left = 3; left < 6; left++) {
		assert_int_equal(spool_append(spool, text, sizeof(text)), 0);
		uncut = false;
		/* As after a kill, of a copy: what opens it cuts it. */
		copy(path, to);
		assert_int_equal(spool_open(to, FULL, &damaged, &next), 0);
		uncut = true;
		assert_int_equal(spool_count(next), left);
		assert_false(damaged);
		spool_close(next);
	}
	uncut = false;
	spool_close(spool);
}

/* All of it, and the file gets no shorter; or we are killed when it just was. */
static void nor_when_it_was_the_last(void **state)
{
	const char *path = tmpdir_path(state, "uncut"), *to = tmpdir_path(state, "copy");
	struct spool *spool = open_spool(path, MAX), *next;
	const uint64_t first = 1000;
	bool damaged = true;
	int fd;

	put(spool, "one");
	put(spool, "two");
	uncut = true;
	expect(spool, "one");
	expect(spool, "two");
	uncut = false;
	copy(path, to);
	assert_int_equal(spool_open(to, MAX, &damaged, &next), 0);
	assert_int_equal(spool_count(next), 0);
	assert_false(damaged);
	put(next, "three");
	expect(next, "three");
	spool_close(next);
	uncut = true;
	put(spool, "four");
	uncut = false;
	copy(path, to);
	assert_int_equal(spool_open(to, MAX, &damaged, &next), 0);
	assert_int_equal(spool_count(next), 1);
	assert_false(damaged);
	expect(next, "four");
	spool_close(next);
	expect(spool, "four");

	/* Between the cut and the header. */
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &first, sizeof(first), 8), sizeof(first));
	close(fd);
	copy(path, to);
	assert_int_equal(spool_open(to, MAX, &damaged, &next), 0);
	assert_int_equal(spool_count(next), 0);
	assert_false(damaged);
	put(next, "five");
	expect(next, "five");
	spool_close(next);
	spool_close(spool);
}

static void damage_costs_what_is_behind_it_only(void **state)
{
	static const struct {
		off_t at; /* byte that is flipped; records are 8 + 5 bytes from 16 on */
		int left;
	} rows[] = {{0, 0}, {9, 0}, {16, 0}, {20, 0}, {24, 0}, {30, 1}, {40, 1}, {54, 2}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = tmpdir_path(state, "s");
		struct spool *spool = open_spool(path, MAX);
		bool damaged = false;
		int fd, left = 0;
		const char *p;
		size_t len;
		char byte;

		put(spool, "first");
		put(spool, "secnd");
		put(spool, "third");
		spool_close(spool);
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &byte, 1, rows[i].at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(fd, &byte, 1, rows[i].at), 1);
		close(fd);
		assert_int_equal(spool_open(path, MAX, &damaged, &spool), 0);
		assert_true(damaged);
		while (spool_peek(spool, &p, &len) == 0) {
			spool_pop(spool);
			left++;
		}
		assert_int_equal(left, rows[i].left);
		put(spool, "again");
		expect(spool, "again");
		spool_close(spool);
	}
}

static void a_torn_last_record_is_cut_off(void **state)
{
	for (off_t size = 0; size < 16 + 13 * 2; size++) {
		const char *path = tmpdir_path(state, "s");
		struct spool *spool = open_spool(path, MAX);

		put(spool, "first");
		put(spool, "secnd");
		spool_close(spool);
		assert_int_equal(truncate(path, size), 0);
		spool = open_spool(path, MAX);
		assert_int_equal(spool_count(spool), size < 16 + 13 ? 0 : 1);
		put(spool, "third");
		if (size >= 16 + 13)
			expect(spool, "first");
		expect(spool, "third");
		spool_close(spool);
	}
}

static void a_symbolic_link_is_not_followed(void **state)
{
	const char *path = tmpdir_path(state, "s"), *target = tmpdir_path(state, "target");
	struct spool *spool = NULL;

	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(spool_open(path, MAX, NULL, &spool), -ELOOP);
	assert_null(spool);
	assert_int_equal(access(target, F_OK), -1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(records_come_out_in_order),
		TEST(what_is_left_is_there_after_a_restart),
		TEST(a_process_that_was_killed_loses_nothing),
		TEST(the_file_stays_within_its_bound),
		TEST(consumed_room_is_used_again),
		TEST(consumed_room_is_used_on_a_full_disk),
		TEST(what_stands_behind_the_end_mark_is_no_damage),
		TEST(what_was_consumed_does_not_come_back),
		TEST(nor_when_it_was_the_last),
		TEST(damage_costs_what_is_behind_it_only),
		TEST(a_torn_last_record_is_cut_off),
		TEST(a_symbolic_link_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
