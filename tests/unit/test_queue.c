// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue of a sink: order over memory and spool, bounds, and the account of what was dropped. */
#include "sinks/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spool.h"
#include "unit/tmpdir.h"

static struct queue *open_queue(void **state, size_t memory, uint64_t spool)
{
	struct queue_options options = {
		.memory_max = memory,
		.spool_path = spool ? tmpdir_path(state, "spool/q") : NULL,
		.spool_max = spool,
	};
	struct queue *queue = NULL;

	assert_int_equal(queue_new(&options, &queue), 0);
	return queue;
}

static int put(struct queue *queue, int n)
{
	char line[16];

	snprintf(line, sizeof(line), "line %09d", n); /* 14 bytes */
	return queue_push(queue, line, 14, 1000 + n);
}

static int get(struct queue *queue)
{
	char line[15] = "";
	const char *p;
	size_t len;

	if (queue_peek(queue, &p, &len) < 0)
		return -1;
	assert_int_equal(len, 14);
	memcpy(line, p, len);
	queue_pop(queue);
	return atoi(line + 5);
}

static void order_holds_over_memory_and_spool(void **state)
{
	struct queue *queue = open_queue(state, 100, 10000); /* seven in memory */
	int in = 0, out = 0;

	while (in < 200) {
		for (int i = 0; i < 13; i++)
			assert_int_equal(put(queue, in++), 0);
		assert_true(queue_in_memory(queue) <= 7);
		for (int i = 0; i < 11; i++)
			assert_int_equal(get(queue), out++);
	}
	while (out < in)
		assert_int_equal(get(queue), out++);
	assert_int_equal(queue_in_memory(queue) + queue_in_spool(queue), 0);
	assert_int_equal(queue_dropped(queue), 0);
	queue_free(queue);
}

/* In a child that ends as one that is killed does: nobody frees its queue. */
static void what_is_kept_outlives_a_kill(void **state)
{
	pid_t pid = fork();
	struct queue *queue;
	int status;

	if (pid == 0) {
		queue = open_queue(state, 100, 10000);
		for (int i = 0; i < 3; i++)
			put(queue, i);
		queue_keep(queue);
		put(queue, 3); /* behind those */
		queue_keep(queue);
		_exit(queue_in_memory(queue) == 0 && queue_in_spool(queue) == 4 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	queue = open_queue(state, 100, 10000);
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(queue), i);
	assert_int_equal(get(queue), -1);
	queue_free(queue);
}

static void what_finds_no_room_in_the_spool_stays_in_memory(void **state)
{
	struct queue *queue = open_queue(state, 1000, 60); /* two records */

	for (int i = 0; i < 10; i++)
		assert_int_equal(put(queue, i), 0);
	queue_keep(queue);
	assert_int_equal(queue_in_spool(queue), 2);
	assert_int_equal(queue_in_memory(queue), 8);
	assert_int_equal(queue_spool_error(queue), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(get(queue), i);
	queue_free(queue);
	queue = open_queue(state, 100, 0); /* no spool at all */
	put(queue, 1);
	queue_keep(queue);
	assert_int_equal(get(queue), 1);
	queue_free(queue);
}

/* It is not lost, and the others do not wait for it. */
static void what_is_too_long_for_the_spool_is_in_nobodys_way(void **state)
{
	struct queue *queue = open_queue(state, 4 * SPOOL_RECORD_MAX, 10000);
	_cleanup_free_ char *longest = malloc(SPOOL_RECORD_MAX + 1);
	const char *p;
	size_t len;

	memset(longest, 'x', SPOOL_RECORD_MAX + 1);
	assert_int_equal(put(queue, 0), 0);
	assert_int_equal(queue_push(queue, longest, SPOOL_RECORD_MAX + 1, 1), 0);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(put(queue, i), 0);
		queue_keep(queue);
		assert_int_equal(queue_in_memory(queue), 1);
		assert_int_equal(queue_in_spool(queue), i + 1);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(queue), i);
	assert_int_equal(queue_peek(queue, &p, &len), 0);
	assert_int_equal(len, SPOOL_RECORD_MAX + 1);
	queue_pop(queue);
	assert_int_equal(put(queue, 4), 0); /* behind nothing */
	assert_int_equal(get(queue), 4);
	assert_int_equal(queue_dropped(queue), 0);
	queue_free(queue);
}

static void the_longest_alert_goes_into_the_spool(void **state)
{
	struct queue *queue = open_queue(state, 0, 16 << 20);
	_cleanup_free_ char *record = malloc(SPOOL_RECORD_MAX);

	memset(record, 'x', SPOOL_RECORD_MAX);
	assert_true(SPOOL_RECORD_MAX >= 33 * (5 * 512 + 2 * 256 + 256) + 12 * 5 * 4096);
	assert_int_equal(queue_push(queue, record, SPOOL_RECORD_MAX, 1), 0);
	queue_keep(queue);
	assert_int_equal(queue_in_spool(queue), 1);
	queue_free(queue);
}

static void spoil(void **state)
{
	int fd = open(tmpdir_path(state, "spool/q"), O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "?", 1, 16 + 8 + 3), 1); /* in the first record */
	close(fd);
}

static void a_damaged_spool_is_a_loss_of_about_now(void **state)
{
	struct queue *queue = open_queue(state, 100, 10000);
	struct queue_lost lost;

	for (int i = 0; i < 3; i++)
		put(queue, i);
	queue_keep(queue);
	spoil(state);
	assert_int_equal(get(queue), -1);
	assert_true(queue_take_lost(queue, &lost));
	assert_int_equal(lost.count, 3);
	assert_int_equal(lost.first_ns, 1002);
	assert_int_equal(lost.last_ns, 1002);
	/* Before anything was pushed nobody knows what time it is. */
	put(queue, 3);
	queue_free(queue);
	queue = open_queue(state, 100, 10000);
	spoil(state);
	assert_int_equal(get(queue), -1);
	assert_false(queue_take_lost(queue, &lost));
	put(queue, 4);
	assert_true(queue_take_lost(queue, &lost));
	assert_int_equal(lost.count, 1);
	assert_int_equal(lost.first_ns, 1004);
	assert_int_equal(lost.last_ns, 1004);
	queue_free(queue);
}

/* Bytes that this process has written. */
static uint64_t written(void)
{
	FILE *f = fopen("/proc/self/io", "re");
	unsigned long long bytes = 0;
	char line[64];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && sscanf(line, "wchar: %llu", &bytes) != 1)
		;
	fclose(f);
	return bytes;
}

/* A disk that takes 20 KB of 200: each record that comes then costs one write that fails, and not
 * all that waits once more. */
static void a_full_disk_costs_no_more_for_what_waits(void **state)
{
	enum { RECORDS = 200, RECORD = 1000, DISK = 20000 };
	struct queue *queue = open_queue(state, 1000000, 1000000);
	char record[RECORD];
	uint64_t before;
	struct rlimit old;
	const char *p;
	size_t len;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	before = written();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){DISK, old.rlim_max}), 0);
	memset(record, ' ', sizeof(record));
	for (unsigned i = 0; i < RECORDS; i++) {
		memcpy(record, &i, sizeof(i));
		assert_int_equal(queue_push(queue, record, sizeof(record), i), 0);
		if (i >= RECORDS / 2) /* the others wait by then */
			queue_keep(queue);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	/* What fits, and of each that does not the part that did. */
	assert_true(written() - before <= DISK + RECORDS * (RECORD + 8));
	assert_int_equal(queue_in_spool(queue), (DISK - 16) / (RECORD + 8));
	assert_int_equal(queue_in_spool(queue) + queue_in_memory(queue), RECORDS);
	queue_keep(queue); /* there is room again */
	assert_int_equal(queue_in_memory(queue), 0);
	for (unsigned i = 0; i < RECORDS; i++) {
		assert_int_equal(queue_peek(queue, &p, &len), 0);
		assert_int_equal(len, sizeof(record));
		assert_memory_equal(p, &i, sizeof(i));
		queue_pop(queue);
	}
	assert_int_equal(queue_peek(queue, &p, &len), -ENOENT);
	assert_int_equal(queue_dropped(queue), 0);
	queue_free(queue);
}

static void order_holds_over_a_restart(void **state)
{
	struct queue *queue = open_queue(state, 100, 10000);

	for (int i = 0; i < 20; i++)
		put(queue, i);
	assert_int_equal(get(queue), 0);
	assert_int_equal(get(queue), 1);
	queue_free(queue); /* memory goes behind what is in the spool */
	queue = open_queue(state, 100, 10000);
	assert_int_equal(queue_in_spool(queue), 18);
	put(queue, 20);
	for (int i = 2; i <= 20; i++)
		assert_int_equal(get(queue), i);
	assert_int_equal(get(queue), -1);
	queue_free(queue);
}

static void the_oldest_are_kept_and_one_gap_is_told(void **state)
{
	struct queue *queue = open_queue(state, 140, 0); /* ten */
	struct queue_lost lost;

	for (int i = 0; i < 10; i++)
		assert_int_equal(put(queue, i), 0);
	assert_false(queue_take_lost(queue, &lost));
	assert_int_equal(put(queue, 10), -ENOSPC);
	assert_int_equal(put(queue, 11), -ENOSPC);
	assert_false(queue_take_lost(queue, &lost)); /* no room yet */
	for (int i = 0; i < 4; i++)
		assert_int_equal(get(queue), i);
	/* There is room for one, but the gap is not over before half is free. */
	assert_int_equal(put(queue, 12), -ENOSPC);
	assert_int_equal(get(queue), 4);
	assert_true(queue_take_lost(queue, &lost));
	assert_int_equal(lost.count, 3);
	assert_int_equal(lost.first_ns, 1010);
	assert_int_equal(lost.last_ns, 1012);
	assert_int_equal(queue_push_notice(queue, "line 000000099", 14), 0);
	assert_int_equal(put(queue, 13), 0);
	assert_false(queue_take_lost(queue, &lost));
	for (int i = 5; i < 10; i++)
		assert_int_equal(get(queue), i);
	assert_int_equal(get(queue), 99);
	assert_int_equal(get(queue), 13);
	assert_int_equal(queue_dropped(queue), 3);
	queue_free(queue);
}

static void what_is_given_up_without_a_time_is_lost_about_now(void **state)
{
	struct queue *queue = open_queue(state, 1400, 0);
	struct queue_lost lost;

	queue_drop(queue, 0); /* of an earlier run: told when there is a time */
	assert_false(queue_take_lost(queue, &lost));
	assert_int_equal(put(queue, 1), 0);
	assert_int_equal(get(queue), 1);
	assert_true(queue_take_lost(queue, &lost));
	assert_int_equal(lost.count, 1);
	assert_int_equal(lost.first_ns, 1001);
	assert_int_equal(lost.last_ns, 1001);
	queue_drop(queue, 0);
	queue_drop(queue, 1005);
	queue_drop(queue, 0);
	assert_true(queue_take_lost(queue, &lost));
	assert_int_equal(lost.count, 3);
	assert_int_equal(lost.first_ns, 1001);
	assert_int_equal(lost.last_ns, 1005);
	queue_free(queue);
}

static void a_loss_that_could_not_be_told_is_not_forgotten(void **state)
{
	struct queue *queue = open_queue(state, 28, 0);
	struct queue_lost lost, again;

	put(queue, 0);
	put(queue, 1);
	put(queue, 2); /* dropped */
	get(queue);
	assert_true(queue_take_lost(queue, &lost));
	queue_give_lost(queue, &lost);
	assert_int_equal(put(queue, 3), -ENOSPC);
	assert_true(queue_take_lost(queue, &again));
	assert_int_equal(again.count, 2);
	assert_int_equal(again.first_ns, 1002);
	assert_int_equal(again.last_ns, 1003);
	queue_free(queue);
}

static void a_spool_that_cannot_be_made_costs_only_the_spool(void **state)
{
	struct queue_options options = {.memory_max = 28,
					.spool_path = tmpdir_path(state, "no/such/dir/q")};
	struct queue *queue = NULL;

	assert_int_equal(queue_new(&options, &queue), 0);
	assert_int_equal(put(queue, 0), 0);
	assert_int_equal(put(queue, 1), 0);
	assert_int_equal(put(queue, 2), -ENOSPC);
	assert_int_equal(queue_spool_error(queue), -ENOENT);
	assert_int_equal(get(queue), 0);
	queue_free(queue);
}

static void the_notice_names_sink_count_and_times(void **state)
{
	struct queue_lost one = {1, 10, 10}, many = {7, 10, 20};
	struct queue_lost_text text;
	char host[] = "h";
	struct alert a, b;

	queue_lost_alert(&one, "syslog", host, &text, &a);
	assert_string_equal(a.text,
			    "1 alert could not be handed to syslog and was dropped: its queue "
			    "and spool were full");
	assert_string_equal(a.cause, "sink-syslog");
	queue_lost_alert(&many, "syslog", host, &text, &b);
	assert_int_equal(b.count, 7);
	assert_int_equal(b.gap_from_ns, 10);
	assert_int_equal(b.gap_to_ns, 20);
	assert_int_equal(strlen(b.id), 32);
	assert_string_not_equal(a.id, b.id);
	queue_lost_alert(&many, "syslog", host, &text, &a);
	assert_string_equal(a.id, b.id); /* same input, same id */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(order_holds_over_memory_and_spool),
		TEST(what_is_kept_outlives_a_kill),
		TEST(what_finds_no_room_in_the_spool_stays_in_memory),
		TEST(what_is_too_long_for_the_spool_is_in_nobodys_way),
		TEST(the_longest_alert_goes_into_the_spool),
		TEST(a_damaged_spool_is_a_loss_of_about_now),
		TEST(a_full_disk_costs_no_more_for_what_waits),
		TEST(order_holds_over_a_restart),
		TEST(the_oldest_are_kept_and_one_gap_is_told),
		TEST(what_is_given_up_without_a_time_is_lost_about_now),
		TEST(a_loss_that_could_not_be_told_is_not_forgotten),
		TEST(a_spool_that_cannot_be_made_costs_only_the_spool),
		TEST(the_notice_names_sink_count_and_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
