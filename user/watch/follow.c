// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows what the kernel side tells of names and marks. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

/* Looks at a name that was told: a rename may wait for its hook, which marks the tree, that long.
 */
#define LATE_TRIES 50

/* The last name of a path; the whole if there is no slash. */
static struct span last_name(struct span path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct span){slash + 1, path.len - (slash + 1 - path.p)};
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
	picture_drop(((struct ended_device *)userdata)->w, node);
}

/* To be looked at again. ino, object: as struct late has them. */
static void defer(struct watcher *w, const struct node *dir, const char *name, uint64_t ino,
		  uint64_t object)
{
	struct late *late = &w->late[w->nr_late];
	char path[PATH_MAX];

	if (picture_path(dir, name, path, sizeof(path)) < 0)
		return;
	if (w->nr_late == LATE_MAX) {
		w->all_late = true;
		return;
	}
	*late = (struct late){.path = strdup(path), .ino = ino, .object = object};
	if (late->path)
		w->nr_late++;
	else
		w->all_late = true;
}

/* The name was told before it can be looked up. */
static void defer_if_absent(struct watcher *w, const struct node *dir, int fd, const char *name)
{
	_cleanup_close_ int at = reach_name(&w->reach, fd, name);

	if (at == -ENOENT)
		defer(w, dir, name, 0, 0);
}

/* What cannot be looked at so (a link on the way, a file system that may not answer) is left to the
 * rescan. */
static bool has_arrived(const struct watcher *w, const struct late *late)
{
	_cleanup_close_ int at = reach_path(&w->reach, late->path, false);
	struct stat st;

	if (at < 0)
		return at != -ENOENT;
	return fstat(at, &st) == 0 && (!late->ino || st.st_ino == late->ino);
}

/* What was told as this object has been marked as another, or is gone. */
static void end_unmarked(struct watcher *w, uint64_t object)
{
	struct node *node = object ? tree_find(&w->tree, object) : NULL;

	if (node && !w->ops->is_marked(w->userdata, &node->inode, object))
		picture_end(w, node);
}

void watcher_catch_up(struct watcher *w)
{
	const bool all = w->all_late;
	size_t kept = 0;

	w->all_late = false;
	for (size_t i = 0; i < w->nr_late; i++) {
		struct late late = w->late[i];

		if (!all && !has_arrived(w, &late) && ++late.tries < LATE_TRIES) {
			w->late[kept++] = late;
			continue;
		}
		if (!all)
			watcher_rescan(w, late.path);
		end_unmarked(w, late.object);
		free(late.path);
	}
	w->nr_late = kept;
	if (all)
		watcher_rescan(w, "/");
}

/* Known, by whatever object. Of directories the number is enough, as in object.c. */
static bool is_known(const struct watcher *w, const struct event_mark *m)
{
	const bool dir = S_ISDIR(m->mode);
	const struct node *node;

	TAILQ_FOREACH (node, &w->tree.all, all)
		if (node->is_dir == dir && inode_id_same(&node->inode, &m->inode) &&
		    (dir || node->inode.gen == m->inode.gen))
			return true;
	return false;
}

/*
 * A walk has let go of what was known as this object while this was on its way, since the name that
 * it had led nowhere: what has the name now is marked anew. That may not be what was told, since
 * the hook at a rename runs before it: then it is looked for again. True: there is no more to be
 * told. Not so of a file that was not found, for whoever has read it.
 */
static bool is_marked_anew(struct watcher *w, struct node *dir, int fd, const char *name,
			   struct watch_target target, const struct event_mark *m)
{
	if ((m->op != MARK_MOVED && m->op != MARK_LINKED) || fd < 0 ||
	    tree_find(&w->tree, m->object) || w->ops->is_marked(w->userdata, &m->inode, m->object))
		return false;
	walk_visit(w, dir, fd, name, target, 0, 0);
	if (is_known(w, m))
		return true;
	defer(w, dir, name, m->inode.ino, m->object);
	return S_ISDIR(m->mode);
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
	fd = node_open(w, dir);
	walk_begin(w);

	if (m->op == MARK_REFUSED || m->op == MARK_SYMLINK) {
		if (fd == -EREMOTE)
			picture_apart(w, dir, name);
		if (fd < 0)
			return;
		defer_if_absent(w, dir, fd, name);
		walk_visit(w, dir, fd, name, target, 0, 0);
		return;
	}
	node = tree_find(&w->tree, m->object);
	if (S_ISDIR(m->mode) ? !target.state : !watchset_wants(w->set, target.watch, m->mode)) {
		/*
		 * The kernel's form of a glob matches more than the policy means. A stranger's mark
		 * goes; an object keeps its mark by whatever name it goes on.
		 */
		if (!node || node->is_dir)
			w->ops->unmark(w->userdata, &m->inode, m->object);
		if (node && node->is_dir)
			picture_end(w, node);
		return;
	}
	if (is_marked_anew(w, dir, fd, name, target, m))
		return;
	/* Told from what the event says, since it may be gone again by now. */
	mark = (struct mark){
		.object = m->object,
		.state = S_ISDIR(m->mode) ? target.state : 0,
		.watch = S_ISDIR(m->mode) ? 0 : target.watch,
		.flags = S_ISDIR(m->mode)    ? MARK_DIR
			 : S_ISSOCK(m->mode) ? MARK_SOCKET
					     : MARK_FILE,
	};
	node = picture_place(w, dir, name, &mark, &m->inode,
			     m->op == MARK_LINKED ? BY_HARD_LINK : BY_RENAME);
	strays_note(w, m->object);
	if (!node || !node->is_dir)
		return;
	if (mark.state != m->state) { /* marked by an older set's states */
		if (fd == -EREMOTE)
			w->ops->remark(w->userdata, &m->inode, m->object, mark.state, 0);
		if (fd < 0)
			return;
		defer_if_absent(w, dir, fd, name);
		walk_visit(w, dir, fd, name, target, 0, 0);
	} else if (fd >= 0) {
		_cleanup_close_ int sub = node_open(w, node);

		if (sub >= 0)
			walk_dir(w, node, sub, 0, 0);
		else if (sub == -ENOENT || sub == -ESTALE || sub == -EAGAIN)
			defer(w, dir, name, node->inode.ino, 0);
	}
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
		born_event(w, m);
		break;
	case MARK_DROPPED:
		node = tree_find(&w->tree, m->object);
		if (node)
			picture_end(w, node);
		break;
	case MARK_SUPER_GONE:
		w->ops->unmark_device(w->userdata, m->inode.dev);
		tree_remove_if(&w->tree, is_on_device, drop_on_device,
			       &(struct ended_device){w, m->inode.dev});
		break;
	case MARK_MOVED_OUT: /* the mark follows the object; its owner's name for it stays */
		born_moved(w, m);
		break;
	case MARK_OP_NR:
		break;
	}
}
