// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds the objects that the policy's names stand for and keeps the picture true. */
#include "watch/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "watch/tree.h"

/*
 * Names looked at in one walk, and below one directory of a user's in a directory of root's (a
 * home): so that no user can have the walk end before it comes to the others. What is beyond is
 * told.
 */
#define VISIT_MAX      2000000
#define USER_VISIT_MAX 100000
#define DEPTH_MAX      64
#define LATE_MAX       64
#define LINKS_MAX      8

struct watcher {
	const struct watcher_ops *ops;
	void *userdata;
	const struct watchset *set;
	struct tree tree;
	uint32_t generation; /* of the walk in progress or last done */
	uint64_t visited, visit_end; /* names looked at; where the walk ends */
	uint32_t walk; /* number of the one in progress or last done */
	bool bounded; /* since the last watcher_apply(): not everything is marked */
	struct watcher_problem problems[WATCHER_PROBLEMS_MAX];
	size_t nr_problems;
	char *late[LATE_MAX]; /* paths that were told and are not there yet */
	size_t nr_late;
	bool all_late; /* more than that: everything is looked through */
	uint32_t dump_watch; /* entry of dumps that are known by what they are */
	uint32_t nr_dumps;
	uint64_t all_problems;
};

static void walk(struct watcher *w, struct node *dir, int fd, unsigned depth, unsigned links);

int watcher_new(const struct watcher_ops *ops, void *userdata, struct watcher **out_watcher)
{
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->ops = ops;
	w->userdata = userdata;
	*out_watcher = w;
	return 0;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	while (w->nr_late)
		free(w->late[--w->nr_late]);
	tree_fini(&w->tree);
	free(w);
}

static void tell(struct watcher *w, const struct node *node, bool fresh)
{
	char path[PATH_MAX];
	struct watched watched = {
		.object = node->object,
		.inode = node->inode,
		.path = path,
		.watch = node->watch,
		.fresh = fresh,
	};

	if (node->is_dir || tree_path(node, path, sizeof(path)) < 0)
		return;
	w->ops->object(w->userdata, &watched);
}

static void problem(struct watcher *w, const struct node *dir, const char *name, int error)
{
	struct watcher_problem *p;
	char path[PATH_MAX];
	size_t len;

	/* Gone between the look and the mark: that is what the kernel side is for. */
	if (error == -ENOENT)
		return;
	w->all_problems++;
	if (w->nr_problems == WATCHER_PROBLEMS_MAX)
		memmove(&w->problems[0], &w->problems[1], --w->nr_problems * sizeof(*p));
	p = &w->problems[w->nr_problems++];
	if (tree_path(dir, path, sizeof(path)) < 0)
		path[0] = '\0';
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/%s", name);
	escape_bytes(path, strlen(path), p->path, sizeof(p->path), NULL);
	p->error = error;
}

static void drop(void *userdata, struct node *node)
{
	struct watcher *w = userdata;

	if (node->born)
		w->nr_dumps--;
	node->watch = 0;
	tell(w, node, false);
}

/* How a name was come by: decides whether it may take the place of one that is known. */
enum found { BY_WALK, BY_LINK, BY_RENAME, BY_HARD_LINK };

/*
 * Whether an object that is known keeps its name and entry against this one. Of several entries the
 * one written first counts, so that a second name never brings a file under a rule that its reader
 * likes better; and no symbolic link takes over what is known otherwise.
 */
static bool keeps(const struct watcher *w, const struct node *node, enum found found,
		  uint32_t watch)
{
	if (node->born)
		return found == BY_LINK;
	if (node->is_dir)
		return found == BY_LINK && !node->by_link;
	switch (found) {
	case BY_LINK:
		return true;
	case BY_WALK: /* in an earlier walk: names of then may be gone */
		return !node->by_link && node->generation == w->generation && node->watch <= watch;
	case BY_RENAME:
	case BY_HARD_LINK:
		return !node->by_link && node->watch <= watch;
	}
	return true;
}

/* The object that was just marked gets its place in the tree. NULL: no memory. */
static struct node *place(struct watcher *w, struct node *dir, const char *name,
			  const struct mark *mark, const struct inode_id *inode, enum found found)
{
	struct node *node = tree_find(&w->tree, mark->object);
	bool fresh = !node, renamed;

	if (!node) {
		node = tree_add(&w->tree, mark->object, dir, name);
		if (!node) {
			problem(w, dir, name, -ENOMEM);
			return NULL;
		}
		node->watch = mark->watch;
		node->by_link = found == BY_LINK;
	} else {
		bool kept = keeps(w, node, found, mark->watch);

		/* A renamed file has lost its old name, whatever rule it stays under. */
		renamed = (!kept || found == BY_RENAME) &&
			  (node->parent != dir || strcmp(node->name, name));
		if (renamed && tree_move(&w->tree, node, dir, name) < 0)
			problem(w, dir, name, -ENOMEM);
		fresh = renamed || (!kept && node->watch != mark->watch);
		if (!kept) {
			if (node->born)
				w->nr_dumps--;
			node->born = false;
			node->watch = mark->watch;
			node->by_link = found == BY_LINK;
		}
	}
	node->is_dir = mark->flags & MARK_DIR;
	node->inode = *inode;
	node->state = mark->state;
	node->generation = w->generation;
	if (fresh)
		tell(w, node, true);
	return node;
}

static void mark_file(struct watcher *w, struct node *dir, int fd, const char *at, const char *name,
		      uint32_t watch, uint32_t mode, enum found found)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = watch,
		.flags = (S_ISSOCK(mode) ? MARK_SOCKET : MARK_FILE) |
			 (found == BY_LINK ? MARK_FOLLOW : 0),
	};
	struct inode_id inode;
	int r = w->ops->mark(w->userdata, fd, at, &mark, &inode);

	if (r < 0) {
		problem(w, dir, name, r);
		return;
	}
	mark.watch = watch;
	place(w, dir, name, &mark, &inode, found);
}

/* fd: the directory itself, open. NULL: not to be walked (again), or not marked. */
static struct node *mark_dir(struct watcher *w, struct node *parent, const char *name, int fd,
			     uint32_t state, enum found found)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.state = state,
		.flags = MARK_DIR | (found == BY_LINK ? MARK_KEEP : 0),
	};
	struct inode_id inode;
	struct node *node;
	int r = w->ops->mark(w->userdata, fd, ".", &mark, &inode);

	node = r < 0 ? NULL : tree_find(&w->tree, mark.object);
	if (node && node->visited == w->walk && (found == BY_LINK || !node->by_link))
		return NULL; /* been here in this walk, by another name */
	if (node && found == BY_LINK && !node->by_link)
		return NULL; /* known by a better name */
	if (!r && mark.state != state) { /* known by this link from before, with another policy */
		mark.state = state;
		mark.flags = MARK_DIR;
		r = w->ops->mark(w->userdata, fd, ".", &mark, &inode);
	}
	if (r < 0) {
		problem(w, parent, name, r);
		return NULL;
	}
	return place(w, parent, name, &mark, &inode, found);
}

/* Deeper than any pattern is meant to lead: told, and nothing else is given up for it. */
static bool too_deep(struct watcher *w, struct node *node, unsigned depth)
{
	if (depth < DEPTH_MAX)
		return false;
	w->bounded = true;
	problem(w, node, "", -ELOOP);
	return true;
}

static bool is_roots(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == 0;
}

static void visit_dir(struct watcher *w, struct node *parent, int parent_fd, const char *name,
		      uint32_t state, unsigned depth, unsigned links)
{
	_cleanup_close_ int fd =
		openat(parent_fd, name,
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	const uint64_t visited = w->visited, visit_end = w->visit_end;
	struct node *node;

	if (fd < 0) {
		problem(w, parent, name, -errno);
		return;
	}
	node = mark_dir(w, parent, name, fd, state, BY_WALK);
	if (!node || too_deep(w, node, depth))
		return;
	if (is_roots(fd) || !is_roots(parent_fd)) {
		walk(w, node, fd, depth + 1, links);
		return;
	}
	w->visit_end = visited + USER_VISIT_MAX;
	walk(w, node, fd, depth + 1, links);
	w->visit_end = visit_end + (w->visited - visited);
}

/*
 * A symbolic link where a pattern leads: what it points to is watched, under the link's name. A
 * user's link is followed only to what is that user's own, or anybody could have any file of the
 * host watched as whatever he likes. What was looked at is marked by its descriptor: the path may
 * change meanwhile.
 */
static void visit_link(struct watcher *w, struct node *dir, int fd, const char *name, uid_t owner,
		       struct watch_target target, unsigned depth, unsigned links)
{
	_cleanup_close_ int to = -1;
	char self[64];
	struct stat st;

	if (links >= LINKS_MAX)
		return;
	to = openat(fd, name, O_PATH | O_CLOEXEC);
	if (to < 0 || fstat(to, &st) < 0)
		return; /* dangling: its target has a name of its own if it is ever to be watched */
	if (owner != 0 && owner != st.st_uid)
		return;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", to);
	if (S_ISDIR(st.st_mode) && target.state) {
		_cleanup_close_ int sub = open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		struct node *node =
			sub >= 0 ? mark_dir(w, dir, name, sub, target.state, BY_LINK) : NULL;

		if (node && !too_deep(w, node, depth))
			walk(w, node, sub, depth + 1, links + 1);
	} else if (watchset_wants(w->set, target.watch, st.st_mode)) {
		mark_file(w, dir, AT_FDCWD, self, name, target.watch, st.st_mode, BY_LINK);
	}
}

static void visit(struct watcher *w, struct node *dir, int fd, const char *name,
		  struct watch_target target, unsigned depth, unsigned links)
{
	struct stat st;

	if (w->visited++ >= w->visit_end) {
		w->bounded = true;
		return;
	}
	if (!target.state && !target.watch)
		return;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISLNK(st.st_mode))
		visit_link(w, dir, fd, name, st.st_uid, target, depth, links);
	else if (S_ISDIR(st.st_mode) && target.state)
		visit_dir(w, dir, fd, name, target.state, depth, links);
	else if (watchset_wants(w->set, target.watch, st.st_mode))
		mark_file(w, dir, fd, name, name, target.watch, st.st_mode, BY_WALK);
}

/* The directory is marked by now, so what appears while it is read is marked by the kernel side. */
static void walk(struct watcher *w, struct node *dir, int fd, unsigned depth, unsigned links)
{
	struct watch_target target;
	const char *name;

	dir->visited = w->walk;
	if (!watchset_has_globs(w->set, dir->state)) {
		for (size_t i = 0; watchset_literal(w->set, dir->state, i, &name, &target); i++)
			visit(w, dir, fd, name, target, depth, links);
		return;
	}

	/* A descriptor of its own: fdopendir() owns what it is given and moves its position. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = own >= 0 ? fdopendir(own) : NULL;

	if (!d) {
		problem(w, dir, "", -errno);
		fd_close(own);
		return;
	}
	for (struct dirent *e; (e = readdir(d)) && w->visited < w->visit_end;) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		target = watchset_step(w->set, dir->state, span_of(e->d_name));
		visit(w, dir, fd, e->d_name, target, depth, links);
	}
}

/* What is watched for what it is is found by no walk. */
static bool not_of_this_walk(void *userdata, const struct node *node)
{
	const struct watcher *w = userdata;

	return node->born ? !w->dump_watch : node->generation != w->generation;
}

static void unmark_and_drop(void *userdata, struct node *node)
{
	struct watcher *w = userdata;

	w->ops->unmark(w->userdata, &node->inode);
	drop(w, node);
}

static bool is_lost(void *userdata, const struct node *node)
{
	struct watcher *w = userdata;
	struct mark mark = {
		.object = node->object,
		.watch = node->watch,
		.flags = MARK_FILE | MARK_KEEP,
	};
	struct inode_id inode;
	char path[PATH_MAX];

	/* What is watched for what it is is found by no walk: it is marked anew where it was. */
	if (!node->born || tree_path(node, path, sizeof(path)) < 0 ||
	    w->ops->mark(w->userdata, AT_FDCWD, path, &mark, &inode) < 0)
		return true;
	if (inode_id_same(&inode, &node->inode) && mark.object == node->object)
		return false;
	if (mark.object == node->object)
		w->ops->unmark(w->userdata, &inode); /* another file by now */
	return true;
}

void watcher_forget(struct watcher *w)
{
	tree_remove_if(&w->tree, is_lost, unmark_and_drop, w);
}

/* The entries of another policy have other numbers. */
static void retell_dumps(struct watcher *w)
{
	for (struct node *node = w->tree.nodes; node; node = node->hh.next) {
		if (!node->born || node->watch == w->dump_watch)
			continue;
		node->watch = w->dump_watch;
		tell(w, node, false);
	}
}

static void begin_walk(struct watcher *w)
{
	w->visit_end = w->visited + VISIT_MAX;
	w->walk++;
}

int watcher_apply(struct watcher *w, const struct watchset *set)
{
	_cleanup_close_ int fd = -1;

	w->set = set;
	w->generation++;
	w->bounded = false;
	begin_walk(w);

	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (watchset_nr_states(set)) {
		struct node *node = mark_dir(w, NULL, "", fd, watchset_root(set), BY_WALK);

		if (node)
			walk(w, node, fd, 0, 0);
	}
	/* What the walk did not come by: not wanted any more, or, if it was cut short, not reached.
	 */
	if (!w->bounded)
		tree_remove_if(&w->tree, not_of_this_walk, unmark_and_drop, w);
	retell_dumps(w);
	return 0;
}

/* Cuts the first name off *path. Returns its length, 0 at the end, -ENAMETOOLONG. */
static int next_name(const char **path, char name[static NAME_MAX + 1])
{
	size_t len;

	*path += strspn(*path, "/");
	len = strcspn(*path, "/");
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len;
	return (int)len;
}

int watcher_rescan(struct watcher *w, const char *path)
{
	struct node *node = tree_root(&w->tree);
	_cleanup_close_ int fd = -1;

	if (!node || !w->set)
		return 0;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->generation++;
	begin_walk(w);
	while (fd >= 0) {
		char name[NAME_MAX + 1];
		int next, r = next_name(&path, name);
		struct watch_target target;
		struct node *child;

		if (r < 0)
			return r;
		if (!r) { /* arrived: a mounted root is another inode than the directory below it */
			struct node *again =
				mark_dir(w, node->parent, node->name, fd, node->state, BY_WALK);

			if (again)
				walk(w, again, fd, 0, 0);
			return 0;
		}
		target = watchset_step(w->set, node->state, (struct span){name, r});
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
		if (next < 0 || !target.state) {
			/* A file can be mounted over a watched one. */
			fd_close(next);
			if (!path[strspn(path, "/")])
				visit(w, node, fd, name, target, 0, 0);
			return 0;
		}
		fd_close(fd);
		fd = next;
		child = tree_child(&w->tree, node, name);
		if (!child)
			child = mark_dir(w, node, name, fd, target.state, BY_WALK);
		if (!child)
			return 0;
		child->state = target.state;
		node = child;
	}
	return 0;
}

/* The last name of a path; the whole if there is no slash. */
static struct span last_name(struct span path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct span){slash + 1, path.len - (slash + 1 - path.p)};
}

static void end_object(struct watcher *w, struct node *node)
{
	drop(w, node);
	tree_remove(&w->tree, node);
}

struct ended_device {
	struct watcher *w;
	uint32_t dev;
};

static bool is_on_device(void *userdata, const struct node *node)
{
	return node->inode.dev == ((struct ended_device *)userdata)->dev;
}

static void drop_on_device(void *userdata, struct node *node)
{
	drop(((struct ended_device *)userdata)->w, node);
}

/* To be looked at again. */
static void defer(struct watcher *w, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return;
	if (w->nr_late < LATE_MAX)
		w->late[w->nr_late] = strdup(path);
	if (w->nr_late < LATE_MAX && w->late[w->nr_late])
		w->nr_late++;
	else
		w->all_late = true;
}

/* The name was told before it can be looked up. */
static void defer_if_absent(struct watcher *w, const char *dir, int fd, const char *name)
{
	struct stat st;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		defer(w, dir, name);
}

void watcher_catch_up(struct watcher *w)
{
	const bool all = w->all_late;

	w->all_late = false;
	while (w->nr_late) {
		char *path = w->late[--w->nr_late];

		if (!all)
			watcher_rescan(w, path);
		free(path);
	}
	if (all)
		watcher_rescan(w, "/");
}

/*
 * Opens for reading what is open as `at` (O_PATH), if it is the object. A rename is told before it
 * is done, so the object's name may for a moment still be that of the file which it replaces.
 */
static int open_if_same(struct watcher *w, const struct node *node, int at)
{
	struct inode_id inodes[MARKING_INODES];
	_cleanup_close_ int fd = -1;
	char self[64];
	size_t nr = 0;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	fd = w->ops->open(w->userdata, self, inodes, ARRAY_SIZE(inodes), &nr);
	if (fd < 0)
		return fd;
	for (size_t i = 0; i < nr; i++)
		if (inode_id_same(&inodes[i], &node->inode))
			return take_fd(fd);
	return -ESTALE;
}

/* A watched name came to mean an inode, and the kernel side has marked it: catch up. */
static void appeared(struct watcher *w, const struct event_mark *m)
{
	struct node *dir = tree_find(&w->tree, m->parent_object), *node;
	struct span span = last_name(m->path);
	char name[NAME_MAX + 1], path[PATH_MAX];
	struct watch_target target;
	_cleanup_close_ int fd = -1;
	struct mark mark;

	if (!dir || !span.len || span.len > NAME_MAX)
		return;
	memcpy(name, span.p, span.len);
	name[span.len] = '\0';
	target = watchset_step(w->set, dir->state, span);
	if (tree_path(dir, path, sizeof(path)) >= 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	begin_walk(w);

	if (fd >= 0 && (m->op == MARK_REFUSED || m->op == MARK_SYMLINK || S_ISDIR(m->mode)))
		defer_if_absent(w, path, fd, name);
	if (m->op == MARK_REFUSED) {
		if (fd >= 0)
			visit(w, dir, fd, name, target, 0, 0);
		return;
	}
	if (m->op == MARK_SYMLINK) {
		if (fd >= 0 && (target.state || target.watch))
			visit_link(w, dir, fd, name, m->uid, target, 0, 0);
		return;
	}
	node = tree_find(&w->tree, m->object);
	if (S_ISDIR(m->mode) ? !target.state : !watchset_wants(w->set, target.watch, m->mode)) {
		/*
		 * The kernel's form of a glob matches more than the policy means. A stranger's mark
		 * goes; an object keeps its mark by whatever name it goes on.
		 */
		if (!node || node->is_dir)
			w->ops->unmark(w->userdata, &m->inode);
		if (node && node->is_dir)
			end_object(w, node);
		return;
	}
	/* Told from what the event says, since it may be gone again by now. */
	mark = (struct mark){
		.object = m->object,
		.state = S_ISDIR(m->mode) ? target.state : 0,
		.watch = S_ISDIR(m->mode) ? 0 : target.watch,
		.flags = S_ISDIR(m->mode)    ? MARK_DIR
			 : S_ISSOCK(m->mode) ? MARK_SOCKET
					     : MARK_FILE,
	};
	node = place(w, dir, name, &mark, &m->inode,
		     m->op == MARK_LINKED ? BY_HARD_LINK : BY_RENAME);
	if (!node || !node->is_dir || fd < 0)
		return;
	if (mark.state != m->state) { /* marked by an older set's states */
		visit(w, dir, fd, name, target, 0, 0);
	} else {
		_cleanup_close_ int at =
			openat(fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		_cleanup_close_ int sub = at < 0 ? -1 : open_if_same(w, node, at);

		if (sub >= 0)
			walk(w, node, sub, 0, 0);
		else if (at >= 0)
			defer(w, path, name);
	}
}

void watcher_set_dump_watch(struct watcher *w, uint32_t watch)
{
	w->dump_watch = watch;
}

static int add_dump(struct watcher *w, uint64_t object, const struct inode_id *inode,
		    const char *path)
{
	struct node *node;

	if (w->nr_dumps >= WATCHER_DUMPS_MAX)
		return -ENOSPC;
	node = tree_add_apart(&w->tree, object, path);
	if (!node)
		return -ENOMEM;
	w->nr_dumps++;
	node->inode = *inode;
	node->watch = w->dump_watch;
	node->born = true;
	tell(w, node, true);
	return 0;
}

static void dump_problem(struct watcher *w, const char *path, int error)
{
	const struct node apart = {.name = (char *)""};

	problem(w, &apart, path + strspn(path, "/"), error);
}

/* The kernel side has marked a file into which a dump is being written. */
static void born(struct watcher *w, const struct event_mark *m)
{
	char path[PATH_MAX];
	int r = -ENOENT;

	if (tree_find(&w->tree, m->object))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)m->path.len, m->path.len ? m->path.p : "");
	if (w->dump_watch)
		r = add_dump(w, m->object, &m->inode, path);
	if (r < 0) {
		w->ops->unmark(w->userdata, &m->inode);
		dump_problem(w, path, r);
	}
}

int watcher_add_dump(struct watcher *w, int fd, const char *path, uint64_t *out_object)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = w->dump_watch,
		.flags = MARK_FILE | MARK_FOLLOW | MARK_KEEP,
	};
	struct inode_id inode;
	char self[64];
	int r;

	if (!w->dump_watch)
		return -ENOENT;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = w->ops->mark(w->userdata, AT_FDCWD, self, &mark, &inode);
	if (!r && !tree_find(&w->tree, mark.object)) {
		r = add_dump(w, mark.object, &inode, path);
		if (r < 0)
			w->ops->unmark(w->userdata, &inode);
	}
	if (r < 0) {
		dump_problem(w, path, r);
		return r;
	}
	*out_object = mark.object;
	return 0;
}

void watcher_drop_dump(struct watcher *w, uint64_t object)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || !node->born)
		return;
	w->ops->unmark(w->userdata, &node->inode);
	end_object(w, node);
}

void watcher_mark_event(struct watcher *w, const struct event *event)
{
	const struct event_mark *m = &event->mark;
	struct node *node;

	if (!w->set)
		return;
	switch (m->op) {
	case MARK_ADDED:
	case MARK_MOVED:
	case MARK_LINKED:
	case MARK_SYMLINK:
	case MARK_REFUSED:
	case MARK_MOVED_TREE:
		appeared(w, m);
		break;
	case MARK_BORN:
		born(w, m);
		break;
	case MARK_DROPPED:
		node = tree_find(&w->tree, m->object);
		if (node)
			end_object(w, node);
		break;
	case MARK_SUPER_GONE:
		w->ops->unmark_device(w->userdata, m->inode.dev);
		tree_remove_if(&w->tree, is_on_device, drop_on_device,
			       &(struct ended_device){w, m->inode.dev});
		break;
	case MARK_MOVED_OUT: /* the mark follows the object; the name by which it was known stays */
	case MARK_OP_NR:
		break;
	}
}

/*
 * Opens for reading what is a regular file at this moment, and nothing else (a device may act on
 * it). With `node`: if it is that object.
 */
static int open_regular(struct watcher *w, const char *path, int follow, const struct node *node)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC | follow);
	char self[64];
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (node)
		return open_if_same(w, node, fd);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return r < 0 ? -errno : r;
}

int watcher_open(struct watcher *w, uint64_t object, const char *suffix, int *out_sibling)
{
	const struct node *node = tree_find(&w->tree, object);
	char path[PATH_MAX];
	int fd, r;

	if (!node)
		return -ENOENT;
	r = tree_path(node, path, sizeof(path));
	if (r < 0)
		return r;
	fd = open_regular(w, path, node->by_link ? 0 : O_NOFOLLOW, node);
	if (fd < 0)
		return fd;
	if (suffix && out_sibling) {
		size_t len = strlen(path), more = strlen(suffix) + 1;

		*out_sibling = -1;
		if (len + more <= sizeof(path)) {
			memcpy(path + len, suffix, more);
			r = open_regular(w, path, O_NOFOLLOW, NULL);
			*out_sibling = r < 0 ? -1 : r;
		}
	}
	return fd;
}

int watcher_path(const struct watcher *w, uint64_t object, char *out, size_t size)
{
	const struct node *node = tree_find(&w->tree, object);

	return node ? tree_path(node, out, size) : -ENOENT;
}

int watcher_lookup(const struct watcher *w, uint64_t object, struct watched *out_watched,
		   char *path, size_t size)
{
	const struct node *node = tree_find(&w->tree, object);
	int r = node && !node->is_dir ? tree_path(node, path, size) : -ENOENT;

	if (r < 0)
		return r;
	*out_watched = (struct watched){.object = node->object,
					.inode = node->inode,
					.path = path,
					.watch = node->watch};
	return 0;
}

struct each_call {
	void (*call)(void *userdata, const struct watched *watched);
	void *userdata;
};

static void call_each(void *userdata, const struct node *node)
{
	struct each_call *each = userdata;
	char path[PATH_MAX];
	struct watched watched = {.object = node->object,
				  .inode = node->inode,
				  .path = path,
				  .watch = node->watch};

	if (!node->is_dir && tree_path(node, path, sizeof(path)) >= 0)
		each->call(each->userdata, &watched);
}

void watcher_each(struct watcher *w, void (*call)(void *userdata, const struct watched *watched),
		  void *userdata)
{
	struct each_call each = {call, userdata};

	tree_each(&w->tree, call_each, &each);
}

static void count_node(void *userdata, const struct node *node)
{
	struct watcher_stats *s = userdata;

	if (node->is_dir)
		s->directories++;
	else
		s->files++;
	s->dumps += node->born;
}

void watcher_stats(const struct watcher *w, struct watcher_stats *out_stats)
{
	struct watcher_stats s = {.visited = w->visited,
				  .problems = w->all_problems,
				  .bounded = w->bounded};

	tree_each(&w->tree, count_node, &s);
	*out_stats = s;
}

size_t watcher_problems(const struct watcher *w, const struct watcher_problem **out_first)
{
	*out_first = w->problems;
	return w->nr_problems;
}
