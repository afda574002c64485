/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real directory tree to be watched, with a kernel side made of stat(). */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "watch/watcher.h"

#define MARKS_MAX 2048

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
	unsigned alive; /* signs of life in long walks */
	uint64_t names_moved; /* as the kernel side counts them */
	/* Called once, when the first file is about to be marked: what a user does in the middle of
	 * a walk. `at`: the path of that file. */
	void (*meanwhile)(struct world *w, const char *at);
	void (*begins)(void); /* the walk does */
	int refuse; /* errno that mark() answers for files, 0 = none */
	uint64_t layer; /* the kernel's numbers are so much more than stat()'s, as on an overlay */
	bool strangers; /* what open() opens is another file than its number says */
	int no_open; /* errno that open() answers, 0 = none */
	/* What appears next has another object's mark by the time it is told, 0 = its own. */
	uint64_t put_back;
};

static inline struct inode_id kernel_identity(const struct world *w, const struct stat *st)
{
	return (struct inode_id){.ino = st->st_ino + w->layer, .dev = (uint32_t)st->st_dev};
}

static inline void interrupt(struct world *w, const char *self)
{
	void (*meanwhile)(struct world * w, const char *at) = w->meanwhile;
	char at[4096];
	ssize_t n = readlink(self, at, sizeof(at) - 1);

	assert_true(n > 0);
	at[n] = '\0';
	w->meanwhile = NULL;
	meanwhile(w, at);
}

static inline int fake_mark(void *userdata, int dirfd, const char *name, struct mark *mark,
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
	if (w->meanwhile && S_ISREG(st.st_mode))
		interrupt(w, name);
	id = kernel_identity(w, &st);
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

static inline int fake_unmark(void *userdata, const struct inode_id *id, uint64_t object)
{
	struct world *w = userdata;

	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id)) {
			if (w->marks[i].mark.object != object)
				return -ESTALE;
			w->marks[i] = w->marks[--w->nr_marks];
			return 0;
		}
	return -ENOENT;
}

static inline bool fake_is_marked(void *userdata, const struct inode_id *id, uint64_t object)
{
	const struct world *w = userdata;

	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id))
			return w->marks[i].mark.object == object;
	return false;
}

static inline uint64_t fake_names_moved(void *userdata)
{
	return ((const struct world *)userdata)->names_moved;
}

static inline int fake_unmark_device(void *userdata, uint32_t dev)
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

static inline void fake_object(void *userdata, const struct watched *watched)
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

static inline int fake_open(void *userdata, const char *path, struct inode_id *out_inodes,
			    size_t max, size_t *out_nr)
{
	const struct world *w = userdata;
	int fd = w->no_open ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (w->no_open)
		return -w->no_open;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	assert_true(max > 0);
	out_inodes[0] = kernel_identity(w, &st);
	out_inodes[0].dev += w->strangers;
	*out_nr = 1;
	return fd;
}

static inline int fake_remark(void *userdata, const struct inode_id *id, uint64_t object,
			      uint32_t state, uint32_t watch)
{
	struct world *w = userdata;

	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id)) {
			if (w->marks[i].mark.object != object)
				return -ESTALE;
			w->marks[i].mark.state = state;
			w->marks[i].mark.watch = watch;
			return 0;
		}
	return -ENOENT;
}

/* All is on one file system here: what lies in or below a directory "slow" is taken for another's.
 */
static inline bool fake_answers(void *userdata, int fd)
{
	char self[64], path[4096];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	return !strstr(path, "/slow");
}

static inline void fake_apart(void *userdata, const char *path)
{
	struct world *w = userdata;

	snprintf(w->apart, sizeof(w->apart), "%s", path);
	w->nr_apart++;
}

static inline void count_alive(void *userdata)
{
	((struct world *)userdata)->alive++;
}

static const struct watcher_ops ops = {
	.alive = count_alive,
	.mark = fake_mark,
	.remark = fake_remark,
	.answers = fake_answers,
	.apart = fake_apart,
	.unmark = fake_unmark,
	.is_marked = fake_is_marked,
	.names_moved = fake_names_moved,
	.unmark_device = fake_unmark_device,
	.object = fake_object,
	.open = fake_open,
};

static inline void make(const struct world *w, const char *path, const char *content)
{
	char full[sizeof(w->top) + 4097];
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
static inline uint64_t object_at(const struct world *w, const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s/%s", w->top, path);
	for (size_t i = 0; i < w->nr_objects; i++)
		if (w->objects[i].watch && !strcmp(w->objects[i].path, full))
			return w->objects[i].object;
	return 0;
}

static inline size_t watched(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->nr_objects; i++)
		n += w->objects[i].watch != 0;
	return n;
}

static inline void apply(struct world *w, const struct watchset *set)
{
	_cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(root >= 0);
	if (w->begins)
		w->begins();
	watcher_apply(w->watcher, set, root);
}

/* `@` in the text stands for the top of the test's tree. */
static inline void compile(struct world *w, const char *template, uint32_t first)
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
	apply(w, set);
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

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->top, "/tmp/keytrail-watcher-XXXXXX");
	assert_non_null(mkdtemp(w->top));
	assert_int_equal(watcher_new(&ops, w, &w->watcher), 0);
	*state = w;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	watcher_free(w->watcher);
	watchset_free(w->set);
	policy_free(w->policy);
	nftw(w->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

static inline void set_object(struct world *w, const struct inode_id *id, uint64_t object)
{
	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, id))
			w->marks[i].mark.object = object;
}

/*
 * As the kernel side does: the inode that stands at `at` is marked by the state of the directory,
 * then told. Returns its object.
 */
static inline uint64_t appear_from(struct world *w, const char *at, const char *dir,
				   const char *name, enum mark_op op)
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
	dir_id = kernel_identity(w, &st);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (inode_id_same(&w->marks[i].inode, &dir_id)) {
			parent = w->marks[i].mark.object;
			target = watchset_step(w->set, w->marks[i].mark.state, span_of(name));
		}
	assert_true(parent);
	assert_true((size_t)snprintf(full, sizeof(full), "%s/%s", w->top, at) < sizeof(full));
	assert_int_equal(lstat(full, &st), 0);
	if (op != MARK_SYMLINK) {
		mark.state = S_ISDIR(st.st_mode) ? target.state : 0;
		mark.watch = S_ISDIR(st.st_mode) ? 0 : target.watch;
		mark.flags = S_ISDIR(st.st_mode) ? MARK_DIR : MARK_FILE;
		mark.flags |= S_ISDIR(st.st_mode) ? 0 : MARK_KEEP;
		assert_int_equal(fake_mark(w, AT_FDCWD, full, &mark, &id), 0);
		event.mark.inode = id;
		if (w->put_back)
			set_object(w, &id, w->put_back);
		w->put_back = 0;
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

static inline void appear(struct world *w, const char *dir, const char *name, enum mark_op op)
{
	char at[4096];

	snprintf(at, sizeof(at), "%s/%s", dir, name);
	appear_from(w, at, dir, name, op);
}

/* The watch entry that the object is told under now. */
static inline uint32_t watch_of(const struct world *w, uint64_t object)
{
	for (size_t i = 0; i < w->nr_objects; i++)
		if (w->objects[i].object == object)
			return w->objects[i].watch;
	return 0;
}
