// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue of questions to the scan child, when it can be started and when not. */
#include "daemon/identify.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Instead of the real ones: a file is always there, a child answers at once. */
struct scan_child {
	int fd;
};

static int spawn_error; /* < 0: what spawning says */
static unsigned spawn_errors_left, spawned;
static int read_error; /* < 0: what reading the answer says */

int watcher_open(struct watcher *watcher, uint64_t object, const char *suffix, int *out_sibling)
{
	*out_sibling = -1;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int scan_child_spawn(const char *program, int key_fd, int sibling_fd, struct scan_child **out_child)
{
	struct scan_child *child;

	if (spawn_errors_left) {
		spawn_errors_left--;
		return spawn_error;
	}
	spawned++;
	child = calloc(1, sizeof(*child));
	child->fd = eventfd(1, EFD_CLOEXEC);
	*out_child = child;
	return 0;
}

int scan_child_spawn_at(const char *program, const char *path, dev_t dev, ino_t ino,
			struct scan_child **out_child)
{
	return -ENOSYS; /* nothing here lies on a slow file system */
}

int scan_child_fd(const struct scan_child *child)
{
	return child->fd;
}

int scan_child_read(struct scan_child *child, struct key_identity *out_id)
{
	if (read_error)
		return read_error;
	*out_id = (struct key_identity){.kind = KEY_ED25519};
	return 0;
}

void scan_child_free(struct scan_child *child)
{
	if (child)
		close(child->fd);
	free(child);
}

static unsigned nr_done;

static void on_done(void *userdata, uint64_t object, const struct key_identity *key)
{
	assert_int_equal(key->kind, KEY_ED25519);
	nr_done++;
}

static const struct identify_ops ops = {.done = on_done};

struct rig {
	sd_event *loop;
	struct identify *identify;
	struct identify_stats stats;
};

static void rig_start(struct rig *rig, int error, unsigned times)
{
	spawn_error = error;
	spawn_errors_left = times;
	spawned = nr_done = 0;
	read_error = 0;
	assert_true(sd_event_new(&rig->loop) >= 0);
	assert_int_equal(identify_new(rig->loop, NULL, &ops, NULL, &rig->identify), 0);
}

static void rig_end(struct rig *rig)
{
	identify_free(rig->identify);
	sd_event_unref(rig->loop);
}

/* Until so many have been answered or given up. */
static void run_until(struct rig *rig, uint64_t ended)
{
	for (int i = 0; i < 1000; i++) {
		identify_stats(rig->identify, &rig->stats);
		if (rig->stats.done + rig->stats.failed >= ended)
			return;
		assert_true(sd_event_run(rig->loop, 10000000) > 0);
	}
	fail();
}

static void want_of_the_machine_is_waited_out(void **state)
{
	static const int errors[] = {-EBUSY, -EMFILE, -ENOMEM, -EAGAIN};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct rig rig = {};

		rig_start(&rig, errors[i], 2);
		for (uint64_t object = 1; object <= 3; object++)
			identify_again(rig.identify, object);
		run_until(&rig, 3);
		assert_int_equal(nr_done, 3);
		assert_int_equal(rig.stats.failed, 0);
		assert_int_equal(spawned, 3);
		assert_non_null(identify_known(rig.identify, 1));
		rig_end(&rig);
	}
}

static void a_file_that_cannot_be_asked_about_is_given_up(void **state)
{
	struct rig rig = {};

	rig_start(&rig, -EACCES, 1);
	identify_again(rig.identify, 1);
	identify_again(rig.identify, 2);
	run_until(&rig, 2);
	assert_int_equal(rig.stats.failed, 1);
	assert_int_equal(nr_done, 1);
	rig_end(&rig);
}

static void waiting_has_an_end(void **state)
{
	struct rig rig = {};

	rig_start(&rig, -EBUSY, UINT32_MAX);
	identify_again(rig.identify, 1);
	/* The clock is not waited for: each turn is what the timer does. */
	for (int i = 0; i < SHORT_MAX; i++) {
		identify_stats(rig.identify, &rig.stats);
		assert_int_equal(rig.stats.failed, 0);
		assert_int_equal(rig.stats.waiting, 1);
		sd_event_source_set_enabled(rig.identify->resume, SD_EVENT_OFF);
		on_resume(rig.identify->resume, 0, rig.identify);
	}
	identify_stats(rig.identify, &rig.stats);
	assert_int_equal(rig.stats.failed, 1);
	assert_int_equal(rig.stats.waiting, 0);
	rig_end(&rig);
}

static void an_object_that_goes_while_all_wait_is_forgotten(void **state)
{
	struct rig rig = {};

	rig_start(&rig, -EBUSY, 1);
	identify_again(rig.identify, 1);
	identify_again(rig.identify, 2);
	identify_forget(rig.identify, 1);
	run_until(&rig, 1);
	assert_int_equal(nr_done, 1);
	assert_null(identify_known(rig.identify, 1));
	rig_end(&rig);
}

/* Its time is up when the loop comes to look, and so is the loop's: the answer had been there. */
static void an_answer_counts_though_the_loop_came_late(void **state)
{
	struct rig rig = {};

	rig_start(&rig, 0, 0);
	identify_again(rig.identify, 1);
	on_timeout(NULL, 0, rig.identify->questions);
	identify_stats(rig.identify, &rig.stats);
	assert_int_equal(nr_done, 1);
	assert_int_equal(rig.stats.failed, 0);
	assert_non_null(identify_known(rig.identify, 1));
	rig_end(&rig);
}

static void a_child_that_says_nothing_has_not_crashed(void **state)
{
	struct rig rig = {};

	rig_start(&rig, 0, 0);
	read_error = -EAGAIN;
	identify_again(rig.identify, 1);
	on_timeout(NULL, 0, rig.identify->questions);
	identify_stats(rig.identify, &rig.stats);
	assert_int_equal(rig.stats.timed_out, 1);
	assert_int_equal(rig.stats.crashed, 0);
	assert_int_equal(spawned, 2); /* tried once more */
	read_error = -ECHILD;
	run_until(&rig, 2);
	assert_int_equal(rig.stats.failed, 2);
	assert_int_equal(rig.stats.crashed, 1);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(want_of_the_machine_is_waited_out),
		cmocka_unit_test(a_file_that_cannot_be_asked_about_is_given_up),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(an_object_that_goes_while_all_wait_is_forgotten),
		cmocka_unit_test(an_answer_counts_though_the_loop_came_late),
		cmocka_unit_test(a_child_that_says_nothing_has_not_crashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
