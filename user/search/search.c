// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks through trees of directories for files that begin as private keys do. */
#include "search/search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

#include "base/cleanup.h"
#include "base/fdinfo.h"
#include "search/head.h"
#include "search/pace.h"
#include "search/seen.h"
#include "watch.h"

#define BESIDES (O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define PLAINLY (RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

#define BATCH	   1024 /* names of a directory that are held at a time */
#define HEAP_BYTES 48 /* of the heap and the hash for one directory, or more */

struct dir {
	bool known; /* the times are those of when it was read */
	bool gone;
	bool cut; /* there was more in it than could be read or kept */
	uint8_t depth;
	int64_t mtime_s, ctime_s;
	uint32_t mtime_ns, ctime_ns;
	UT_hash_handle hh;
	char rel[]; /* below its tree; "." for that itself */
};

struct tree {
	struct dir *dirs; /* hash by rel, in the order in which they were found */
	size_t nr_dirs, bytes; /* of what is kept */
	uint64_t names; /* looked at in this search */
	bool wanted;
	bool bounded; /* in this search */
	int mount;
	UT_hash_handle hh;
	char path[];
};

/* A name that was read in a directory. */
struct entry {
	struct entry *next;
	unsigned char type; /* DT_* */
	char name[];
};

struct search {
	const struct search_ops *ops;
	void *userdata;
	struct tree *trees; /* hash by path */
	size_t bytes; /* of all trees' directories */
	struct seen seen, left_out;
	struct pace pace;
	struct search_limits limits;
	bool whole;
	struct search_counts counts;
};

int search_new(const struct search_ops *ops, void *userdata, struct search **out_search)
{
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->userdata = userdata;
	*out_search = s;
	return 0;
}

static size_t dir_bytes(size_t len)
{
	return sizeof(struct dir) + len + 1 + HEAP_BYTES;
}

static void dir_free(struct search *s, struct tree *tree, struct dir *dir)
{
	const size_t bytes = dir_bytes(strlen(dir->rel));

	HASH_DEL(tree->dirs, dir);
	free(dir);
	tree->nr_dirs--;
	tree->bytes -= bytes;
	s->bytes -= bytes;
}

static void tree_free(struct search *s, struct tree *tree)
{
	struct dir *dir, *tmp;

	HASH_ITER(hh, tree->dirs, dir, tmp)
	{
		dir_free(s, tree, dir);
	}
	HASH_DEL(s->trees, tree);
	free(tree);
}

void search_free(struct search *s)
{
	struct tree *tree, *tmp;

	if (!s)
		return;
	HASH_ITER(hh, s->trees, tree, tmp)
	{
		tree_free(s, tree);
	}
	seen_fini(&s->seen);
	seen_fini(&s->left_out);
	free(s);
}

void search_begin(struct search *s, const struct search_limits *limits, bool whole, bool forget)
{
	/* What was cut short by a limit may have room by now. */
	s->whole = whole || forget || limits->max_names > s->limits.max_names;
	s->limits = *limits;
	s->counts = (struct search_counts){0};
	if (forget)
		seen_fini(&s->seen);
	if (s->whole)
		seen_fini(&s->left_out);
	for (struct tree *tree = s->trees; tree; tree = tree->hh.next)
		tree->wanted = false;
}

void search_end(struct search *s, struct search_counts *out_counts)
{
	struct tree *tree, *tmp;

	HASH_ITER(hh, s->trees, tree, tmp)
	{
		if (!tree->wanted)
			tree_free(s, tree);
	}
	*out_counts = s->counts;
}

/* --- opening -----------------------------------------------------------------------------------
 */

static int open_as(int at, const char *name, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | (flags & O_PATH ? O_CLOEXEC | O_NOFOLLOW : BESIDES)),
		.resolve = resolve,
	};
	int fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));

	/* Only its owner, and who has CAP_FOWNER, may leave a file's time alone. */
	if (fd < 0 && errno == EPERM && flags & O_NOATIME) {
		how.flags &= ~(uint64_t)O_NOATIME;
		fd = (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
	}
	return fd < 0 ? -errno : fd;
}

/* -EXDEV: a mount point. */
static int open_dir(const struct tree *tree, const char *rel)
{
	_cleanup_close_ int root = open_as(AT_FDCWD, tree->path, O_PATH | O_DIRECTORY, PLAINLY);

	if (root < 0)
		return root;
	if (tree->mount >= 0 && fdinfo_mount(root) != tree->mount)
		return -EXDEV; /* something else is mounted there by now */
	return open_as(root, rel, O_RDONLY | O_DIRECTORY | O_NOATIME,
		       PLAINLY | RESOLVE_NO_XDEV | RESOLVE_BENEATH);
}

/* --- a file ------------------------------------------------------------------------------------
 */

/* It is not there, or no more what it was: its directory's time tells. Whatever else an error says
 * (a lease of another, want of descriptors, a refusal) may be over without anything telling. */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EXDEV;
}

static bool is_young(const struct search *s, int64_t time_s)
{
	return time_s + SEARCH_SETTLE_S > s->ops->wall(s->userdata);
}

/* 1: it begins as a key does; 0: it does not; negative errno. */
static int look(struct search *s, int dir, const char *name)
{
	/* With the marking flags: whoever is told of what is opened can tell it from all others. */
	_cleanup_close_ int fd = open_as(dir, name, O_RDONLY | O_NOATIME | MARKING_FLAGS,
					 PLAINLY | RESOLVE_NO_XDEV | RESOLVE_BENEATH);
	unsigned char head[HEAD_BYTES];
	struct stat st;
	ssize_t n;
	bool key;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	s->counts.opened++;
	pace_spend(&s->pace, s->ops->now(s->userdata), 1, s->limits.files_per_s);
	/* A page, and nothing ahead of it. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	n = pread(fd, head, sizeof(head), 0);
	key = n > 0 && head_is_key(head, (size_t)n);
	explicit_bzero(head, sizeof(head));
	return n < 0 ? -errno : key;
}

/* A limit was reached: there is more in this directory. */
static void cut(struct search *s, struct tree *tree, struct dir *dir)
{
	s->counts.bounded = 1;
	tree->bounded = true;
	dir->cut = true;
}

static int ask(struct search *s, struct tree *tree, struct dir *dir, const char *name,
	       const struct seen_file *file)
{
	char path[PATH_MAX];
	const bool top = !strcmp(dir->rel, ".");
	const struct search_file found = {.path = path, .dev = file->dev, .ino = file->ino};
	int n = snprintf(path, sizeof(path), "%s%s%s/%s", strcmp(tree->path, "/") ? tree->path : "",
			 top ? "" : "/", top ? "" : dir->rel, name);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		cut(s, tree, dir);
		return 0;
	}
	s->counts.asked++;
	return s->ops->ask(s->userdata, &found);
}

static void could_not(struct search *s, int error, bool *settled)
{
	if (is_gone(error))
		return;
	s->counts.unreadable++;
	*settled = false;
}

/*
 * *settled: nothing more can happen to it without its directory's or its own time telling. *fd: the
 * directory, closed (-1) while a question waits for its answer: nobody's file system is held by
 * that.
 */
static int visit_file(struct search *s, struct tree *tree, struct dir *dir, int *fd,
		      const char *name, const struct statx *st, bool *settled)
{
	const struct seen_file file = {
		.dev = makedev(st->stx_dev_major, st->stx_dev_minor),
		.ino = st->stx_ino,
		.size = st->stx_size,
		.ctime_s = st->stx_ctime.tv_sec,
		.ctime_ns = st->stx_ctime.tv_nsec,
	};
	const bool young = is_young(s, file.ctime_s);
	int r;

	*settled &= !young;
	if (file.size < KEY_BYTES_MIN || file.size > s->limits.max_size ||
	    seen_has(&s->seen, &file) || seen_has(&s->left_out, &file))
		return 0;
	r = look(s, *fd, name);
	if (r < 0) {
		could_not(s, r, settled);
		return 0;
	}
	if (r > 0) {
		*fd = fd_close(*fd);
		r = ask(s, tree, dir, name, &file);
	}
	if (r == 1)
		*settled = false;
	/* A file that is being written may have the same time and size in a moment. */
	else if (r >= 0 && !young)
		seen_add(r ? &s->left_out : &s->seen, &file);
	return r < 0 ? r : 0;
}

/* --- a directory -------------------------------------------------------------------------------
 */

/*
 * Each tree has room of its own, so that nobody takes another's by what he makes. Once half of the
 * memory is used, all have equal shares of the other half.
 */
static bool has_room(const struct search *s, const struct tree *tree, size_t bytes)
{
	const size_t half = SEARCH_BYTES_MAX / 2;
	const size_t share = s->bytes < half ? SEARCH_TREE_BYTES_MAX : half / HASH_COUNT(s->trees);

	return tree->nr_dirs < SEARCH_TREE_DIRS_MAX && tree->bytes + bytes <= share &&
	       s->bytes + bytes <= SEARCH_BYTES_MAX;
}

/* -ENOSPC: it is not kept. */
static int add_dir(struct search *s, struct tree *tree, const char *rel, unsigned depth)
{
	const size_t len = strlen(rel), bytes = dir_bytes(len);
	struct dir *dir;

	HASH_FIND(hh, tree->dirs, rel, len, dir);
	if (dir) {
		dir->gone = false;
		return 0;
	}
	/* The tree itself, though, always. */
	if (depth > SEARCH_DEPTH_MAX || len >= PATH_MAX || (depth && !has_room(s, tree, bytes)))
		return -ENOSPC;
	dir = calloc(1, sizeof(*dir) + len + 1);
	if (!dir)
		return -ENOSPC;
	memcpy(dir->rel, rel, len + 1);
	dir->depth = (uint8_t)depth;
	HASH_ADD(hh, tree->dirs, rel, len, dir);
	if (!dir->hh.tbl) {
		free(dir);
		return -ENOSPC;
	}
	tree->nr_dirs++;
	tree->bytes += bytes;
	s->bytes += bytes;
	return 0;
}

static void add_below(struct search *s, struct tree *tree, struct dir *dir, const char *name)
{
	char rel[2 * PATH_MAX];

	if (!strcmp(dir->rel, "."))
		snprintf(rel, sizeof(rel), "%s", name);
	else
		snprintf(rel, sizeof(rel), "%s/%s", dir->rel, name);
	if (add_dir(s, tree, rel, dir->depth + 1U) < 0)
		cut(s, tree, dir);
}

static void entries_free(struct entry **entries)
{
	struct entry *next;

	for (struct entry *entry = *entries; entry; entry = next) {
		next = entry->next;
		free(entry);
	}
	*entries = NULL;
}

static struct entry *new_entry(const struct dirent *e)
{
	size_t len = strlen(e->d_name);
	struct entry *entry = malloc(sizeof(*entry) + len + 1);

	if (!entry)
		return NULL;
	entry->type = e->d_type;
	memcpy(entry->name, e->d_name, len + 1);
	return entry;
}

/*
 * Some of the names, from *at on, but those that are neither files nor directories. 1: there are
 * more, and *at says where; 0: these were the last ones, or the last that may be looked at.
 */
static int read_batch(struct search *s, struct tree *tree, struct dir *dir, int fd, off_t *at,
		      struct entry **out_entries)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = NULL;
	_cleanup_(entries_free) struct entry *entries = NULL;
	struct dirent *e = NULL;

	if (own >= 0 && (!*at || lseek(own, *at, SEEK_SET) >= 0))
		d = fdopendir(own);
	if (!d) {
		fd_close(own);
		return -errno;
	}
	for (unsigned nr = 0; nr < BATCH; *at = e->d_off) {
		struct entry *entry;

		errno = 0;
		e = readdir(d);
		if (!e && errno)
			return -errno;
		if (!e)
			break;
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (tree->names >= s->limits.max_names) {
			cut(s, tree, dir);
			e = NULL;
			break;
		}
		nr++;
		tree->names++;
		s->counts.names++;
		if (e->d_type != DT_REG && e->d_type != DT_DIR && e->d_type != DT_UNKNOWN) {
			pace_spend(&s->pace, s->ops->now(s->userdata), 1, s->limits.names_per_s);
			continue;
		}
		entry = new_entry(e);
		if (!entry)
			return -ENOMEM;
		entry->next = entries;
		entries = entry;
	}
	*out_entries = take_ptr(entries);
	return e != NULL;
}

/* *fd: see visit_file(). */
static int visit(struct search *s, struct tree *tree, struct dir *dir, int *fd,
		 const struct entry *entry, bool *settled)
{
	struct statx st;

	/* What a directory is, is asked when it is opened: something may be mounted there. */
	if (entry->type == DT_DIR) {
		add_below(s, tree, dir, entry->name);
		return 0;
	}
	if (statx(*fd, entry->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_BASIC_STATS, &st) < 0) {
		could_not(s, -errno, settled);
		return 0;
	}
	if (S_ISDIR(st.stx_mode)) {
		add_below(s, tree, dir, entry->name);
		return 0;
	}
	if (!S_ISREG(st.stx_mode))
		return 0;
	return visit_file(s, tree, dir, fd, entry->name, &st, settled);
}

/* Nothing is open. */
static void rest(struct search *s)
{
	uint64_t ns;

	s->ops->progress(s->userdata, &s->counts);
	ns = pace_rest(&s->pace, s->ops->now(s->userdata));
	if (ns)
		s->ops->rest(s->userdata, ns);
}

/* The directory that is being read, after a rest or a question. -ENOENT: another stands there by
 * now. */
static int open_again(const struct tree *tree, const struct dir *dir, const struct stat *as_it_was)
{
	_cleanup_close_ int fd = open_dir(tree, dir->rel);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_dev == as_it_was->st_dev && st.st_ino == as_it_was->st_ino ? take_fd(fd)
										: -ENOENT;
}

/* fd: the directory. All that is in it, with nothing open in each rest and each question. */
static int visit_all(struct search *s, struct tree *tree, struct dir *dir, int fd,
		     const struct stat *st, bool *settled)
{
	_cleanup_(entries_free) struct entry *entries = NULL;
	_cleanup_close_ int place = fd;
	off_t at = 0;
	int more, r = 0;

	do {
		if (pace_rest(&s->pace, s->ops->now(s->userdata))) {
			place = fd_close(place);
			rest(s);
		}
		if (place < 0)
			place = open_again(tree, dir, st);
		more = place < 0 ? place : read_batch(s, tree, dir, place, &at, &entries);
		if (more == -ENOMEM)
			cut(s, tree, dir);
		for (struct entry *entry; (entry = entries) && r >= 0;) {
			if (pace_rest(&s->pace, s->ops->now(s->userdata))) {
				place = fd_close(place);
				rest(s);
			}
			if (place < 0)
				place = open_again(tree, dir, st);
			if (place < 0) {
				more = place;
				break;
			}
			pace_spend(&s->pace, s->ops->now(s->userdata), 1, s->limits.names_per_s);
			r = visit(s, tree, dir, &place, entry, settled);
			entries = entry->next;
			free(entry);
		}
	} while (more > 0 && r >= 0);
	if (more < 0) {
		could_not(s, more, settled);
		*settled = false; /* it is read next time */
	}
	return r < 0 ? r : 0;
}

static bool is_as_it_was(const struct dir *dir, const struct stat *st)
{
	return dir->known && dir->mtime_s == st->st_mtim.tv_sec &&
	       dir->mtime_ns == st->st_mtim.tv_nsec && dir->ctime_s == st->st_ctim.tv_sec &&
	       dir->ctime_ns == st->st_ctim.tv_nsec;
}

static int search_dir(struct search *s, struct tree *tree, struct dir *dir)
{
	int fd = open_dir(tree, dir->rel), err = fd < 0 ? fd : 0, r;
	const bool first = !tree->names;
	bool settled = true;
	struct stat st;

	pace_spend(&s->pace, s->ops->now(s->userdata), 1, s->limits.names_per_s);
	if (fd >= 0 && fstat(fd, &st) < 0) {
		err = -errno;
		fd = fd_close(fd);
	}
	if (err) {
		s->counts.mounts += err == -EXDEV;
		s->counts.unreadable += !is_gone(err);
		/* Its own directory tells if it is there again; not of an unmount. */
		dir->gone = is_gone(err) && err != -EXDEV;
		dir->known = false;
		return 0;
	}
	if (!s->whole && is_as_it_was(dir, &st)) {
		fd_close(fd);
		if (dir->cut)
			cut(s, tree, dir);
		return 0;
	}
	dir->known = dir->cut = false;
	if (tree->names >= s->limits.max_names) {
		fd_close(fd);
		cut(s, tree, dir); /* the next search begins with it */
		return 0;
	}
	s->counts.dirs++;
	r = visit_all(s, tree, dir, fd, &st, &settled);
	if (r < 0)
		return r;
	/* What was cut short is begun anew in the next search, if that can come further. */
	if (dir->cut && tree->names >= s->limits.max_names && !first)
		settled = false;
	dir->known = settled && !is_young(s, st.st_mtim.tv_sec) && !is_young(s, st.st_ctim.tv_sec);
	dir->mtime_s = st.st_mtim.tv_sec;
	dir->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	dir->ctime_s = st.st_ctim.tv_sec;
	dir->ctime_ns = (uint32_t)st.st_ctim.tv_nsec;
	return 0;
}

static struct tree *get_tree(struct search *s, const char *path)
{
	size_t len = strlen(path);
	struct tree *tree;

	HASH_FIND(hh, s->trees, path, len, tree);
	if (tree)
		return tree;
	tree = calloc(1, sizeof(*tree) + len + 1);
	if (!tree)
		return NULL;
	memcpy(tree->path, path, len + 1);
	HASH_ADD(hh, s->trees, path, len, tree);
	if (!tree->hh.tbl) {
		free(tree);
		return NULL;
	}
	return tree;
}

int search_tree(struct search *s, const char *path, int mount)
{
	struct tree *tree = get_tree(s, path);
	struct dir *dir, *next;
	int r = 0;

	if (!tree || add_dir(s, tree, ".", 0) < 0) {
		s->counts.bounded = 1;
		return 1;
	}
	tree->wanted = true;
	tree->bounded = false;
	tree->names = 0;
	tree->mount = mount;
	/* What is found on the way comes behind. */
	for (dir = tree->dirs; dir && r >= 0; dir = next) {
		r = search_dir(s, tree, dir);
		next = dir->hh.next;
		if (dir->gone)
			dir_free(s, tree, dir);
		rest(s);
	}
	return r < 0 ? r : tree->bounded;
}
