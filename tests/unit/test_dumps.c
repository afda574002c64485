// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/dumps.c: whose accesses to dumps and copies are looked at. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/dumps.c"

/* --- what the daemon and the sensor are to dumps.c ---------------------------------------------
 */

static struct {
	uint64_t object;
	enum access_how how;
} asked[128]; /* scans_access() was */
static size_t nr_asked;

void scans_access(struct scans *scans, const struct event *event)
{
	assert_true(nr_asked < ARRAY_SIZE(asked));
	assert_null(event->access.path.p);
	assert_null(event->access.from.p);
	asked[nr_asked].object = event->access.object;
	asked[nr_asked++].how = event->access.how;
}

void scans_copy(struct scans *scans, const struct event *event, int fd)
{
}

void scans_written(struct scans *scans, const struct event *event, int fd, bool urgent)
{
}

void scans_set_policy(struct scans *scans)
{
}

uint64_t app_boottime(void)
{
	return 1;
}

void feed(struct app *app, const struct event *event)
{
}

void homes_seen(struct homes *homes, uint32_t uid)
{
}

/* Of 100,000 and above are the subordinate ones of 1000. */
uint32_t quota_account(const struct quota *quota, uint32_t uid)
{
	return uid >= 100000 ? 1000 : uid;
}

long sensor_drain(struct sensor *sensor)
{
	return 0;
}

int sensor_open(struct sensor *sensor, const char *path, struct inode_id *out_inodes, size_t max,
		size_t *out_nr)
{
	return -ENOENT;
}

void sensor_watch_dumps(struct sensor *sensor, uint32_t threshold, uint32_t watch)
{
}

void sensor_tell_copies(struct sensor *sensor, bool told)
{
}

static int fake_mark(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	static uint64_t ino;

	*out_identity = (struct inode_id){.ino = ++ino, .dev = 1};
	return 0;
}

static void fake_object(void *userdata, const struct watched *watched)
{
}

static const struct watcher_ops watcher_ops = {.mark = fake_mark, .object = fake_object};

/* --- tests -------------------------------------------------------------------------------------
 */

enum { COPIES = 1, DUMPS = 2 };

struct fixture {
	struct app app;
	struct dumps *dumps;
	int fd;
};

static int setup(void **state)
{
	static const char text[] = "version: 1\nwatch:\n"
				   "  - {name: copies, class: key-copy}\n"
				   "  - {name: dumps, class: dump, paths: [/d]}\n";
	struct fixture *f = calloc(1, sizeof(*f));
	struct diag_list diags = {0};

	nr_asked = 0;
	f->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(policy_parse("test", text, strlen(text), &diags, &f->app.policy), 0);
	diag_list_fini(&diags);
	assert_int_equal(watcher_new(&watcher_ops, NULL, &f->app.watcher), 0);
	watcher_set_copy_watch(f->app.watcher, COPIES);
	watcher_set_dump_watch(f->app.watcher, DUMPS);
	assert_int_equal(dumps_new(&f->app, &f->dumps), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dumps_free(f->dumps);
	watcher_free(f->app.watcher);
	policy_free(f->app.policy);
	close(f->fd);
	free(f);
	return 0;
}

static uint64_t copy_of(struct fixture *f, uint32_t owner)
{
	uint64_t object;

	assert_int_equal(watcher_add_copy(f->app.watcher, f->fd, "/c", owner, &object), 0);
	return object;
}

static uint64_t dump(struct fixture *f)
{
	uint64_t object;

	assert_int_equal(watcher_add_dump(f->app.watcher, f->fd, "/d", &object), 0);
	return object;
}

static void accessed(struct fixture *f, uint64_t object, uint32_t owner, enum access_how how)
{
	const struct event event = {
		.type = EVENT_ACCESS,
		.access = {.object = object,
			   .owner = owner,
			   .how = how,
			   .path = span_of("/p"),
			   .from = span_of("/q")},
	};

	dumps_access(f->dumps, &event);
}

static bool was_asked(uint64_t object)
{
	for (size_t i = 0; i < nr_asked; i++)
		if (asked[i].object == object)
			return true;
	return false;
}

static void of_a_copy_closes_are_looked_at(void **state)
{
	struct fixture *f = *state;
	uint64_t copy = copy_of(f, 1000);

	accessed(f, copy, 1000, ACCESS_OPEN);
	accessed(f, copy + 100, 1000, ACCESS_CLOSE_WRITE); /* nothing is that */
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, 0);
	accessed(f, copy, 1000, ACCESS_CLOSE_WRITE);
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, 1);
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, 1);
}

static void nobody_has_all_the_room(void **state)
{
	struct fixture *f = *state;
	uint64_t his[ACCESSES_MAX], other = copy_of(f, 1001), third = copy_of(f, 0);

	for (uint32_t i = 0; i < ACCESSES_MAX; i++) {
		his[i] = copy_of(f, 1000);
		accessed(f, his[i], i % 2 ? 100000 + i : 1000, ACCESS_CLOSE_WRITE);
	}
	accessed(f, other, 1001, ACCESS_CLOSE_WRITE);
	accessed(f, third, 0, ACCESS_CLOSE_WRITE);
	assert_int_equal(dumps_copies_dropped(f->dumps), ACCESSES_MAX - OWNER_MAX);
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, OWNER_MAX + 2);
	assert_true(was_asked(his[0]) && was_asked(other) && was_asked(third));
	/* The next time he has as much again. */
	accessed(f, his[ACCESSES_MAX - 1], 1000, ACCESS_CLOSE_WRITE);
	dumps_run(f->dumps);
	assert_true(was_asked(his[ACCESSES_MAX - 1]));
}

static void one_object_has_one_place(void **state)
{
	struct fixture *f = *state;
	uint64_t copy = copy_of(f, 1000), core = dump(f), other = dump(f);

	for (int i = 0; i < 2 * ACCESSES_MAX; i++)
		accessed(f, copy, 1000, ACCESS_CLOSE_WRITE);
	assert_int_equal(dumps_copies_dropped(f->dumps), 0);
	accessed(f, core, 1000, ACCESS_OPEN);
	accessed(f, core, 1000, ACCESS_CLOSE_WRITE);
	accessed(f, core, 1000, ACCESS_OPEN); /* says less than the close */
	accessed(f, other, 1000, ACCESS_OPEN);
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, 3);
	assert_int_equal(asked[1].object, core);
	assert_int_equal(asked[1].how, ACCESS_CLOSE_WRITE);
	assert_int_equal(asked[2].how, ACCESS_OPEN);
}

static void dumps_take_no_copys_room(void **state)
{
	struct fixture *f = *state;
	uint64_t copy = copy_of(f, 1000);

	for (uint32_t i = 0; i < 2 * ACCESSES_MAX; i++)
		accessed(f, dump(f), 2000 + i, ACCESS_OPEN);
	accessed(f, copy, 1000, ACCESS_CLOSE_WRITE);
	assert_int_equal(dumps_copies_dropped(f->dumps), 0);
	dumps_run(f->dumps);
	assert_int_equal(nr_asked, ACCESSES_MAX - CLOSES_KEPT + 1);
	assert_true(was_asked(copy));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(of_a_copy_closes_are_looked_at),
		CASE(nobody_has_all_the_room),
		CASE(one_object_has_one_place),
		CASE(dumps_take_no_copys_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
