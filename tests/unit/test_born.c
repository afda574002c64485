// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/born.c: which name has what is watched for what it is, when it is moved. */
#include "unit/watchworld.h"

#define COPIES 2
#define DUMPS  2

/* `from` gets the name `to`, and the kernel side tells of it: its last name only. */
static void move(struct world *w, uint64_t object, const char *from, const char *to)
{
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_MOVED_OUT, .object = object}};
	char a[4096], b[4096];
	struct stat st;

	snprintf(a, sizeof(a), "%s/%s", w->top, from);
	snprintf(b, sizeof(b), "%s/%s", w->top, to);
	assert_int_equal(rename(a, b), 0);
	assert_int_equal(stat(b, &st), 0);
	event.mark.inode = kernel_identity(w, &st);
	event.mark.mode = st.st_mode;
	event.mark.path = span_of(strrchr(b, '/') + 1);
	watcher_mark_event(w->watcher, &event);
}

/* Made, opened and watched as a copy of a key, or as a dump. */
static uint64_t add(struct world *w, const char *name, bool dump)
{
	uint64_t object = 0;
	char path[4096];
	int fd;

	make(w, name, "x");
	snprintf(path, sizeof(path), "%s/%s", w->top, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(dump ? watcher_add_dump(w->watcher, fd, path, &object)
			      : watcher_add_copy(w->watcher, fd, path, 1000, &object),
			 0);
	close(fd);
	assert_int_equal(object_at(w, name), object);
	return object;
}

static void what_is_moved_beside_has_its_new_name(void **state)
{
	struct world *w = *state;

	watcher_set_copy_watch(w->watcher, COPIES);
	watcher_set_dump_watch(w->watcher, DUMPS);
	compile(w, policy_keys, 1);
	for (int dump = 0; dump < 2; dump++) {
		uint64_t object = add(w, "srv/.part", dump);

		move(w, object, "srv/.part", "srv/whole");
		assert_int_equal(object_at(w, "srv/whole"), object);
		assert_int_equal(object_at(w, "srv/.part"), 0);
		/* Where it has gone elsewhere nobody says. */
		make(w, "elsewhere", NULL);
		move(w, object, "srv/whole", "elsewhere/whole");
		assert_int_equal(object_at(w, "srv/whole"), object);
		/* Another file beside it may have the name that was told. */
		make(w, "srv/next", "y");
		move(w, object, "elsewhere/whole", "elsewhere/next");
		assert_int_equal(object_at(w, "srv/whole"), object);
		assert_int_equal(object_at(w, "srv/next"), 0);
		if (dump)
			watcher_drop_dump(w->watcher, object);
		else
			watcher_drop_copy(w->watcher, object);
	}
}

/* On an overlay of several file systems stat() has numbers of its own. */
static void so_has_what_stat_knows_by_another_number(void **state)
{
	struct world *w = *state;

	w->layer = 1000;
	what_is_moved_beside_has_its_new_name(state);
}

/* Of what the kernel says is another one the number is not asked. */
static void a_stranger_with_the_number_that_stat_tells_is_another(void **state)
{
	struct world *w = *state;
	uint64_t object;

	watcher_set_copy_watch(w->watcher, COPIES);
	compile(w, policy_keys, 1);
	object = add(w, "srv/.part", false);
	w->layer = 1000; /* from now on this is another file's */
	move(w, object, "srv/.part", "srv/whole");
	assert_int_equal(object_at(w, "srv/.part"), object);
	assert_int_equal(object_at(w, "srv/whole"), 0);
}

/* It is where nothing else says it: somebody has a lease on the file, or its handle is stale. */
static void what_cannot_be_opened_is_known_by_the_number_that_stat_tells(void **state)
{
	static const int errors[] = {EAGAIN, ESTALE};
	struct world *w = *state;

	watcher_set_copy_watch(w->watcher, COPIES);
	compile(w, policy_keys, 1);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		uint64_t object = add(w, "srv/.part", false);

		w->no_open = errors[i];
		move(w, object, "srv/.part", "srv/whole");
		assert_int_equal(object_at(w, "srv/whole"), object);
		make(w, "elsewhere", NULL);
		make(w, "srv/next", "y");
		move(w, object, "srv/whole", "elsewhere/next");
		assert_int_equal(object_at(w, "srv/whole"), object);
		w->no_open = 0;
		watcher_drop_copy(w->watcher, object);
	}
}

static void what_its_owner_calls_a_key_stays_its_name(void **state)
{
	struct world *w = *state;
	uint64_t object;

	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	object = object_at(w, "home/a/.ssh/id_rsa");
	move(w, object, "home/a/.ssh/id_rsa", "home/a/.ssh/moved");
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), object);
	assert_int_equal(object_at(w, "home/a/.ssh/moved"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_moved_beside_has_its_new_name),
		CASE(so_has_what_stat_knows_by_another_number),
		CASE(a_stranger_with_the_number_that_stat_tells_is_another),
		CASE(what_cannot_be_opened_is_known_by_the_number_that_stat_tells),
		CASE(what_its_owner_calls_a_key_stays_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
