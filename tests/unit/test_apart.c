// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/apart.c: a child walks what may not answer, and its parent knows it. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "unit/watchworld.h"

static void send_find(void *userdata, const struct watcher_find *find)
{
	assert_int_equal(write(*(int *)userdata, find, sizeof(*find)), sizeof(*find));
}

/* As the daemon has it done; what the child marks is put into the parent's kernel side here. */
static void walk_by_child(struct world *w, bool *out_whole)
{
	struct watcher_find find;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	watcher_begin_apart(w->watcher);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(!watcher_walk_apart(w->watcher, w->apart, send_find, &pipes[1]));
	close(pipes[1]);
	while (read(pipes[0], &find, sizeof(find)) == sizeof(find)) {
		struct inode_id id = find.inode;
		size_t i = 0;

		while (i < w->nr_marks && !inode_id_same(&w->marks[i].inode, &id))
			i++;
		w->marks[i].inode = id;
		w->marks[i].mark = find.mark;
		if (i == w->nr_marks)
			w->nr_marks++;
		watcher_take(w->watcher, &find);
	}
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*out_whole = WIFEXITED(status) && !WEXITSTATUS(status);
}

static void what_may_not_answer_is_left_to_a_child(void **state)
{
	struct world *w = *state;
	char at[4096], path[4096];
	uint64_t key;
	bool whole;

	if (getuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	make(w, "home/slow", NULL);
	make(w, "home/a/.ssh/id_a", "x");
	snprintf(at, sizeof(at), "%s/home/slow", w->top);
	assert_int_equal(mount("none", at, "tmpfs", 0, NULL), 0);
	make(w, "home/slow/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	assert_int_equal(w->nr_apart, 1);
	assert_string_equal(w->apart, at);
	assert_true(watcher_leads(w->watcher, at));

	walk_by_child(w, &whole);
	assert_true(whole);
	key = object_at(w, "home/slow/.ssh/id_rsa");
	assert_true(key != 0);
	assert_int_equal(watched(w), 2);
	assert_int_equal(watcher_open(w->watcher, key, NULL, NULL), -EREMOTE);
	/* By what the kernel side tells, without a look. */
	make(w, "home/slow/.ssh/id_new", "x");
	appear(w, "home/slow/.ssh", "id_new", MARK_ADDED);
	assert_true(object_at(w, "home/slow/.ssh/id_new") != 0);
	/* Another set, in which the entry has another number: known as before. */
	compile(w,
		"version: 1\nwatch:\n  - {name: none, class: tls-key, paths: [\"@/none\"]}\n"
		"  - {name: keys, class: ssh-user-key, paths: [\"@/home/*/.ssh/id_*\"]}\n",
		100);
	assert_int_equal(object_at(w, "home/slow/.ssh/id_rsa"), key);
	assert_int_equal(watch_of(w, key), 2);
	for (size_t i = 0; i < w->nr_marks; i++)
		assert_true(!w->marks[i].mark.state || w->marks[i].mark.state >= 100);
	/* What another walk does not find is gone; what came meanwhile is not. */
	snprintf(path, sizeof(path), "%s/home/slow/.ssh/id_rsa", w->top);
	assert_int_equal(unlink(path), 0);
	walk_by_child(w, &whole);
	assert_true(whole);
	watcher_seen_apart(w->watcher, w->apart, watcher_apart_number(w->watcher));
	assert_int_equal(object_at(w, "home/slow/.ssh/id_rsa"), 0);
	assert_true(object_at(w, "home/slow/.ssh/id_new") != 0);
	/* And one that wants nothing of it. */
	compile(w, "version: 1\nwatch:\n  - {name: x, class: tls-key, paths: [\"@/none\"]}\n", 200);
	assert_int_equal(watched(w), 0);
	assert_int_equal(umount2(at, MNT_DETACH), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_may_not_answer_is_left_to_a_child, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
