// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks the file system where patterns lead, and marks what has a watched name. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

/*
 * Names looked at in one walk, and below one directory of a user's in a directory of root's (a
 * home): so that no user can have the walk end before it comes to the others. What is beyond is
 * told.
 */
#define VISIT_MAX      2000000
#define USER_VISIT_MAX 100000
#define DEPTH_MAX      64
#define LINKS_MAX      8

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
		picture_problem(w, dir, name, r);
		return;
	}
	mark.watch = watch;
	picture_place(w, dir, name, &mark, &inode, found);
}

/* fd: the directory itself, open. NULL: not to be walked (again), or not marked. */
struct node *walk_mark_dir(struct watcher *w, struct node *parent, const char *name, int fd,
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
		picture_problem(w, parent, name, r);
		return NULL;
	}
	return picture_place(w, parent, name, &mark, &inode, found);
}

/*
 * Deeper than any pattern is meant to lead: told, and nothing else is given up for it. The
 * directory stays unread, so what is known below it is kept (unfound.c); whether the walk has
 * found the rest is as sure as before, or any user could have nothing be let go.
 */
static bool too_deep(struct watcher *w, struct node *node, unsigned depth)
{
	if (depth < DEPTH_MAX)
		return false;
	w->deep = true;
	picture_left_out(w, node, "", -ELOOP);
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
		picture_problem(w, parent, name, fd);
		return;
	}
	node = walk_mark_dir(w, parent, name, fd, state, BY_WALK);
	if (!node || too_deep(w, node, depth))
		return;
	if (is_roots(fd) || !is_roots(parent_fd)) {
		walk_dir(w, node, fd, depth + 1, links);
		return;
	}
	w->visit_end = visited + USER_VISIT_MAX;
	walk_dir(w, node, fd, depth + 1, links);
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
		picture_apart(w, dir, name);
	if (to < 0 || fstat(to, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode) && target.state) {
		_cleanup_close_ int sub = open_dir(to);
		struct node *node =
			sub >= 0 ? walk_mark_dir(w, dir, name, sub, target.state, BY_LINK) : NULL;

		if (node && !too_deep(w, node, depth))
			walk_dir(w, node, sub, depth + 1, links + 1);
	} else if (watchset_wants(w->set, target.watch, st.st_mode)) {
		mark_file(w, dir, to, name, target.watch, st.st_mode, BY_LINK);
	}
}

void walk_visit(struct watcher *w, struct node *dir, int fd, const char *name,
		struct watch_target target, unsigned depth, unsigned links)
{
	_cleanup_close_ int at = -1;
	struct stat st;

	if (w->visited++ >= w->visit_end) {
		w->bounded = true;
		return;
	}
	if (w->ops->alive && w->visited % WATCHER_ALIVE_NAMES == 0)
		w->ops->alive(w->userdata);
	if (!target.state && !target.watch)
		return;
	at = reach_name(&w->reach, fd, name);
	if (at == -EREMOTE) {
		picture_apart(w, dir, name);
		return;
	}
	/* What cannot be looked at is not gone: a walk that says all was seen ends what it left
	 * out. */
	if (at < 0 || fstat(at, &st) < 0) {
		picture_problem(w, dir, name, at < 0 ? at : -errno);
		return;
	}
	if (S_ISLNK(st.st_mode))
		visit_link(w, dir, fd, at, name, target, depth, links);
	else if (S_ISDIR(st.st_mode) && target.state)
		visit_dir(w, dir, fd, at, name, target.state, depth, links);
	else if (watchset_wants(w->set, target.watch, st.st_mode))
		mark_file(w, dir, at, name, target.watch, st.st_mode, BY_WALK);
}

void walk_begin(struct watcher *w)
{
	w->visit_end = w->visited + VISIT_MAX;
	w->walk++;
}

/* The directory is marked by now, so what appears while it is read is marked by the kernel side. */
void walk_dir(struct watcher *w, struct node *dir, int fd, unsigned depth, unsigned links)
{
	struct watch_target target;
	const char *name;

	dir->visited = w->walk;
	if (!watchset_has_globs(w->set, dir->state)) {
		for (size_t i = 0; watchset_literal(w->set, dir->state, i, &name, &target); i++)
			walk_visit(w, dir, fd, name, target, depth, links);
		return;
	}

	/* A descriptor of its own: fdopendir() owns what it is given and moves its position. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = own >= 0 ? fdopendir(own) : NULL;

	if (!d) {
		picture_problem(w, dir, "", -errno);
		fd_close(own);
		return;
	}
	struct dirent *e;

	while (errno = 0, (e = readdir(d)) && w->visited < w->visit_end) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		target = watchset_step(w->set, dir->state, span_of(e->d_name));
		walk_visit(w, dir, fd, e->d_name, target, depth, links);
	}
	if (e)
		w->bounded = true; /* left unread */
	else if (errno)
		picture_problem(w, dir, "", -errno);
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
	walk_begin(w);
	/* A mounted root is another inode than the directory below it. */
	node = walk_mark_dir(w, NULL, "", fd, watchset_root(w->set), BY_WALK);
	while (node) {
		_cleanup_close_ int at = -1;
		char name[NAME_MAX + 1];
		struct watch_target target;
		int r = reach_next(&path, name);
		struct stat st;

		if (r < 0)
			return r;
		if (!r) {
			walk_dir(w, node, fd, 0, 0);
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
				walk_visit(w, node, fd, name, target, 0, 0);
			else if (at < 0 && target.state)
				picture_problem(w, node, name, at);
			return 0;
		}
		fd_close(fd);
		fd = open_dir(at);
		if (fd < 0)
			picture_problem(w, node, name, fd);
		/* Not the node that had this name: what stands here now may be another. */
		node = fd < 0 ? NULL : walk_mark_dir(w, node, name, fd, target.state, BY_WALK);
	}
	return 0;
}
