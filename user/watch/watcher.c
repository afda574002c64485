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
#include "watch/reach.h"
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
	struct reach reach;
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
	w->reach = (struct reach){ops->answers, userdata};
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

/* The path of what is called `name` in a directory. -ENAMETOOLONG. */
static int path_below(const struct node *dir, const char *name, char *out, size_t size)
{
	int len = tree_path(dir, out, size), more;

	if (len < 0)
		return len;
	if (len == 1) /* the root */
		len = 0;
	more = snprintf(out + len, size - (size_t)len, "/%s", name);
	return (size_t)(len + more) < size ? len + more : -ENAMETOOLONG;
}

/* What is called so lies on a file system that may not answer. */
static void apart(struct watcher *w, const struct node *dir, const char *name)
{
	char path[PATH_MAX];

	if (path_below(dir, name, path, sizeof(path)) >= 0)
		w->ops->apart(w->userdata, path);
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

/* fd: the file itself (O_PATH), as it was looked at: its name may mean another by now. */
static void mark_file(struct watcher *w, struct node *dir, int fd, const char *name, uint32_t watch,
		      uint32_t mode, enum found found)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = watch,
		.flags = (S_ISSOCK(mode) ? MARK_SOCKET : MARK_FILE) | MARK_FOLLOW,
	};
	char self[REACH_SELF_MAX];
	struct inode_id inode;
	int r = w->ops->mark(w->userdata, AT_FDCWD, reach_self(fd, self), &mark, &inode);

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

/* `at` is a directory (O_PATH) that is called `name`: open for reading, or negative errno. */
static int open_dir(int at)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void visit_dir(struct watcher *w, struct node *parent, int parent_fd, int at,
		      const char *name, uint32_t state, unsigned depth, unsigned links)
{
	_cleanup_close_ int fd = open_dir(at);
	const uint64_t visited = w->visited, visit_end = w->visit_end;
	struct node *node;

	if (fd < 0) {
		problem(w, parent, name, fd);
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
 * A symbolic link where a pattern leads: what it points to is watched, under the link's name, if
 * the link may lead there (watch/reach.h). A dangling one is let be: its target has a name of its
 * own if it is ever to be watched.
 */
static void visit_link(struct watcher *w, struct node *dir, int fd, int link, const char *name,
		       struct watch_target target, unsigned depth, unsigned links)
{
	_cleanup_close_ int to = -1;
	struct stat st;

	if (links >= LINKS_MAX)
		return;
	to = reach_target(&w->reach, fd, link);
	if (to == -EREMOTE)
		problem(w, dir, name, to);
	if (to < 0 || fstat(to, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode) && target.state) {
		_cleanup_close_ int sub = open_dir(to);
		struct node *node =
			sub >= 0 ? mark_dir(w, dir, name, sub, target.state, BY_LINK) : NULL;

		if (node && !too_deep(w, node, depth))
			walk(w, node, sub, depth + 1, links + 1);
	} else if (watchset_wants(w->set, target.watch, st.st_mode)) {
		mark_file(w, dir, to, name, target.watch, st.st_mode, BY_LINK);
	}
}

static void visit(struct watcher *w, struct node *dir, int fd, const char *name,
		  struct watch_target target, unsigned depth, unsigned links)
{
	_cleanup_close_ int at = -1;
	struct stat st;

	if (w->visited++ >= w->visit_end) {
		w->bounded = true;
		return;
	}
	if (!target.state && !target.watch)
		return;
	at = reach_name(&w->reach, fd, name);
	if (at == -EREMOTE)
		apart(w, dir, name);
	if (at < 0 || fstat(at, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode))
		visit_link(w, dir, fd, at, name, target, depth, links);
	else if (S_ISDIR(st.st_mode) && target.state)
		visit_dir(w, dir, fd, at, name, target.state, depth, links);
	else if (watchset_wants(w->set, target.watch, st.st_mode))
		mark_file(w, dir, at, name, target.watch, st.st_mode, BY_WALK);
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
		.flags = MARK_FILE | MARK_KEEP | MARK_FOLLOW,
	};
	char path[PATH_MAX], self[REACH_SELF_MAX];
	_cleanup_close_ int at = -1;
	struct inode_id inode;

	/* What is watched for what it is is found by no walk: it is marked anew where it was. */
	if (!node->born || tree_path(node, path, sizeof(path)) < 0)
		return true;
	at = reach_path(&w->reach, path, false);
	if (at < 0 || w->ops->mark(w->userdata, AT_FDCWD, reach_self(at, self), &mark, &inode) < 0)
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

int watcher_rescan(struct watcher *w, const char *path)
{
	struct node *node = tree_root(&w->tree);
	_cleanup_close_ int fd = -1;

	if (!node || !w->set)
		return 0;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	w->generation++;
	begin_walk(w);
	/* A mounted root is another inode than the directory below it. */
	node = mark_dir(w, NULL, "", fd, watchset_root(w->set), BY_WALK);
	while (node) {
		_cleanup_close_ int at = -1;
		char name[NAME_MAX + 1];
		struct watch_target target;
		int r = reach_next(&path, name);
		struct stat st;

		if (r < 0)
			return r;
		if (!r) {
			walk(w, node, fd, 0, 0);
			return 0;
		}
		target = watchset_step(w->set, node->state, (struct span){name, r});
		at = target.state ? reach_name(&w->reach, fd, name) : -ENOTDIR;
		if (at < 0 || fstat(at, &st) < 0 || !S_ISDIR(st.st_mode)) {
			/*
			 * A link is looked at as any walk looks at it, with all that it leads to. A
			 * file can be mounted over a watched one.
			 */
			if (!path[strspn(path, "/")] || (at >= 0 && S_ISLNK(st.st_mode)) ||
			    at == -EREMOTE)
				visit(w, node, fd, name, target, 0, 0);
			return 0;
		}
		fd_close(fd);
		fd = open_dir(at);
		/* Not the node that had this name: what stands here now may be another. */
		node = fd < 0 ? NULL : mark_dir(w, node, name, fd, target.state, BY_WALK);
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

/* The name was told before it can be looked up: to be looked at again. */
static void defer_if_absent(struct watcher *w, const struct node *dir, int fd, const char *name)
{
	_cleanup_close_ int at = reach_name(&w->reach, fd, name);
	char path[PATH_MAX];

	if (at != -ENOENT || path_below(dir, name, path, sizeof(path)) < 0)
		return;
	if (w->nr_late < LATE_MAX)
		w->late[w->nr_late] = strdup(path);
	if (w->nr_late < LATE_MAX && w->late[w->nr_late])
		w->nr_late++;
	else
		w->all_late = true;
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

#define INODES_MAX 4 /* that one open goes through */

/* Of directories the number is enough: who owns one can change its generation. */
static bool is_object(const struct node *node, const struct inode_id *inodes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (inode_id_same(&node->inode, &inodes[i]) &&
		    (node->is_dir || node->inode.gen == inodes[i].gen))
			return true;
	return false;
}

/* Opens for reading what is a regular file or a directory at this moment, and nothing else: a
 * device may act on it. */
static int open_place(struct watcher *w, int at, bool dir, struct inode_id *out_inodes,
		      size_t *out_nr)
{
	char self[REACH_SELF_MAX];
	struct stat st;

	if (fstat(at, &st) < 0)
		return -errno;
	if (dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return -EINVAL;
	return w->ops->open(w->userdata, reach_self(at, self), out_inodes, INODES_MAX, out_nr);
}

/* What stands where the object is known to stand, or beside it, by its name and `suffix`. */
static int reach_node(struct watcher *w, const struct node *node, const char *suffix)
{
	const size_t more = strlen(suffix) + 1;
	char path[PATH_MAX];
	bool links = false;
	int len = tree_path(node, path, sizeof(path));

	if (len < 0)
		return len;
	if ((size_t)len + more > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path + len, suffix, more);
	for (const struct node *up = node; up; up = up->parent)
		links |= up->by_link;
	return reach_path(&w->reach, path, links);
}

/* The object itself, open for reading. -ESTALE: something else stands there. */
static int open_node(struct watcher *w, const struct node *node)
{
	_cleanup_close_ int at = reach_node(w, node, ""), fd = -1;
	struct inode_id inodes[INODES_MAX];
	size_t nr;

	if (at < 0)
		return at;
	fd = open_place(w, at, node->is_dir, inodes, &nr);
	if (fd < 0)
		return fd;
	return is_object(node, inodes, nr) ? take_fd(fd) : -ESTALE;
}

/* A watched name came to mean an inode, and the kernel side has marked it: catch up. */
static void appeared(struct watcher *w, const struct event_mark *m)
{
	struct node *dir = tree_find(&w->tree, m->parent_object), *node;
	struct span span = last_name(m->path);
	_cleanup_close_ int fd = -1;
	struct watch_target target;
	char name[NAME_MAX + 1];
	struct mark mark;

	if (!dir || !span.len || span.len > NAME_MAX)
		return;
	memcpy(name, span.p, span.len);
	name[span.len] = '\0';
	target = watchset_step(w->set, dir->state, span);
	fd = open_node(w, dir);
	begin_walk(w);

	if (m->op == MARK_REFUSED || m->op == MARK_SYMLINK || S_ISDIR(m->mode)) {
		if (fd == -EREMOTE)
			apart(w, dir, name);
		else if (fd >= 0)
			defer_if_absent(w, dir, fd, name);
	}
	if (m->op == MARK_REFUSED || m->op == MARK_SYMLINK) {
		if (fd >= 0)
			visit(w, dir, fd, name, target, 0, 0);
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
		_cleanup_close_ int sub = open_node(w, node);

		if (sub >= 0)
			walk(w, node, sub, 0, 0);
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

int watcher_open(struct watcher *w, uint64_t object, const char *suffix, int *out_sibling)
{
	const struct node *node = tree_find(&w->tree, object);
	int fd = !node ? -ENOENT : node->is_dir ? -EISDIR : open_node(w, node);

	if (fd >= 0 && suffix && out_sibling) {
		_cleanup_close_ int at = reach_node(w, node, suffix);
		struct inode_id inodes[INODES_MAX];
		size_t nr;
		int sibling = at < 0 ? at : open_place(w, at, false, inodes, &nr);

		*out_sibling = sibling < 0 ? -1 : sibling;
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
