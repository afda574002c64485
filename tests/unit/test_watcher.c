// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/watcher.c and watch/tree.c on a real directory tree, with a kernel side made of stat(). */
#include <sys/socket.h>
#include <sys/un.h>

#include "unit/watchworld.h"

static void finds_what_is_there_and_nothing_else(void **state)
{
	struct world *w = *state;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "home/a/.ssh/id_rsa.pub", "x");
	make(w, "home/a/.ssh/config", "x");
	make(w, "home/b/.ssh/id_ed25519", "x");
	make(w, "home/b/id_rsa", "x");
	make(w, "etc/ssl/x/y/z.key", "x");
	make(w, "etc/ssl/z.key", "x");
	make(w, "etc/ssl/z.crt", "x");
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 4);
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
	assert_true(object_at(w, "home/b/.ssh/id_ed25519"));
	assert_true(object_at(w, "etc/ssl/x/y/z.key"));
	assert_true(object_at(w, "etc/ssl/z.key"));
}

static void a_symbolic_link_is_watched_by_its_own_name(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];

	make(w, "vault/real", "x");
	make(w, "home/a/.ssh", NULL);
	snprintf(from, sizeof(from), "%s/vault/real", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_rsa", w->top);
	assert_int_equal(symlink(from, to), 0);
	/* A directory that is a link, and a loop of links: both must end. */
	snprintf(to, sizeof(to), "%s/home/b", w->top);
	snprintf(from, sizeof(from), "%s/home/a", w->top);
	assert_int_equal(symlink(from, to), 0);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_loop", w->top);
	assert_int_equal(symlink(to, to), 0);
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
}

static int open_found(struct world *w, const char *name, char path[4096])
{
	struct stat st;

	snprintf(path, 4096, "%s/%s", w->top, name);
	assert_int_equal(stat(path, &st), 0);
	return watcher_open_found(w->watcher, path, st.st_dev, st.st_ino);
}

static void what_was_found_is_watched_until_it_has_a_name(void **state)
{
	struct world *w = *state;
	char path[4096], from[4096], link[4096];
	struct watcher_stats stats;
	uint64_t object;
	int fd;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "home/a/holiday", "x");
	compile(w, policy_keys, 1);
	/* Without an entry for such, nothing. */
	fd = open_found(w, "home/a/holiday", path);
	assert_true(fd >= 0);
	assert_int_equal(watcher_add_found(w->watcher, fd, path, 0), -ENOENT);
	watcher_set_found_watch(w->watcher, 2);
	assert_int_equal(watcher_add_found(w->watcher, fd, path, 0), 0);
	close(fd);
	object = object_at(w, "home/a/holiday");
	assert_true(object);
	assert_int_equal(watch_of(w, object), 2);
	watcher_stats(w->watcher, &stats);
	assert_int_equal(stats.found, 1);

	/* Known, by whatever name; another file; no link. */
	assert_int_equal(open_found(w, "home/a/holiday", path), -EEXIST);
	assert_int_equal(open_found(w, "home/a/.ssh/id_rsa", path), -EEXIST);
	assert_int_equal(watcher_open_found(w->watcher, path, 1, 1), -ESTALE);
	snprintf(from, sizeof(from), "%s/home/a/holiday", w->top);
	snprintf(link, sizeof(link), "%s/home/a/link", w->top);
	assert_int_equal(symlink(from, link), 0);
	assert_int_equal(open_found(w, "home/a/link", path), -ELOOP);
	snprintf(path, sizeof(path), "%s/home/a/renamed", w->top);
	assert_int_equal(rename(from, path), 0);
	assert_int_equal(open_found(w, "home/a/renamed", path), -EEXIST);
	assert_int_equal(object_at(w, "home/a/renamed"), object);

	/* A walk leads nowhere near it, and it stays; by a watched name it is that entry's. */
	compile(w, policy_keys, 100);
	assert_int_equal(object_at(w, "home/a/renamed"), object);
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_b", w->top);
	assert_int_equal(rename(path, from), 0);
	compile(w, policy_keys, 200);
	assert_int_equal(watch_of(w, object_at(w, "home/a/.ssh/id_b")), 1);
	watcher_stats(w->watcher, &stats);
	assert_int_equal(stats.found, 0);
	watcher_drop_found(w->watcher, object); /* is none any more */
	assert_int_equal(object_at(w, "home/a/.ssh/id_b"), object);
}

static void what_was_found_goes_with_its_entry_or_its_key(void **state)
{
	struct world *w = *state;
	char path[4096];
	uint64_t object;
	size_t marks;

	make(w, "home/a/one", "x");
	make(w, "home/a/two", "x");
	compile(w, policy_keys, 1);
	marks = w->nr_marks;
	watcher_set_found_watch(w->watcher, 2);
	for (int i = 0; i < 2; i++) {
		int fd = open_found(w, i ? "home/a/two" : "home/a/one", path);

		assert_int_equal(watcher_add_found(w->watcher, fd, path, 0), 0);
		close(fd);
	}
	object = object_at(w, "home/a/one");
	watcher_drop_found(w->watcher, object);
	assert_int_equal(watch_of(w, object), 0);
	assert_int_equal(w->nr_marks, marks + 1);
	watcher_set_found_watch(w->watcher, 0);
	compile(w, policy_keys, 100);
	assert_int_equal(w->nr_marks, marks);
}

static int find_and_add(struct world *w, const char *name, uint32_t owner)
{
	char path[4096];
	int fd = open_found(w, name, path), r = fd;

	if (fd >= 0)
		r = watcher_add_found(w->watcher, fd, path, owner);
	fd_close(fd);
	return r;
}

static void what_is_found_of_one_owner_takes_his_share_alone(void **state)
{
	struct world *w = *state;
	uint32_t me = 1000;
	char name[64];

	watcher_set_found_watch(w->watcher, 2);
	compile(w, policy_keys, 1);
	for (int i = 0; i < WATCHER_FOUND_OWNER_MAX; i++) {
		snprintf(name, sizeof(name), "home/a/key-%d", i);
		make(w, name, "x");
		assert_int_equal(find_and_add(w, name, me), 0);
	}
	make(w, "home/a/more", "x");
	assert_int_equal(watcher_found_room(w->watcher, me), -EDQUOT);
	assert_int_equal(find_and_add(w, "home/a/more", me), -EDQUOT);
	assert_int_equal(watcher_found_room(w->watcher, me + 1), 0);
	assert_int_equal(find_and_add(w, "home/a/more", me + 1), 0);
	/* All are known by their inode. */
	for (int i = 0; i < WATCHER_FOUND_OWNER_MAX; i += 100) {
		snprintf(name, sizeof(name), "home/a/key-%d", i);
		assert_int_equal(find_and_add(w, name, me), -EEXIST);
	}
	watcher_drop_found(w->watcher, object_at(w, "home/a/key-7"));
	assert_int_equal(watcher_found_room(w->watcher, me), 0);
	assert_int_equal(find_and_add(w, "home/a/key-7", me), 0);
	assert_int_equal(watcher_found_room(w->watcher, me), -EDQUOT);
}

/* A backup of many files must not be why a key that was found is not watched, nor the other way. */
static void copies_are_counted_apart_from_keys(void **state)
{
	struct world *w = *state;
	uint64_t object = 0;
	char name[64], path[4096];
	int fd, r = 0;

	watcher_set_found_watch(w->watcher, 2);
	watcher_set_copy_watch(w->watcher, 2);
	compile(w, policy_keys, 1);
	for (int i = 0; i <= WATCHER_FOUND_OWNER_MAX; i++) {
		snprintf(name, sizeof(name), "home/a/copy-%d", i);
		make(w, name, "x");
		fd = open_found(w, name, path);
		r = watcher_add_copy(w->watcher, fd, path, 1000, &object);
		close(fd);
		if (i < WATCHER_FOUND_OWNER_MAX)
			assert_int_equal(r, 0);
	}
	assert_int_equal(r, -EDQUOT);
	assert_int_equal(watcher_found_room(w->watcher, 1000), 0);
	make(w, "home/a/key", "x");
	assert_int_equal(find_and_add(w, "home/a/key", 1000), 0);
	watcher_drop_copy(w->watcher, object);
	fd = open_found(w, name, path);
	assert_int_equal(watcher_add_copy(w->watcher, fd, path, 1000, &object), 0);
	close(fd);
}

static void another_policy_unmarks_what_it_does_not_want(void **state)
{
	struct world *w = *state;
	uint64_t kept;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl/z.key", "x");
	compile(w, policy_keys, 1);
	kept = object_at(w, "home/a/.ssh/id_rsa");
	assert_int_equal(watched(w), 2);
	compile(w,
		"version: 1\nwatch:\n  - name: keys\n    class: ssh-user-key\n    severity: high\n"
		"    paths: [\"@/home/*/.ssh/id_*\"]\n",
		100);
	assert_int_equal(watched(w), 1);
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), kept);
	for (size_t i = 0; i < w->nr_marks; i++)
		assert_true(!w->marks[i].mark.state || w->marks[i].mark.state >= 100);
}

static void marks_that_the_kernel_lost_are_set_anew(void **state)
{
	struct world *w = *state;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl/x/z.key", "x");
	compile(w, policy_keys, 1);
	w->nr_marks = 0; /* all of them */
	watcher_forget(w->watcher);
	assert_int_equal(watched(w), 0);
	compile(w, policy_keys, 100);
	assert_int_equal(watched(w), 2);
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
	assert_true(object_at(w, "etc/ssl/x/z.key"));
	assert_true(w->nr_marks > 2);
}

static void rename_in(const struct world *w, const char *from, const char *to)
{
	char full_from[4096], full_to[4096];

	snprintf(full_from, sizeof(full_from), "%s/%s", w->top, from);
	snprintf(full_to, sizeof(full_to), "%s/%s", w->top, to);
	assert_int_equal(rename(full_from, full_to), 0);
}

static char content_of(const struct world *w, uint64_t object)
{
	_cleanup_close_ int fd = watcher_open(w->watcher, object, NULL, NULL);
	char c;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &c, 1), 1);
	return c;
}

/* The hook at a rename runs before it: what stands under the name then is the file that goes. */
static void a_file_is_not_taken_for_the_one_that_replaces_it(void **state)
{
	struct world *w = *state;
	uint64_t old, new;

	make(w, "home/a/.ssh/id_rsa", "old");
	make(w, "home/a/.ssh/other", "new");
	compile(w, policy_keys, 1);
	old = object_at(w, "home/a/.ssh/id_rsa");
	new = appear_from(w, "home/a/.ssh/other", "home/a/.ssh", "id_rsa", MARK_MOVED);
	assert_int_equal(watcher_open(w->watcher, new, NULL, NULL), -ESTALE);
	assert_int_equal(content_of(w, old), 'o');
	rename_in(w, "home/a/.ssh/other", "home/a/.ssh/id_rsa");
	assert_int_equal(content_of(w, new), 'n');
	assert_int_equal(watcher_open(w->watcher, old, NULL, NULL), -ESTALE);
}

static void a_directory_is_not_taken_for_the_one_that_replaces_it(void **state)
{
	struct world *w = *state;

	make(w, "home/a", NULL);
	make(w, "stage/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	appear_from(w, "stage/a", "home", "a", MARK_MOVED);
	watcher_catch_up(w->watcher);
	assert_int_equal(watched(w), 0);
	rename_in(w, "stage/a", "home/a");
	watcher_catch_up(w->watcher);
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
}

/* The hook marks what is in a large tree before the rename goes on: that can take a while. */
static void a_directory_that_is_long_in_coming_is_walked(void **state)
{
	struct world *w = *state;

	make(w, "home", NULL);
	make(w, "stage/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	appear_from(w, "stage/a", "home", "a", MARK_MOVED_TREE);
	for (unsigned i = 0; i < 10; i++)
		watcher_catch_up(w->watcher);
	assert_int_equal(watched(w), 0);
	rename_in(w, "stage/a", "home/a");
	watcher_catch_up(w->watcher);
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
}

static void what_appears_is_an_object_at_once(void **state)
{
	struct world *w = *state;

	make(w, "home", NULL);
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 0);
	make(w, "home/new", NULL);
	appear(w, "home", "new", MARK_ADDED);
	/* Made before the event was read: found by the walk that the event begins. */
	make(w, "home/new/.ssh/id_early", "x");
	appear(w, "home/new", ".ssh", MARK_ADDED);
	assert_true(object_at(w, "home/new/.ssh/id_early"));
	make(w, "home/new/.ssh/id_rsa", "x");
	appear(w, "home/new/.ssh", "id_rsa", MARK_ADDED);
	assert_true(object_at(w, "home/new/.ssh/id_rsa"));
	assert_int_equal(watched(w), 2);
}

static void a_renamed_directory_takes_its_files_along(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;

	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	key = object_at(w, "home/a/.ssh/id_rsa");
	snprintf(from, sizeof(from), "%s/home/a", w->top);
	snprintf(to, sizeof(to), "%s/home/z", w->top);
	assert_int_equal(rename(from, to), 0);
	appear(w, "home", "z", MARK_MOVED);
	assert_int_equal(watcher_path(w->watcher, key, from, sizeof(from)), strlen(to) + 12);
	snprintf(to, sizeof(to), "%s/home/z/.ssh/id_rsa", w->top);
	assert_string_equal(from, to);
}

static void the_end_of_an_object_is_told_once(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_DROPPED}};
	struct watcher_stats stats;

	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	event.mark.object = object_at(w, "home/a/.ssh/id_rsa");
	watcher_mark_event(w->watcher, &event);
	watcher_mark_event(w->watcher, &event);
	assert_int_equal(watched(w), 0);
	assert_int_equal(w->objects[0].told, 2); /* once as watched, once as gone */
	watcher_stats(w->watcher, &stats);
	assert_int_equal(stats.files, 0);
}

static void a_file_system_that_ends_takes_its_objects(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_SUPER_GONE}};
	struct stat st;

	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	assert_int_equal(stat(w->top, &st), 0);
	event.mark.inode.dev = st.st_dev + 1;
	watcher_mark_event(w->watcher, &event);
	assert_int_equal(watched(w), 1);
	event.mark.inode.dev = st.st_dev;
	watcher_mark_event(w->watcher, &event);
	assert_int_equal(watched(w), 0);
}

static void a_kernel_glob_that_matched_too_much_is_unmarked(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_ADDED}};
	struct mark mark = {.object = MARK_OBJECT_KERNEL | 77, .watch = 1, .flags = MARK_FILE};
	char full[4096];
	size_t before;

	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	make(w, "home/a/.ssh/id_rsa.pub", "x");
	snprintf(full, sizeof(full), "%s/home/a/.ssh/id_rsa.pub", w->top);
	before = w->nr_marks;
	assert_int_equal(fake_mark(w, AT_FDCWD, full, &mark, &event.mark.inode), 0);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (w->marks[i].mark.flags & MARK_DIR)
			event.mark.parent_object = w->marks[i].mark.object; /* .ssh is the last */
	event.mark.object = mark.object;
	event.mark.watch = 1;
	event.mark.mode = S_IFREG;
	event.mark.path = span_of(full);
	watcher_mark_event(w->watcher, &event);
	assert_int_equal(w->nr_marks, before);
	assert_int_equal(watched(w), 1);
}

/* An entry is about files or about sockets, and what has the name and is the other stays alone. */
static void sockets_are_watched_where_sockets_are_meant(void **state)
{
	static const char policy[] =
		"version: 1\nwatch:\n"
		"  - {name: agents, class: agent-socket, paths: [\"@/home/*/.ssh/s_*\"]}\n"
		"  - {name: keys, class: ssh-user-key, paths: [\"@/home/*/.ssh/id_*\"]}\n";
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int one = socket(AF_UNIX, SOCK_STREAM, 0), two;
	struct world *w = *state;

	make(w, "home/a/.ssh/s_file", "x");
	make(w, "home/a/.ssh/id_key", "x");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/home/a/.ssh/s_sock", w->top);
	assert_int_equal(bind(one, (struct sockaddr *)&at, sizeof(at)), 0);
	two = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/home/a/.ssh/id_sock", w->top);
	assert_int_equal(bind(two, (struct sockaddr *)&at, sizeof(at)), 0);
	close(two);
	compile(w, policy, 1);
	assert_int_equal(watched(w), 2);
	assert_int_equal(watch_of(w, object_at(w, "home/a/.ssh/s_sock")), 1);
	assert_int_equal(watch_of(w, object_at(w, "home/a/.ssh/id_key")), 2);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (w->marks[i].mark.watch == 1)
			assert_int_equal(w->marks[i].mark.flags, MARK_SOCKET);
}

static void a_file_mounted_over_a_watched_name_is_watched(void **state)
{
	struct world *w = *state;
	char path[4096];

	make(w, "home/a/.ssh", NULL);
	compile(w, policy_keys, 1);
	make(w, "home/a/.ssh/id_rsa", "x"); /* as if by mount: no event */
	snprintf(path, sizeof(path), "%s/home/a/.ssh/id_rsa", w->top);
	assert_int_equal(watcher_rescan(w->watcher, path), 0);
	assert_int_equal(watched(w), 1);
}

static void a_tree_that_is_too_deep_costs_nobody_else(void **state)
{
	struct world *w = *state;
	struct watcher_stats stats;
	char deep[4096] = "etc/ssl/a";
	size_t used = strlen(deep);

	for (int i = 0; i < 80; i++)
		used += (size_t)snprintf(deep + used, sizeof(deep) - used, "/d");
	memcpy(deep + used, "/x.key", 7);
	make(w, deep, "x");
	make(w, "etc/ssl/z.key", "x");
	make(w, "home/a/.ssh/id_rsa", "x");
	compile(w, policy_keys, 1);
	assert_true(object_at(w, "etc/ssl/z.key"));
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
	watcher_stats(w->watcher, &stats);
	assert_true(stats.bounded);
	assert_int_equal(stats.problems, 1);
}

static void a_long_walk_gives_signs_of_life(void **state)
{
	struct world *w = *state;
	char name[64];

	for (unsigned i = 0; i < 2 * WATCHER_ALIVE_NAMES; i++) {
		snprintf(name, sizeof(name), "etc/ssl/%u", i);
		make(w, name, "");
	}
	w->alive = 0;
	compile(w, policy_keys, 1);
	assert_int_equal(w->alive, 2);
}

static void what_the_kernel_could_not_mark_is_marked_by_opening(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_REFUSED}};

	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	make(w, "etc/ssl/x.key", "x");
	for (size_t i = 0; i < w->nr_marks; i++)
		if (watchset_step(w->set, w->marks[i].mark.state, span_of("x.key")).watch)
			event.mark.parent_object = w->marks[i].mark.object;
	event.mark.object = MARK_OBJECT_KERNEL | 5;
	event.mark.mode = S_IFREG;
	event.mark.path = span_of("x.key");
	watcher_mark_event(w->watcher, &event);
	assert_true(object_at(w, "etc/ssl/x.key"));
}

static void a_directory_that_is_told_before_it_can_be_looked_up_is_walked_later(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_MOVED_TREE}};
	const struct inode_id not_yet = {.ino = 4711, .dev = 1};

	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (watchset_step(w->set, w->marks[i].mark.state, span_of("x.key")).watch)
			event.mark.parent_object = w->marks[i].mark.object;
	event.mark.object = MARK_OBJECT_KERNEL | 6;
	event.mark.inode = not_yet;
	event.mark.mode = S_IFDIR;
	event.mark.state = 1;
	event.mark.path = span_of("tree");
	watcher_mark_event(w->watcher, &event);
	assert_int_equal(watched(w), 0);
	make(w, "etc/ssl/tree/x.key", "x");
	watcher_catch_up(w->watcher);
	assert_true(object_at(w, "etc/ssl/tree/x.key"));
	watcher_catch_up(w->watcher);
}

/* Where the event was read while the name was absent, a link stands by the time of the second look.
 */
static void a_link_that_comes_later_leads_no_further(void **state)
{
	struct world *w = *state;
	struct event event = {.type = EVENT_MARK, .mark = {.op = MARK_ADDED}};
	char from[4096], to[4096];

	if (getuid() != 0)
		skip();
	make(w, "home/a", NULL);
	make(w, "etc/ssl/private/host.key", "x");
	make(w, "root/.ssh/id_root", "x");
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (watchset_step(w->set, w->marks[i].mark.state, span_of(".ssh")).state)
			event.mark.parent_object = w->marks[i].mark.object;
	assert_true(event.mark.parent_object != 0);
	event.mark.object = MARK_OBJECT_KERNEL | 6;
	event.mark.inode = (struct inode_id){.ino = 4711, .dev = 1};
	event.mark.mode = S_IFDIR;
	event.mark.state = 1;
	event.mark.path = span_of(".ssh");
	watcher_mark_event(w->watcher, &event);

	snprintf(from, sizeof(from), "%s/root/.ssh", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh", w->top);
	assert_int_equal(symlink(from, to), 0);
	assert_int_equal(lchown(to, 1000, 1000), 0);
	for (unsigned i = 0; i < 100; i++) /* also when it is waited for no longer */
		watcher_catch_up(w->watcher);
	assert_int_equal(object_at(w, "home/a/.ssh/id_root"), 0);
	assert_int_equal(watched(w), 1);
	/* Told, or looked for once more, by a path that goes through the link. */
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_root", w->top);
	assert_int_equal(watcher_rescan(w->watcher, to), 0);
	assert_int_equal(watched(w), 1);
	/* A directory of his own is found by the same link. */
	make(w, "srv/mine/id_mine", "x");
	snprintf(from, sizeof(from), "%s/srv/mine", w->top);
	assert_int_equal(chown(from, 1000, 1000), 0);
	snprintf(to, sizeof(to), "%s/home/a/.ssh", w->top);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(symlink(from, to), 0);
	assert_int_equal(lchown(to, 1000, 1000), 0);
	assert_int_equal(watcher_rescan(w->watcher, to), 0);
	assert_true(object_at(w, "home/a/.ssh/id_mine"));
}

static void only_the_object_itself_is_opened(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;
	int fd;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "root/.ssh/id_rsa", "root's");
	compile(w, policy_keys, 1);
	key = object_at(w, "home/a/.ssh/id_rsa");
	fd = watcher_open(w->watcher, key, NULL, NULL);
	assert_true(fd >= 0);
	close(fd);
	snprintf(from, sizeof(from), "%s/home/a/.ssh", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.s2", w->top);
	assert_int_equal(rename(from, to), 0);
	snprintf(to, sizeof(to), "%s/root/.ssh", w->top);
	assert_int_equal(symlink(to, from), 0);
	assert_int_equal(watcher_open(w->watcher, key, NULL, NULL), -ELOOP);
	assert_int_equal(unlink(from), 0);
	assert_int_equal(rename(to, from), 0);
	assert_int_equal(watcher_open(w->watcher, key, NULL, NULL), -ESTALE);
}

static void a_file_behind_a_link_is_opened_by_it(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	int fd, sibling = -1;

	make(w, "vault/real", "x");
	make(w, "home/a/.ssh/id_rsa.pub", "p");
	snprintf(from, sizeof(from), "../../../vault/./real");
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_rsa", w->top);
	assert_int_equal(symlink(from, to), 0);
	compile(w, policy_keys, 1);
	fd = watcher_open(w->watcher, object_at(w, "home/a/.ssh/id_rsa"), ".pub", &sibling);
	assert_true(fd >= 0);
	assert_true(sibling >= 0);
	close(fd);
	close(sibling);
}

static void what_cannot_be_marked_is_listed(void **state)
{
	struct world *w = *state;
	const struct watcher_problem *problems;
	struct watcher_stats stats;

	make(w, "home/a/.ssh/id_rsa", "x");
	w->refuse = EACCES;
	compile(w, policy_keys, 1);
	watcher_stats(w->watcher, &stats);
	assert_int_equal(stats.problems, 1);
	assert_int_equal(watcher_problems(w->watcher, &problems), 1);
	assert_int_equal(problems[0].error, -EACCES);
	assert_non_null(strstr(problems[0].path, "/home/a/.ssh/id_rsa"));
}

static void a_mount_below_a_pattern_is_walked(void **state)
{
	struct world *w = *state;
	char path[4096];

	make(w, "home/a", NULL);
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 0);
	make(w, "home/a/.ssh/id_rsa", "x"); /* as if it had come by mount: no event */
	snprintf(path, sizeof(path), "%s/var/lib/docker/x", w->top);
	assert_int_equal(watcher_rescan(w->watcher, path), 0);
	assert_int_equal(watched(w), 0);
	snprintf(path, sizeof(path), "%s/home/a", w->top);
	assert_int_equal(watcher_rescan(w->watcher, path), 0);
	assert_true(object_at(w, "home/a/.ssh/id_rsa"));
}

static void born_event(struct world *w, uint64_t object, const char *name)
{
	struct event ev = {.type = EVENT_MARK, .mark = {.op = MARK_BORN, .object = object}};
	static char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->top, name);
	assert_int_equal(stat(path, &st), 0);
	ev.mark.inode = (struct inode_id){.ino = st.st_ino, .dev = st.st_dev};
	ev.mark.mode = S_IFREG | 0600;
	ev.mark.path = span_of(path);
	w->marks[w->nr_marks].inode = ev.mark.inode;
	w->marks[w->nr_marks++].mark = (struct mark){.object = object, .flags = MARK_FILE};
	watcher_mark_event(w->watcher, &ev);
}

static void a_dump_is_watched_wherever_it_lies(void **state)
{
	struct watcher_stats st;
	struct world *w = *state;
	char path[4096];

	make(w, "home/ann/.ssh/id_a", "key");
	make(w, "tmp/odd", "core");
	make(w, "tmp/log", "words");
	watcher_set_dump_watch(w->watcher, 2);
	compile(w, policy_keys, 1);
	born_event(w, MARK_OBJECT_KERNEL | 5, "tmp/odd");
	born_event(w, MARK_OBJECT_KERNEL | 6, "tmp/log");
	assert_int_equal(object_at(w, "tmp/odd"), MARK_OBJECT_KERNEL | 5);
	assert_true(watcher_path(w->watcher, MARK_OBJECT_KERNEL | 5, path, sizeof(path)) > 0);
	watcher_stats(w->watcher, &st);
	assert_int_equal(st.dumps, 2);
	/* No walk leads there, and none takes it away; its entry has another number then. */
	watcher_set_dump_watch(w->watcher, 1);
	compile(w, policy_keys, 100);
	assert_int_equal(object_at(w, "tmp/odd"), MARK_OBJECT_KERNEL | 5);
	for (size_t i = 0; i < w->nr_objects; i++)
		if (w->objects[i].object == (MARK_OBJECT_KERNEL | 5))
			assert_int_equal(w->objects[i].watch, 1);
	watcher_drop_dump(w->watcher, MARK_OBJECT_KERNEL | 6);
	assert_int_equal(object_at(w, "tmp/log"), 0);
	/* Not what is watched by its name. */
	watcher_drop_dump(w->watcher, object_at(w, "home/ann/.ssh/id_a"));
	assert_true(object_at(w, "home/ann/.ssh/id_a") != 0);
	/* A policy without dumps. */
	watcher_set_dump_watch(w->watcher, 0);
	compile(w, policy_keys, 200);
	assert_int_equal(object_at(w, "tmp/odd"), 0);
	watcher_stats(w->watcher, &st);
	assert_int_equal(st.dumps, 0);
	born_event(w, MARK_OBJECT_KERNEL | 7, "tmp/odd");
	assert_int_equal(object_at(w, "tmp/odd"), 0);
	assert_int_equal(watched(w), 1);
}

static void the_file_and_its_public_half_are_opened(void **state)
{
	struct world *w = *state;
	int fd, sibling = -1;
	char c;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "home/a/.ssh/id_rsa.pub", "p");
	compile(w, policy_keys, 1);
	fd = watcher_open(w->watcher, object_at(w, "home/a/.ssh/id_rsa"), ".pub", &sibling);
	assert_true(fd >= 0);
	assert_true(sibling >= 0);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(c, 'x');
	assert_int_equal(read(sibling, &c, 1), 1);
	assert_int_equal(c, 'p');
	close(fd);
	close(sibling);
	assert_int_equal(watcher_open(w->watcher, 4711, NULL, NULL), -ENOENT);
}

/*
 * The kernel side marked an inode anew while records of its first mark waited to be read: the
 * picture has both. What ends is the one that the kernel does not know, and not the mark.
 */
static void the_end_of_an_old_object_leaves_the_mark_of_the_new_one(void **state)
{
	struct world *w = *state;
	const uint64_t new = MARK_OBJECT_KERNEL | 77;
	size_t at = 0;
	uint64_t old;

	make(w, "home/a/.ssh/id_a", "x");
	compile(w, policy_keys, 1);
	old = object_at(w, "home/a/.ssh/id_a");
	while (w->marks[at].mark.object != old)
		at++;
	w->marks[at].mark.object = new;
	compile(w, policy_keys, 100);
	while (at > 0 && (at >= w->nr_marks || w->marks[at].mark.object != new))
		at--;
	assert_int_equal(w->marks[at].mark.object, new);
	assert_int_equal(watch_of(w, new), 1);
	assert_int_equal(watch_of(w, old), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finds_what_is_there_and_nothing_else),
		CASE(a_symbolic_link_is_watched_by_its_own_name),
		CASE(what_was_found_is_watched_until_it_has_a_name),
		CASE(what_was_found_goes_with_its_entry_or_its_key),
		CASE(what_is_found_of_one_owner_takes_his_share_alone),
		CASE(copies_are_counted_apart_from_keys),
		CASE(another_policy_unmarks_what_it_does_not_want),
		CASE(marks_that_the_kernel_lost_are_set_anew),
		CASE(a_file_is_not_taken_for_the_one_that_replaces_it),
		CASE(a_directory_is_not_taken_for_the_one_that_replaces_it),
		CASE(a_directory_that_is_long_in_coming_is_walked),
		CASE(what_appears_is_an_object_at_once),
		CASE(a_renamed_directory_takes_its_files_along),
		CASE(the_end_of_an_object_is_told_once),
		CASE(a_file_system_that_ends_takes_its_objects),
		CASE(a_kernel_glob_that_matched_too_much_is_unmarked),
		CASE(sockets_are_watched_where_sockets_are_meant),
		CASE(a_file_mounted_over_a_watched_name_is_watched),
		CASE(a_tree_that_is_too_deep_costs_nobody_else),
		CASE(a_long_walk_gives_signs_of_life),
		CASE(what_the_kernel_could_not_mark_is_marked_by_opening),
		CASE(a_directory_that_is_told_before_it_can_be_looked_up_is_walked_later),
		CASE(a_link_that_comes_later_leads_no_further),
		CASE(only_the_object_itself_is_opened),
		CASE(a_file_behind_a_link_is_opened_by_it),
		CASE(what_cannot_be_marked_is_listed),
		CASE(a_mount_below_a_pattern_is_walked),
		CASE(a_dump_is_watched_wherever_it_lies),
		CASE(the_file_and_its_public_half_are_opened),
		CASE(the_end_of_an_old_object_leaves_the_mark_of_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
