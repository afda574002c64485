// SPDX-License-Identifier: GPL-2.0-or-later
/* wire/cgroups.c: a cgroup told once is known by its number, and only that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "wire/cgroups.h"

static struct event exec_in(uint32_t no, const char *path)
{
	struct event event = {.type = EVENT_EXEC};

	event.exec.cgroup_no = no;
	event.exec.cgroup = (struct span){path, path ? strlen(path) : 0};
	return event;
}

/* The path that an event ends up with, "" = none. */
static const char *complete(struct cgroup_paths *paths, struct event *event)
{
	static char text[WIRE_CGROUP_MAX + 1];

	cgroup_paths_complete(paths, event);
	snprintf(text, sizeof(text), "%.*s", (int)event->exec.cgroup.len,
		 event->exec.cgroup.len ? event->exec.cgroup.p : "");
	return text;
}

static const char *ask(struct cgroup_paths *paths, uint32_t no)
{
	struct event event = exec_in(no, NULL);

	return complete(paths, &event);
}

static void tell(struct cgroup_paths *paths, uint32_t no, const char *path)
{
	struct event event = exec_in(no, path);

	assert_string_equal(complete(paths, &event), path);
	assert_int_equal(event.flags, 0);
}

static struct cgroup_paths *new_paths(void)
{
	struct cgroup_paths *paths = calloc(1, sizeof(*paths));

	assert_non_null(paths);
	return paths;
}

static void told_once_is_known_by_its_number(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();

	tell(paths, 1, "/");
	tell(paths, 4711, "/user.slice/user-1000.slice/session-2.scope");
	assert_string_equal(ask(paths, 1), "/");
	assert_string_equal(ask(paths, 4711), "/user.slice/user-1000.slice/session-2.scope");
	assert_string_equal(ask(paths, 4711), "/user.slice/user-1000.slice/session-2.scope");
}

static void what_was_never_told_is_said_to_be_missing(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();
	struct event event = exec_in(7, NULL), zero = exec_in(0, NULL);

	assert_string_equal(complete(paths, &event), "");
	assert_int_equal(event.flags, EVENT_CGROUP_TRUNCATED);
	assert_string_equal(complete(paths, &zero), "");
	assert_int_equal(zero.flags, EVENT_CGROUP_TRUNCATED);
}

/* Two CPUs and two cgroups in one place: the one that just gave way may still be referred to. */
static void the_one_before_it_is_known_a_little_longer(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();

	tell(paths, 5, "/first");
	tell(paths, 5 + WIRE_CGROUPS_TOLD, "/second");
	assert_string_equal(ask(paths, 5), "/first");
	assert_string_equal(ask(paths, 5 + WIRE_CGROUPS_TOLD), "/second");
	tell(paths, 5 + 2 * WIRE_CGROUPS_TOLD, "/third");
	assert_string_equal(ask(paths, 5), "");
	assert_string_equal(ask(paths, 5 + WIRE_CGROUPS_TOLD), "/second");
	assert_string_equal(ask(paths, 5 + 2 * WIRE_CGROUPS_TOLD), "/third");
}

static void telling_again_replaces_and_pushes_nobody_out(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();

	tell(paths, 5, "/first");
	tell(paths, 5 + WIRE_CGROUPS_TOLD, "/second");
	tell(paths, 5 + WIRE_CGROUPS_TOLD, "/second");
	assert_string_equal(ask(paths, 5), "/first");
}

static void a_cut_path_is_not_remembered(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();
	struct event event = exec_in(9, "end-of-it");

	event.flags = EVENT_CGROUP_TRUNCATED;
	assert_string_equal(complete(paths, &event), "end-of-it");
	assert_string_equal(ask(paths, 9), "");
}

static void the_longest_path_has_room(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();
	char path[WIRE_CGROUP_MAX + 1];

	memset(path, 'x', WIRE_CGROUP_MAX);
	path[WIRE_CGROUP_MAX] = '\0';
	tell(paths, 3, path);
	assert_string_equal(ask(paths, 3), path);
}

static void other_events_are_left_alone(void **state)
{
	_cleanup_free_ struct cgroup_paths *paths = new_paths();
	struct event event = exec_in(3, NULL);

	event.type = EVENT_PROC;
	tell(paths, 3, "/x");
	assert_string_equal(complete(paths, &event), "");
	assert_int_equal(event.flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_once_is_known_by_its_number),
		cmocka_unit_test(what_was_never_told_is_said_to_be_missing),
		cmocka_unit_test(the_one_before_it_is_known_a_little_longer),
		cmocka_unit_test(telling_again_replaces_and_pushes_nobody_out),
		cmocka_unit_test(a_cut_path_is_not_remembered),
		cmocka_unit_test(the_longest_path_has_room),
		cmocka_unit_test(other_events_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
