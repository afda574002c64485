/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the watcher share; nobody else includes this. */
#pragma once

#include <uthash.h>

#include "watch/reach.h"
#include "watch/tree.h"
#include "watch/watcher.h"

#define LATE_MAX 64

/* What was told, and was not there when it was looked up. */
struct late {
	char *path;
	uint64_t ino; /* that is to stand there, 0 = any */
	uint64_t object; /* that it was told as and has no mark of: ends with the look; 0 = none */
	unsigned tries;
};

/* What is counted apart: he who copies much keeps no key from being watched. */
enum found_what { FOUND_KEYS = 0, FOUND_COPIES, FOUND_NR };

/* Who has keys that were found, or copies of keys. */
struct found_owner {
	uint32_t uid;
	uint32_t nr[FOUND_NR];
	UT_hash_handle hh;
};

struct watcher {
	const struct watcher_ops *ops;
	void *userdata;
	const struct watchset *set;
	struct reach reach;
	struct tree tree;
	uint32_t generation; /* of the walk in progress or last done */
	uint64_t visited, visit_end; /* names looked at; where the walk ends */
	uint32_t walk; /* number of the one in progress or last done */
	bool applying; /* watcher_apply() walks */
	bool bounded; /* since the last watcher_apply(): it may have looked for nothing more */
	bool deep; /* since then: a directory was left unread for its depth */
	bool unsure; /* something could not be looked at since the last watcher_apply() began */
	bool disturbed; /* so, or names were moved, during the last watcher_apply() */
	uint32_t nr_missed; /* not found by it, and kept */
	struct watcher_problem problems[WATCHER_PROBLEMS_MAX];
	size_t nr_problems;
	struct late late[LATE_MAX];
	size_t nr_late;
	bool all_late; /* more than that: everything is looked through */
	bool strays; /* there may be nodes that are */
	uint32_t dump_watch; /* entry of dumps that are known by what they are */
	uint32_t nr_dumps;
	uint32_t found_watch, copy_watch; /* the same of keys that were found, and of copies */
	uint32_t nr_found[FOUND_NR];
	struct found_owner *found_owners; /* hash by uid */
	uint64_t all_problems;
	uint32_t apart; /* number of the last walk by a child */
	/* In a child that walks: */
	void (*find)(void *userdata, const struct watcher_find *find);
	void *find_userdata;
	uint32_t crossed; /* `apart` once the file system was entered that may not answer */
};

/* --- picture.c: what is known ------------------------------------------------------------------
 */

/* How a name was come by: decides whether it may take the place of one that is known. */
enum found { BY_WALK, BY_LINK, BY_RENAME, BY_HARD_LINK };

/* The object that was just marked gets its place in the tree. NULL: no memory. */
struct node *picture_place(struct watcher *w, struct node *dir, const char *name,
			   const struct mark *mark, const struct inode_id *inode, enum found found);
void picture_tell(struct watcher *w, const struct node *node, bool fresh);
void picture_problem(struct watcher *w, const struct node *dir, const char *name, int error);
/* The same of what is left out on purpose: the walk has seen what else there is. */
void picture_left_out(struct watcher *w, const struct node *dir, const char *name, int error);

/* Told as an object no longer; for tree_remove_if(): userdata is the watcher. */
void picture_drop(void *userdata, struct node *node);
void picture_unmark_and_drop(void *userdata, struct node *node);
void picture_end(struct watcher *w, struct node *node); /* and removed */

/* The path of what is called `name` in a directory. -ENAMETOOLONG. */
int picture_path(const struct node *dir, const char *name, char *out, size_t size);

/* What is called so lies on a file system that may not answer. */
void picture_apart(struct watcher *w, const struct node *dir, const char *name);

/* --- apart.c: what a child has found or is to find -----------------------------------------------
 */

/* In the child. mark and inode NULL: an error. */
void apart_find(struct watcher *w, const struct node *dir, const char *name,
		const struct mark *mark, const struct inode_id *inode, enum found found, int error);

/* Another set is in force, and has been walked: what it makes of what lies apart. */
void apart_settle(struct watcher *w);
bool apart_is_wanted(const struct node *node);

/* --- object.c: what stands where an object is known to stand
 * --------------------------------------
 */
#define PLACE_INODES_MAX 4 /* that one open goes through */

/* Opens for reading what is a regular file (dir: a directory) at this moment, and nothing else: a
 * device may act on it. out_inodes: room for PLACE_INODES_MAX. A descriptor, or negative errno. */
int place_open(const struct watcher *w, int at, bool dir, struct inode_id *out_inodes,
	       size_t *out_nr);
/* What stands where the object is known to stand, or beside it, by its name and `suffix`: O_PATH,
 * or negative errno. */
int node_reach(struct watcher *w, const struct node *node, const char *suffix);

/* The object itself, open for reading. -ESTALE: something else stands there. */
int node_open(struct watcher *w, const struct node *node);
/* Whether it is what `at` (O_PATH) is of, wherever that is. */
bool node_stands_at(const struct watcher *w, const struct node *node, int at);

/* --- walk.c: what is there ---------------------------------------------------------------------
 */

/* Before each of the others: one walk ends at its bound, and reads no directory twice. */
void walk_begin(struct watcher *w);

/* All that has a watched name in the directory; one name of it. fd: the directory, open. */
void walk_dir(struct watcher *w, struct node *dir, int fd, unsigned depth, unsigned links);
void walk_visit(struct watcher *w, struct node *dir, int fd, const char *name,
		struct watch_target target, unsigned depth, unsigned links);

/* fd: the directory itself, open. NULL: not to be walked (again), or not marked. */
struct node *walk_mark_dir(struct watcher *w, struct node *parent, const char *name, int fd,
			   uint32_t state, enum found found);

/* --- watcher.c -----------------------------------------------------------------------------------
 */

/* Where the set in force leads by this absolute path; looks at no file. */
struct watch_target watcher_target(const struct watcher *w, const char *path);

/* --- strays.c: what was told as marked, and is not -----------------------------------------------
 */

/* Of what was not marked by this thread, when it has its place. Not of dumps: they are marked once
 * more when they are closed. */
void strays_note(struct watcher *w, uint64_t object);

/* --- unfound.c: what a walk has not found --------------------------------------------------------
 */

/* When all was walked: ends what is not there any more, counts in nr_missed what may be. */
void unfound_settle(struct watcher *w);

/* The entry under which something is watched for what it is. */
static inline uint32_t born_watch(const struct watcher *w, const struct node *node)
{
	switch (node->born) {
	case BORN_FOUND:
		return w->found_watch;
	case BORN_COPY:
		return w->copy_watch;
	default:
		return w->dump_watch;
	}
}

/* --- found.c: what was found --------------------------------------------------------------------
 */

/* One key, or copy, less of its owner. */
void found_uncharge(struct watcher *w, const struct node *node);
void found_fini(struct watcher *w);

/* --- born.c: what is watched for what it is ------------------------------------------------------
 */

/* The kernel side has marked a file into which a dump is being written. */
void born_event(struct watcher *w, const struct event_mark *m);
void born_moved(struct watcher *w, const struct event_mark *m);
