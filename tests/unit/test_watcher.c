// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/watcher.c and watch/tree.c on a real directory tree, with a kernel side made of stat(). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "watch/watcher.h"

#define MARKS_MAX 256

/* What the kernel would hold, and what the watcher told last about each object. */
struct world {
	struct {
		struct inode_id inode;
		struct mark mark;
	} marks[MARKS_MAX];
	size_t nr_marks;
	struct {
		uint64_t object;
		char path[4096];
		uint32_t watch;
		unsigned told;
	} objects[MARKS_MAX];
	size_t nr_objects;
	char top[64];
	struct policy *policy;
	struct watchset *set;
	struct watcher *watcher;
	char apart[4096]; /* told last as such, and how often */
	unsigned nr_apart;
	int refuse; /* errno that mark() answers for files, 0 = none */
};

static int fake_mark(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	struct world *w = userdata;
	struct inode_id id;
	struct stat st;

	if (fstatat(dirfd, name, &st, mark->flags & MARK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return -ELOOP;
	if (w->refuse && S_ISREG(st.st_mode))
		return -w->refuse;
	id = (struct inode_id){.ino = st.st_ino, .dev = st.st_dev};
	*out_identity = id;
	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, &id)) {
			if (mark->flags & MARK_KEEP) {
				*mark = w->marks[i].mark;
				return 0;
			}
			mark->object = w->marks[i].mark.object;
			mark->flags &= MARK_LASTING;
			w->marks[i].mark = *mark;
			return 0;
		}
	assert_true(w->nr_marks < MARKS_MAX);
	mark->flags &= MARK_LASTING;
	w->marks[w->nr_marks].inode = id;
	w->marks[w->nr_marks++].mark = *mark;
	return 0;
}

static int fake_unmark(void *userdata, const struct inode_id *id)
{
	struct world *w = userdata;

	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id)) {
			w->marks[i] = w->marks[--w->nr_marks];
			return 0;
		}
	return -ENOENT;
}

static int fake_unmark_device(void *userdata, uint32_t dev)
{
	struct world *w = userdata;
	int gone = 0;

	for (size_t i = w->nr_marks; i-- > 0;)
		if (w->marks[i].inode.dev == dev) {
			w->marks[i] = w->marks[--w->nr_marks];
			gone++;
		}
	return gone;
}

static void fake_object(void *userdata, const struct watched *watched)
{
	struct world *w = userdata;
	size_t i = 0;

	while (i < w->nr_objects && w->objects[i].object != watched->object)
		i++;
	assert_true(i < MARKS_MAX);
	if (i == w->nr_objects)
		w->nr_objects++;
	w->objects[i].object = watched->object;
	w->objects[i].watch = watched->watch;
	w->objects[i].told++;
	snprintf(w->objects[i].path, sizeof(w->objects[i].path), "%s", watched->path);
}

static int fake_open(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		     size_t *out_nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	assert_true(max > 0);
	out_inodes[0] = (struct inode_id){.ino = st.st_ino, .dev = st.st_dev};
	*out_nr = 1;
	return fd;
}

static int fake_remark(void *userdata, const struct inode_id *id, uint32_t state, uint32_t watch)
{
	struct world *w = userdata;

	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id)) {
			w->marks[i].mark.state = state;
			w->marks[i].mark.watch = watch;
			return 0;
		}
	return -ENOENT;
}

/* All is on one file system here: what lies in or below a directory "slow" is taken for another's.
 */
static bool fake_answers(void *userdata, int fd)
{
	char self[64], path[4096];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	return !strstr(path, "/slow");
}

static void fake_apart(void *userdata, const char *path)
{
	struct world *w = userdata;

	snprintf(w->apart, sizeof(w->apart), "%s", path);
	w->nr_apart++;
}

static const struct watcher_ops ops = {
	.mark = fake_mark,
	.remark = fake_remark,
	.answers = fake_answers,
	.apart = fake_apart,
	.unmark = fake_unmark,
	.unmark_device = fake_unmark_device,
	.object = fake_object,
	.open = fake_open,
};

static void make(const struct world *w, const char *path, const char *content)
{
	char full[4096];
	char *slash;

	snprintf(full, sizeof(full), "%s/%s", w->top, path);
	for (slash = full + strlen(w->top) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (content) {
		_cleanup_fclose_ FILE *f = fopen(full, "we");

		assert_non_null(f);
		fputs(content, f);
	} else {
		assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
	}
}

/* The object told last under this path that is still watched; NULL if none. */
static uint64_t object_at(const struct world *w, const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", w->top, path);
	for (size_t i = 0; i < w->nr_objects; i++)
		if (w->objects[i].watch && !strcmp(w->objects[i].path, full))
			return w->objects[i].object;
	return 0;
}

static size_t watched(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->nr_objects; i++)
		n += w->objects[i].watch != 0;
	return n;
}

/* `@` in the text stands for the top of the test's tree. */
static void compile(struct world *w, const char *template, uint32_t first)
{
	struct diag_list diags = {};
	char text[8192];
	size_t used = 0;
	struct policy *policy = NULL;
	struct watchset *set = NULL;

	for (; *template; template ++) {
		const char *piece = *template == '@' ? w->top : template;
		size_t len = *template == '@' ? strlen(w->top) : 1;

		assert_true(used + len < sizeof(text));
		memcpy(text + used, piece, len);
		used += len;
	}
	text[used] = '\0';
	assert_int_equal(policy_parse("test.yaml", text, strlen(text), &diags, &policy), 0);
	assert_int_equal(watchset_compile(policy, NULL, 0, first, &diags, &set), 0);
	diag_list_fini(&diags);
	assert_int_equal(watcher_apply(w->watcher, set), 0);
	watchset_free(w->set);
	policy_free(w->policy);
	w->policy = policy;
	w->set = set;
}

static const char *const policy_keys = "version: 1\n"
				       "watch:\n"
				       "  - name: keys\n"
				       "    class: ssh-user-key\n"
				       "    severity: high\n"
				       "    paths: [\"@/home/*/.ssh/id_*\"]\n"
				       "    exclude: [\"*.pub\"]\n"
				       "  - name: tree\n"
				       "    class: tls-key\n"
				       "    severity: high\n"
				       "    paths: [\"@/etc/ssl/**/*.key\"]\n";

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/keytrail-watcher-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	assert_int_equal(watcher_new(&ops, w, &w->watcher), 0);
	*state = w;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct world *w = *state;

	watcher_free(w->watcher);
	watchset_free(w->set);
	policy_free(w->policy);
	nftw(w->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

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

/*
 * As the kernel side does: the inode that stands at `at` is marked by the state of the directory,
 * then told. Returns its object.
 */
static uint64_t appear_from(struct world *w, const char *at, const char *dir, const char *name,
			    enum mark_op op)
{
	char full[4096];
	struct mark mark = {.object = MARK_OBJECT_KERNEL | (w->nr_marks + 1)};
	struct inode_id id, dir_id;
	uint64_t parent = 0;
	struct stat st;
	struct watch_target target = {};
	struct event event = {.type = EVENT_MARK, .mark = {.op = op}};

	snprintf(full, sizeof(full), "%s/%s", w->top, dir);
	assert_int_equal(stat(full, &st), 0);
	dir_id = (struct inode_id){.ino = st.st_ino, .dev = st.st_dev};
	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, &dir_id)) {
			parent = w->marks[i].mark.object;
			target = watchset_step(w->set, w->marks[i].mark.state, span_of(name));
		}
	assert_true(parent);
	snprintf(full, sizeof(full), "%s/%s", w->top, at);
	assert_int_equal(lstat(full, &st), 0);
	if (op != MARK_SYMLINK) {
		mark.state = S_ISDIR(st.st_mode) ? target.state : 0;
		mark.watch = S_ISDIR(st.st_mode) ? 0 : target.watch;
		mark.flags = S_ISDIR(st.st_mode) ? MARK_DIR : MARK_FILE;
		mark.flags |= S_ISDIR(st.st_mode) ? 0 : MARK_KEEP;
		assert_int_equal(fake_mark(w, AT_FDCWD, full, &mark, &id), 0);
		event.mark.inode = id;
	}
	event.mark.object = mark.object;
	event.mark.parent_object = parent;
	event.mark.state = mark.state;
	event.mark.watch = S_ISDIR(st.st_mode) ? 0 : target.watch;
	event.mark.mode = st.st_mode;
	snprintf(full, sizeof(full), "%s/%s/%s", w->top, dir, name);
	event.mark.path = span_of(full);
	watcher_mark_event(w->watcher, &event);
	return mark.object;
}

static void appear(struct world *w, const char *dir, const char *name, enum mark_op op)
{
	char at[4096];

	snprintf(at, sizeof(at), "%s/%s", dir, name);
	appear_from(w, at, dir, name, op);
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

/* The watch entry that the object is told under now. */
static uint32_t watch_of(const struct world *w, uint64_t object)
{
	for (size_t i = 0; i < w->nr_objects; i++)
		if (w->objects[i].object == object)
			return w->objects[i].watch;
	return 0;
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

static void no_other_name_takes_an_object_out_of_its_entry(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	key = object_at(w, "home/a/.ssh/id_rsa");
	assert_int_equal(watch_of(w, key), 1);

	/* A hard link under the other entry's names, then the rename, then a name that only the
	 * kernel's form of a glob matches. */
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_rsa", w->top);
	snprintf(to, sizeof(to), "%s/etc/ssl/x.key", w->top);
	assert_int_equal(link(from, to), 0);
	appear(w, "etc/ssl", "x.key", MARK_LINKED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), key);

	assert_int_equal(unlink(to), 0);
	assert_int_equal(rename(from, to), 0);
	appear(w, "etc/ssl", "x.key", MARK_MOVED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(object_at(w, "etc/ssl/x.key"), key);

	snprintf(from, sizeof(from), "%s/etc/ssl/x.crt", w->top);
	assert_int_equal(rename(to, from), 0);
	appear(w, "etc/ssl", "x.crt", MARK_MOVED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(w->marks[w->nr_marks - 1].mark.flags, MARK_FILE);
}

static void a_new_walk_prefers_the_entry_written_first(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl", NULL);
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_rsa", w->top);
	snprintf(to, sizeof(to), "%s/etc/ssl/x.key", w->top);
	assert_int_equal(link(from, to), 0);
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	assert_int_equal(watch_of(w, w->objects[0].object), 1);
	compile(w, policy_keys, 100);
	assert_int_equal(watched(w), 1);
	assert_int_equal(watch_of(w, w->objects[0].object), 1);
}

static void a_link_takes_nothing_over_and_leads_only_to_its_owners_files(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;

	make(w, "home/a/.ssh", NULL);
	make(w, "etc/ssl/host.key", "x");
	make(w, "etc/passwd", "x");
	snprintf(from, sizeof(from), "%s/etc/ssl/host.key", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_host", w->top);
	assert_int_equal(symlink(from, to), 0);
	snprintf(from, sizeof(from), "%s/etc", w->top);
	snprintf(to, sizeof(to), "%s/home/b", w->top);
	assert_int_equal(symlink(from, to), 0);
	if (getuid() == 0) { /* a link of somebody else's */
		snprintf(from, sizeof(from), "%s/etc/passwd", w->top);
		snprintf(to, sizeof(to), "%s/home/a/.ssh/id_passwd", w->top);
		assert_int_equal(symlink(from, to), 0);
		assert_int_equal(lchown(to, 1000, 1000), 0);
	}
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	key = object_at(w, "etc/ssl/host.key");
	assert_int_equal(watch_of(w, key), 2);
	compile(w, policy_keys, 100);
	assert_int_equal(watch_of(w, key), 2);
	for (size_t i = 0; i < w->nr_marks; i++)
		assert_true(!w->marks[i].mark.state || w->marks[i].mark.state >= 100);
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

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(finds_what_is_there_and_nothing_else),
		CASE(a_symbolic_link_is_watched_by_its_own_name),
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
		CASE(no_other_name_takes_an_object_out_of_its_entry),
		CASE(a_new_walk_prefers_the_entry_written_first),
		CASE(a_link_takes_nothing_over_and_leads_only_to_its_owners_files),
		CASE(a_file_mounted_over_a_watched_name_is_watched),
		CASE(a_tree_that_is_too_deep_costs_nobody_else),
		CASE(what_the_kernel_could_not_mark_is_marked_by_opening),
		CASE(a_directory_that_is_told_before_it_can_be_looked_up_is_walked_later),
		CASE(a_link_that_comes_later_leads_no_further),
		CASE(only_the_object_itself_is_opened),
		CASE(a_file_behind_a_link_is_opened_by_it),
		CASE(what_may_not_answer_is_left_to_a_child),
		CASE(what_cannot_be_marked_is_listed),
		CASE(a_mount_below_a_pattern_is_walked),
		CASE(a_dump_is_watched_wherever_it_lies),
		CASE(the_file_and_its_public_half_are_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
