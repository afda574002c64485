// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks to where keys are or may be, and has each read in the sandbox. */
#include "cli/inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "scan/child.h"
#include "search/head.h"

#define DEPTH_MAX	 64
#define CHILD_TIMEOUT_MS 5000

struct walk {
	const struct inventory_config *config;
	struct inventory out;
	void *paths; /* tree (tsearch) of those that were looked at */
	uint64_t names_left;
	int error;
};

/* A directory on the way. */
struct place {
	int fd;
	const char *path; /* "" for the root */
	dev_t dev;
	uint32_t state; /* of the watchset, 0 = no pattern leads here */
	bool content; /* files are looked at for what they are */
	bool open_to_all; /* everybody may pass */
	unsigned depth;
};

const char *inventory_finding_str(enum inventory_finding finding)
{
	switch (finding) {
	case FINDING_WORLD_READABLE:
		return "world-readable";
	case FINDING_GROUP_READABLE:
		return "group-readable";
	case FINDING_STALE:
		return "stale";
	case FINDING_DUPLICATE:
		return "duplicate";
	case FINDING_UNWATCHED:
		return "unwatched";
	default:
		return "?";
	}
}

/* --- a file ------------------------------------------------------------------------------------
 */

static bool file_begins_as_key(int fd)
{
	unsigned char head[HEAD_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n > 0 && head_is_key(head, (size_t)n);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* True the first time. */
static bool first_look(struct walk *w, const char *path)
{
	char *copy = strdup(path);
	void *found = copy ? tsearch(copy, &w->paths, compare_paths) : NULL;

	if (!found) {
		free(copy);
		w->error = -ENOMEM;
		return false;
	}
	if (*(char **)found == copy)
		return true;
	free(copy);
	return false;
}

static int open_file(int dir, const char *name)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = openat(dir, name, flags | O_NOATIME);

	/* Somebody else's file: only its owner and root may leave its time alone. */
	return fd < 0 && errno == EPERM ? openat(dir, name, flags) : fd;
}

static int open_sibling(int dir, const char *name)
{
	char text[NAME_MAX + 8];

	snprintf(text, sizeof(text), "%s.pub", name);
	return open_file(dir, text);
}

static void add_key(struct walk *w, const char *path, uint32_t watch, const struct stat *st,
		    bool open_to_all, const struct key_identity *id)
{
	const int64_t age = w->config->now - st->st_mtim.tv_sec;
	struct inventory_key *keys, *key;

	/* Grows at powers of two. */
	if (!(w->out.nr & (w->out.nr - 1))) {
		keys = reallocarray(w->out.keys, w->out.nr ? w->out.nr * 2 : 1, sizeof(*keys));
		if (!keys) {
			w->error = -ENOMEM;
			return;
		}
		w->out.keys = keys;
	}
	key = &w->out.keys[w->out.nr];
	*key = (struct inventory_key){
		.path = strdup(path),
		.watch = watch,
		.id = *id,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.modified = st->st_mtim.tv_sec,
	};
	if (!key->path) {
		w->error = -ENOMEM;
		return;
	}
	if (open_to_all && st->st_mode & S_IROTH)
		key->findings |= FINDING_WORLD_READABLE;
	else if (st->st_mode & S_IRGRP && st->st_gid != 0 && st->st_gid != st->st_uid)
		key->findings |= FINDING_GROUP_READABLE;
	if (age > (int64_t)w->config->stale_days * 86400)
		key->findings |= FINDING_STALE;
	if (!watch)
		key->findings |= FINDING_UNWATCHED;
	w->out.nr++;
}

static void look(struct walk *w, const struct place *dir, const char *name, const char *path,
		 uint32_t watch)
{
	_cleanup_close_ int fd = -1, sibling = -1;
	struct key_identity id;
	struct stat st;
	int r;

	if (!first_look(w, path))
		return;
	fd = open_file(dir->fd, name);
	if (fd < 0 || fstat(fd, &st) < 0) {
		w->out.unreadable++;
		return;
	}
	/* What stands there now, not what stood there when the directory was read. */
	if (!S_ISREG(st.st_mode) || st.st_size < KEY_BYTES_MIN || st.st_size > KEY_BYTES_MAX)
		return;
	if (!watch && !file_begins_as_key(fd))
		return;
	sibling = open_sibling(dir->fd, name);
	r = scan_child_identify(w->config->program, fd, sibling, CHILD_TIMEOUT_MS, &id);
	w->out.read++;
	if (w->config->progress)
		w->config->progress(w->config->ctx, &w->out);
	if (r == -ENOENT || r == -EACCES)
		w->error = r; /* the program is not there: none of them will be answered */
	else if (r < 0)
		w->out.failed++;
	else if (id.kind != KEY_NONE)
		add_key(w, path, watch, &st, dir->open_to_all, &id);
}

/* --- directories -------------------------------------------------------------------------------
 */

/* Made up by the kernel: nobody keeps a key there. */
static bool is_pseudo(unsigned long magic)
{
	static const unsigned long pseudo[] = {
		PROC_SUPER_MAGIC,   SYSFS_MAGIC,    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC,	    TRACEFS_MAGIC,  SECURITYFS_MAGIC,	BPF_FS_MAGIC,
		DEVPTS_SUPER_MAGIC, EFIVARFS_MAGIC, SELINUX_MAGIC,	PSTOREFS_MAGIC,
		BINFMTFS_MAGIC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(pseudo); i++)
		if (magic == pseudo[i])
			return true;
	return false;
}

static bool is_network(unsigned long magic)
{
	static const unsigned long network[] = {
		NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,  SMB2_SUPER_MAGIC,   CIFS_SUPER_MAGIC,
		AFS_SUPER_MAGIC, AFS_FS_MAGIC,	   CEPH_SUPER_MAGIC,   CODA_SUPER_MAGIC,
		V9FS_MAGIC,	 FUSE_SUPER_MAGIC, AUTOFS_SUPER_MAGIC,
	};

	for (size_t i = 0; i < ARRAY_SIZE(network); i++)
		if (magic == network[i])
			return true;
	return false;
}

/* Asked of a directory on another file system than the one it stands in. */
static bool may_enter(struct walk *w, int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0 || is_pseudo((unsigned long)fs.f_type))
		return false;
	if (!is_network((unsigned long)fs.f_type) || w->config->network)
		return true;
	w->out.network++;
	return false;
}

static void walk_dir(struct walk *w, const struct place *dir);

static void enter(struct walk *w, const struct place *dir, const char *name, const char *path,
		  uint32_t state)
{
	_cleanup_close_ int fd = -1;
	struct place below = *dir;
	struct stat st;

	if (dir->depth == DEPTH_MAX) {
		w->out.bounded = true;
		return;
	}
	fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		w->out.unreadable += errno == EACCES;
		return;
	}
	if (st.st_dev != dir->dev && !may_enter(w, fd))
		return;
	below.fd = fd;
	below.path = path;
	below.dev = st.st_dev;
	below.state = state;
	below.open_to_all = dir->open_to_all && st.st_mode & S_IXOTH;
	below.depth++;
	walk_dir(w, &below);
}

static void visit(struct walk *w, const struct place *dir, const char *name)
{
	struct watch_target to = {0};
	_cleanup_free_ char *path = NULL;
	uint32_t watch = 0;
	struct stat st;

	if (w->names_left == 0) {
		w->out.bounded = true;
		return;
	}
	w->names_left--;
	w->out.names++;
	if (dir->state)
		to = watchset_step(w->config->set, dir->state, span_of(name));
	if (!to.state && !to.watch && !dir->content)
		return;
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (asprintf(&path, "%s/%s", dir->path, name) < 0) {
		path = NULL;
		w->error = -ENOMEM;
		return;
	}
	if (S_ISDIR(st.st_mode) && (to.state || dir->content)) {
		enter(w, dir, name, path, to.state);
		return;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < KEY_BYTES_MIN || st.st_size > KEY_BYTES_MAX)
		return;
	/* Files of entries about dumps, tokens, sockets are not keys. */
	if (to.watch &&
	    object_class_holds_keys(policy_watch(w->config->policy, to.watch)->object_class))
		watch = to.watch;
	if (watch || dir->content)
		look(w, dir, name, path, watch);
}

static void walk_names(struct walk *w, const struct place *dir)
{
	struct watch_target to;
	const char *name;

	for (size_t i = 0; !w->error && watchset_literal(w->config->set, dir->state, i, &name, &to);
	     i++)
		visit(w, dir, name);
}

static void walk_dir(struct walk *w, const struct place *dir)
{
	_cleanup_closedir_ DIR *d = NULL;
	int fd;

	/* Patterns without wildcards lead to a few names: no need to read the directory. */
	if (!dir->content && !watchset_has_globs(w->config->set, dir->state)) {
		walk_names(w, dir);
		return;
	}
	fd = fcntl(dir->fd, F_DUPFD_CLOEXEC, 3);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		fd_close(fd);
		w->error = -errno;
		return;
	}
	for (struct dirent *e; !w->error && w->names_left && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			visit(w, dir, e->d_name);
	if (!w->names_left)
		w->out.bounded = true;
}

/* Goes down to `path`, link by link, so that state and rights are those of the way. */
static void walk_tree(struct walk *w, const char *path, bool content)
{
	_cleanup_close_ int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct place at = {.path = "", .state = watchset_root(w->config->set), .content = content};
	_cleanup_free_ char *text = strdup(path);
	struct stat st;

	w->names_left = w->config->max_names;
	if (fd < 0 || fstat(fd, &st) < 0 || !text) {
		w->error = text ? -errno : -ENOMEM;
		return;
	}
	at.dev = st.st_dev;
	at.open_to_all = st.st_mode & S_IXOTH;
	for (char *save = NULL, *name = strtok_r(text, "/", &save); name;
	     name = strtok_r(NULL, "/", &save)) {
		int next = openat(fd, name,
				  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

		fd_close(fd);
		fd = next;
		if (fd < 0 || fstat(fd, &st) < 0) {
			w->out.unreadable += errno == EACCES;
			return;
		}
		if (at.state)
			at.state = watchset_step(w->config->set, at.state, span_of(name)).state;
		if (st.st_dev != at.dev && !may_enter(w, fd))
			return;
		at.dev = st.st_dev;
		at.open_to_all = at.open_to_all && st.st_mode & S_IXOTH;
	}
	at.fd = fd;
	at.path = path[1] ? path : "";
	walk_dir(w, &at);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct inventory_key *)a)->path,
		      ((const struct inventory_key *)b)->path);
}

static int by_spki(const void *a, const void *b, void *ctx)
{
	const struct inventory_key *keys = ctx, *x = &keys[*(const size_t *)a],
				   *y = &keys[*(const size_t *)b];
	int order = memcmp(x->id.spki, y->id.spki, sizeof(x->id.spki));

	return order ? order : *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

static int find_duplicates(struct inventory *inventory)
{
	_cleanup_free_ size_t *order = calloc(inventory->nr + 1, sizeof(*order));
	struct inventory_key *keys = inventory->keys;
	size_t nr = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < inventory->nr; i++)
		if (keys[i].id.has_spki)
			order[nr++] = i;
	if (nr)
		qsort_r(order, nr, sizeof(*order), by_spki, keys);
	for (size_t i = 1, first = 0; i < nr; i++) {
		struct inventory_key *a = &keys[order[first]], *b = &keys[order[i]];

		if (memcmp(a->id.spki, b->id.spki, sizeof(a->id.spki))) {
			first = i;
			continue;
		}
		a->findings |= FINDING_DUPLICATE;
		b->findings |= FINDING_DUPLICATE;
		b->same_as = order[first] + 1;
	}
	return 0;
}

int inventory_make(const struct inventory_config *config, struct inventory *out_inventory)
{
	struct walk w = {.config = config};

	for (size_t i = 0; i < config->nr_trees && !w.error; i++)
		walk_tree(&w, config->trees[i], true);
	if (config->whole_policy && !w.error && watchset_root(config->set))
		walk_tree(&w, "/", false);
	tdestroy(w.paths, free);
	if (!w.error && w.out.nr)
		qsort(w.out.keys, w.out.nr, sizeof(*w.out.keys), by_path);
	if (!w.error)
		w.error = find_duplicates(&w.out);
	if (w.error) {
		inventory_fini(&w.out);
		return w.error;
	}
	*out_inventory = w.out;
	return 0;
}

void inventory_fini(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->nr; i++)
		free(inventory->keys[i].path);
	free(inventory->keys);
	*inventory = (struct inventory){NULL};
}
