/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects on this host the policy's names stand for: finds them, has them marked, and keeps
 * the picture true as names come, go and move.
 *
 * The picture is a tree of marked directories and files, by the names under which they are watched,
 * so a directory that is renamed takes its children along. The file system is walked only where a
 * pattern leads; what appears later is told by the kernel side (EVENT_MARK), which has marked it by
 * then.
 *
 * Knows the kernel side only by the operations that it is given, so that it runs in tests without
 * one. One thread. Time is not its business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/event.h"
#include "policy/watchset.h"
#include "watch.h"

struct watcher;

/* A watched object as others see it; valid during the call that hands it over. */
struct watched {
	uint64_t object;
	struct inode_id inode;
	const char *path; /* raw bytes, NUL terminated */
	uint32_t watch; /* of the set's policy; 0 = no longer watched */
	bool fresh; /* new, renamed or perhaps rewritten: what was known of its content is void */
};

#define WATCHER_ALIVE_NAMES 4096

struct watcher_ops {
	/* As sensor_mark(), sensor_unmark(), sensor_is_marked(), sensor_names_moved(),
	 * sensor_unmark_device(). */
	int (*mark)(void *userdata, int dirfd, const char *name, struct mark *mark,
		    struct inode_id *out_identity);
	int (*unmark)(void *userdata, const struct inode_id *identity, uint64_t object);
	bool (*is_marked)(void *userdata, const struct inode_id *identity, uint64_t object);
	uint64_t (*names_moved)(void *userdata);
	int (*unmark_device)(void *userdata, uint32_t dev);
	/* What a marked inode is marked as has another state or entry by now (sensor_remark()). */
	int (*remark)(void *userdata, const struct inode_id *identity, uint64_t object,
		      uint32_t state, uint32_t watch);
	/* A file became an object, changed its name, or (watch 0) is none any more. */
	void (*object)(void *userdata, const struct watched *watched);
	/* As sensor_open(). */
	int (*open)(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		    size_t *out_nr);
	/*
	 * As reach.answers (watch/reach.h); and what is called `path` leads to a watched place on a
	 * file system that does not: it was not looked at.
	 */
	bool (*answers)(void *userdata, int fd);
	void (*apart)(void *userdata, const char *path);
	/* Each WATCHER_ALIVE_NAMES names of a walk: it is long, and goes on. NULL: nobody asks. */
	void (*alive)(void *userdata);
};

/* What could not be marked, for status: the last ones, oldest first. */
struct watcher_problem {
	char path[256]; /* escaped, may be cut */
	int error; /* negative errno */
};

#define WATCHER_PROBLEMS_MAX 32

/* Dumps that are watched for what they are: anybody can write such files. */
#define WATCHER_DUMPS_MAX 8192
/* Keys that are watched for what they are: of all, and of one owner. Of copies as many more. */
#define WATCHER_FOUND_MAX	16384
#define WATCHER_FOUND_OWNER_MAX 1024

struct watcher_stats {
	uint32_t files, directories;
	uint32_t dumps; /* of the files: watched for what they are, not for their name */
	uint32_t found; /* the same of keys */
	uint32_t copies; /* the same of copies of keys */
	uint64_t visited; /* names looked at since start */
	uint64_t problems; /* in all */
	/* Of the last watcher_apply(): objects that it did not find, that are watched on and that
	 * another one is to look for; and whether names were moved meanwhile, something could not
	 * be looked at. Unless it is 0 and false, another one is wanted. */
	uint32_t missed;
	bool disturbed;
	bool bounded; /* the last walk ended at a bound, or left out what is too deep: not
			 everything is marked */
};

int watcher_new(const struct watcher_ops *ops, void *userdata, struct watcher **out_watcher);
void watcher_free(struct watcher *watcher);

/*
 * Makes `set` the one in force and walks the file system below "/", open as `root`. Objects
 * that the new set does not want are unmarked and told with watch 0. So is what the walk does not
 * find, once that is sure: while names are moved a file can be met under none of its own. It stays
 * marked as what its last name says until the walk before has not found it either, no name was
 * moved during this one and all could be looked at (watcher_stats.missed, .disturbed); and as long
 * as a mount lies over it, or a symbolic link stands that led to it. The states of the set must be
 * in the kernel before. `set` must live until the next call of this or watcher_free(). It does not
 * fail: what cannot be looked at or marked is counted, and of what is known already each is of the
 * new set's entries afterwards.
 */
void watcher_apply(struct watcher *watcher, const struct watchset *set, int root);

/*
 * The kernel side has lost marks, nobody knows which: forgets all objects, each told with watch 0.
 * watcher_apply() then finds and marks them anew, under new numbers.
 */
void watcher_forget(struct watcher *watcher);

/* Whether a pattern of the set leads to or through this absolute path. Looks at no file. */
bool watcher_leads(const struct watcher *watcher, const char *path);

/* Something was mounted at or changed below `path` (absolute): walks there again if a pattern
 * leads. */
int watcher_rescan(struct watcher *watcher, const char *path);

/*
 * What watcher_ops.apart() told is walked by a child made by fork, with its copy of the watcher.
 * The parent begins, forks, and is told by the child, by a way that is theirs, what that finds.
 * What stands there already stays watched all the while.
 */
struct watcher_find {
	uint64_t dir; /* object of the directory */
	struct mark mark;
	struct inode_id inode;
	uint32_t how, apart; /* for watcher_take() */
	int error; /* negative errno: could not be marked */
	char name[256];
};

/* In the parent, before the fork. */
void watcher_begin_apart(struct watcher *watcher);

/*
 * In the child, which may do nothing else with the watcher but watcher_open(). Of the operations
 * mark() and answers() are called. Returns whether all was seen.
 */
bool watcher_walk_apart(struct watcher *watcher, const char *path,
			void (*find)(void *userdata, const struct watcher_find *find),
			void *userdata);

/* In the parent: for each find. */
void watcher_take(struct watcher *watcher, const struct watcher_find *find);

/*
 * In the parent, when all was seen: what was not found is not there any more. begun:
 * watcher_apart_number() as it was after watcher_begin_apart().
 */
uint32_t watcher_apart_number(const struct watcher *watcher);
void watcher_seen_apart(struct watcher *watcher, const char *path, uint32_t begun);

/*
 * Looks again where a name that the kernel side told could not be looked up yet: it tells before
 * the name can be. To be called every tenth of a second or so; what is not there then is looked for
 * some seconds more. Costs nothing if there is nothing.
 */
void watcher_catch_up(struct watcher *watcher);

/*
 * Whether something that was told as marked is marked as another object, or not at all, and will
 * stay so (sensor_remark()): a walk of everything is wanted then. To be called each second; what is
 * found so is looked at twice.
 */
bool watcher_has_strays(struct watcher *watcher);

/* From the kernel side: EVENT_MARK only. */
void watcher_mark_event(struct watcher *watcher, const struct event *event);

/*
 * Dumps that are watched for what they are, wherever they lie, are watched under this entry of the
 * set; 0 = they are not. To be said before watcher_apply().
 */
void watcher_set_dump_watch(struct watcher *watcher, uint32_t watch);

/*
 * The file that is open as `fd` is a dump, known by its content: marks it, unless it is watched
 * already. path: for people, and to find it again. Returns its object number in *out_object; 0,
 * -ENOENT if dumps are not to be watched, -ENOSPC if WATCHER_DUMPS_MAX of them are, or what marking
 * said.
 */
int watcher_add_dump(struct watcher *watcher, int fd, const char *path, uint64_t *out_object);

/* What is watched for what it is has this path by now: a dump that was born without a name, a dump
 * or a copy that was renamed. Nothing happens to what is watched for its name. */
void watcher_name_born(struct watcher *watcher, uint64_t object, const char *path);

/* The kernel side took an object for a dump, and it is none: not watched any longer. */
void watcher_drop_dump(struct watcher *watcher, uint64_t object);

/* Keys that were found under names that no pattern knows: as watcher_set_dump_watch(). */
void watcher_set_found_watch(struct watcher *watcher, uint32_t watch);

/*
 * What has this path, open for reading, if it is the regular file of this device and number (as
 * stat() has them) and is not watched: -ESTALE, -EEXIST (if it was found, this is its name from now
 * on). No link is followed; -EREMOTE as below.
 */
int watcher_open_found(struct watcher *watcher, const char *path, uint64_t dev, uint64_t ino);

/* Whether another of this owner's could be watched: -EDQUOT: WATCHER_FOUND_OWNER_MAX of his are;
 * -ENOSPC: WATCHER_FOUND_MAX are. */
int watcher_found_room(const struct watcher *watcher, uint32_t owner);

/* There is a key in it: as watcher_add_dump(), and watcher_found_room() of whom it counts for. */
int watcher_add_found(struct watcher *watcher, int fd, const char *path, uint32_t owner);

/* There is no key in it any more. Nothing if the object is none that was found. */
void watcher_drop_found(struct watcher *watcher, uint64_t object);

/* Copies of keys, plain or packed: as watcher_set_dump_watch(). */
void watcher_set_copy_watch(struct watcher *watcher, uint32_t watch);

/*
 * Whether what is written into this inode may become such a copy: none is wanted without an entry,
 * and what is watched for its name, as a dump or as a key, stays what it is. *out_object: its
 * number if it is one already, 0 if not.
 */
bool watcher_copy_wanted(const struct watcher *watcher, const struct inode_id *inode,
			 uint64_t *out_object);

/* A scan has found the key in it: as watcher_add_dump(), and -ENOSPC or
 * -EDQUOT as watcher_found_room(), of copies alone. */
int watcher_add_copy(struct watcher *watcher, int fd, const char *path, uint32_t owner,
		     uint64_t *out_object);

/* There is no key in it any more. Nothing if the object is no copy. */
void watcher_drop_copy(struct watcher *watcher, uint64_t object);

/*
 * The file behind an object, open for reading and close-on-exec, or negative errno: -EINVAL if it
 * is no regular file now, -ELOOP if a symbolic link stands where none did, -ESTALE if its name is
 * another file's: not yet its own (the kernel side tells a rename before it is done), or no longer
 * (a file of another generation is another), -EREMOTE if its file system may not answer.
 * *out_sibling (may be NULL): the same name with `suffix` appended, -1 = none.
 */
int watcher_open(struct watcher *watcher, uint64_t object, const char *suffix, int *out_sibling);

/* An object as watcher_ops.object() would tell it; its path stands in `path`. -ENOENT,
 * -ENAMETOOLONG. */
int watcher_lookup(const struct watcher *watcher, uint64_t object, struct watched *out_watched,
		   char *path, size_t size);

/* Path of an object as watched into `out`, NUL terminated. -ENOENT, -ENAMETOOLONG. */
int watcher_path(const struct watcher *watcher, uint64_t object, char *out, size_t size);

/* Watch entry of a file, 0 = it is none that is watched. */
uint32_t watcher_watch(const struct watcher *watcher, uint64_t object);

/* Calls back for every file. */
void watcher_each(struct watcher *watcher,
		  void (*call)(void *userdata, const struct watched *watched), void *userdata);

void watcher_stats(const struct watcher *watcher, struct watcher_stats *out_stats);
size_t watcher_problems(const struct watcher *watcher, const struct watcher_problem **out_first);
