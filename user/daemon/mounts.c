// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows the mount table by libmount's monitor. */
#include "daemon/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <libmount/libmount.h>
#include <uthash.h>

#include "base/cleanup.h"
#include "base/fdinfo.h"

struct mount {
	int id;
	bool is_new; /* and not told yet */
	bool answers;
	char type[32];
	dev_t dev;
	const char *root; /* what of the file system is mounted; behind `target` */
	struct mount *next; /* among those that are gone */
	UT_hash_handle hh;
	char target[];
};

struct mounts {
	void (*mounted)(void *userdata, const char *path);
	void (*unmounted)(void *userdata, const char *path);
	void *userdata;
	struct libmnt_monitor *monitor;
	const char *path; /* of the table */
	struct mount *table; /* hash by id */
	struct mount *gone; /* and not told yet */
	int table_fd; /* the file, for poll(2): whether `table` is of now */
	bool stale; /* it could not be read when it had changed */
	sd_event_source *source;
};

bool mounts_type_answers(const char *type)
{
	static const char *const types[] = {
		"bcachefs",  "btrfs",  "cramfs",  "erofs",    "exfat",	    "ext2",	 "ext3",
		"ext4",	     "f2fs",   "hfs",	  "hfsplus",  "iso9660",    "jffs2",	 "jfs",
		"minix",     "msdos",  "nilfs2",  "ntfs",     "ntfs3",	    "reiserfs",	 "romfs",
		"squashfs",  "ubifs",  "udf",	  "ufs",      "vfat",	    "xfs",	 "zfs",
		"hugetlbfs", "ramfs",  "rootfs",  "tmpfs",    "aufs",	    "ecryptfs",	 "overlay",
		"bpf",	     "cgroup", "cgroup2", "configfs", "debugfs",    "devpts",	 "devtmpfs",
		"efivarfs",  "mqueue", "proc",	  "pstore",   "securityfs", "selinuxfs", "sysfs",
		"tracefs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

bool mounts_type_is_pseudo(const char *type)
{
	static const char *const types[] = {
		"autofs",    "binfmt_misc", "bpf",	"cgroup",   "cgroup2",	  "configfs",
		"debugfs",   "devpts",	    "devtmpfs", "efivarfs", "fusectl",	  "hugetlbfs",
		"mqueue",    "nsfs",	    "proc",	"pstore",   "rpc_pipefs", "securityfs",
		"selinuxfs", "sysfs",	    "tracefs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i], type))
			return true;
	return false;
}

static void table_free(struct mount *table)
{
	struct mount *mount, *tmp;

	HASH_ITER(hh, table, mount, tmp)
	{
		HASH_DEL(table, mount);
		free(mount);
	}
}

static int table_add(struct mount **table, struct libmnt_fs *fs)
{
	const char *target = mnt_fs_get_target(fs), *type = mnt_fs_get_fstype(fs),
		   *root = mnt_fs_get_root(fs) ?: "";
	size_t len = target ? strlen(target) + 1 : 0, root_len = strlen(root) + 1;
	struct mount *mount, *known;
	int id = mnt_fs_get_id(fs);

	HASH_FIND_INT(*table, &id, known);
	if (!len || known)
		return 0;
	mount = calloc(1, sizeof(*mount) + len + root_len);
	if (!mount)
		return -ENOMEM;
	mount->id = id;
	snprintf(mount->type, sizeof(mount->type), "%s", type ? type : "");
	mount->answers = mounts_type_answers(mount->type);
	memcpy(mount->target, target, len);
	mount->dev = mnt_fs_get_devno(fs);
	mount->root = memcpy(mount->target + len, root, root_len);
	HASH_ADD_INT(*table, id, mount);
	return 0;
}

/* In the order of the kernel's: later ones lie on earlier ones. */
static int read_table(const char *path, struct mount **out_table)
{
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *lines = mnt_new_table();
	struct mount *table = NULL;
	struct libmnt_fs *fs;
	int r = -ENOMEM;

	if (iter && lines)
		r = mnt_table_parse_file(lines, path) ? -EIO : 0;
	while (!r && !mnt_table_next_fs(lines, iter, &fs))
		r = table_add(&table, fs);
	mnt_unref_table(lines);
	mnt_free_iter(iter);
	if (r < 0)
		table_free(table);
	else
		*out_table = table;
	return r;
}

/* A mount's number may be given again, so its place counts too. */
static bool is_same(const struct mount *a, const struct mount *b)
{
	return !strcmp(a->target, b->target) && !strcmp(a->type, b->type);
}

/* Brings the table to what it is now; what is new or gone stays so until it is told. */
static void refresh(struct mounts *m)
{
	struct mount *now = NULL, *mount, *tmp;

	m->stale = read_table(m->path, &now) < 0;
	if (m->stale)
		return;
	for (mount = now; mount; mount = mount->hh.next) {
		struct mount *known;

		HASH_FIND_INT(m->table, &mount->id, known);
		mount->is_new = !known || known->is_new || !is_same(known, mount);
	}
	HASH_ITER(hh, m->table, mount, tmp)
	{
		struct mount *still;

		HASH_FIND_INT(now, &mount->id, still);
		if (still && is_same(still, mount))
			continue;
		HASH_DEL(m->table, mount);
		mount->next = m->gone;
		m->gone = mount;
	}
	table_free(m->table);
	m->table = now;
}

static void tell_new(struct mounts *m)
{
	size_t nr = 0, at = 0;
	char **targets;

	for (struct mount *mount = m->table; mount; mount = mount->hh.next)
		nr += mount->is_new;
	targets = nr ? calloc(nr, sizeof(*targets)) : NULL;
	if (!targets)
		return;
	/* First all, then told: who is told may ask, and the table change. */
	for (struct mount *mount = m->table; mount; mount = mount->hh.next) {
		if (!mount->is_new)
			continue;
		mount->is_new = false;
		targets[at++] = strdup(mount->target);
	}
	for (at = 0; at < nr; at++) {
		if (targets[at])
			m->mounted(m->userdata, targets[at]);
		free(targets[at]);
	}
	free(targets);
}

static void tell_gone(struct mounts *m)
{
	struct mount *gone;

	while ((gone = m->gone)) {
		m->gone = gone->next;
		m->unmounted(m->userdata, gone->target);
		free(gone);
	}
}

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct mounts *m = userdata;

	mnt_monitor_event_cleanup(m->monitor);
	refresh(m);
	tell_gone(m);
	tell_new(m);
	return 0;
}

int mounts_new(sd_event *loop, void (*mounted)(void *userdata, const char *path),
	       void (*unmounted)(void *userdata, const char *path), void *userdata,
	       struct mounts **out_mounts)
{
	struct mounts *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->table_fd = -1;
	m->mounted = mounted;
	m->unmounted = unmounted;
	m->userdata = userdata;
	m->monitor = mnt_new_monitor();
	m->path = "/proc/self/mountinfo";
	m->table_fd = open(m->path, O_RDONLY | O_CLOEXEC);
	r = m->table_fd < 0 ? -errno : read_table(m->path, &m->table);
	if (!r && !m->monitor)
		r = -ENOMEM;
	if (!r)
		r = mnt_monitor_enable_kernel(m->monitor, 1);
	if (!r)
		r = mnt_monitor_get_fd(m->monitor);
	if (r >= 0)
		r = sd_event_add_io(loop, &m->source, r, EPOLLIN, on_change, m);
	if (r < 0) {
		mounts_free(m);
		return r;
	}
	*out_mounts = m;
	return 0;
}

void mounts_free(struct mounts *m)
{
	if (!m)
		return;
	sd_event_source_unref(m->source);
	table_free(m->table);
	for (struct mount *gone; (gone = m->gone);) {
		m->gone = gone->next;
		free(gone);
	}
	fd_close(m->table_fd);
	mnt_unref_monitor(m->monitor);
	free(m);
}

static void refresh_if_changed(struct mounts *m)
{
	struct pollfd changed = {.fd = m->table_fd, .events = POLLPRI};

	if (m->stale || poll(&changed, 1, 0) > 0)
		refresh(m);
}

bool mounts_answers(struct mounts *m, int fd)
{
	int id = fdinfo_mount(fd);
	struct mount *mount;

	refresh_if_changed(m);
	HASH_FIND_INT(m->table, &id, mount);
	return mount && mount->answers;
}

const char *mounts_type_at(struct mounts *m, const char *path)
{
	const char *type = NULL;

	refresh_if_changed(m);
	/* The last one lies on top. */
	for (const struct mount *mount = m->table; mount; mount = mount->hh.next)
		if (!strcmp(mount->target, path))
			type = mount->type;
	return type;
}

void mounts_each_slow(struct mounts *m, void (*call)(void *userdata, const char *path),
		      void *userdata)
{
	for (const struct mount *mount = m->table; mount; mount = mount->hh.next)
		if (!mount->answers && strcmp(mount->type, "autofs") != 0)
			call(userdata, mount->target);
}

void mounts_each(struct mounts *m,
		 void (*call)(void *userdata, const char *path, int id, const char *type,
			      bool answers),
		 void *userdata)
{
	refresh_if_changed(m);
	for (const struct mount *mount = m->table; mount; mount = mount->hh.next)
		call(userdata, mount->target, mount->id, mount->type, mount->answers);
}

/* "/" is nothing before a name that begins with a slash. */
static size_t length_before(const char *dir)
{
	return strcmp(dir, "/") != 0 ? strlen(dir) : 0;
}

/* A path of its file system as it is by this mount; false: not to be seen by it, or too long. */
static bool path_by(const struct mount *mount, struct span path, char *out, size_t size)
{
	const size_t below = length_before(mount->root);
	int n;

	if (path.len <= below || path.p[below] != '/' || memcmp(path.p, mount->root, below) != 0)
		return false;
	n = snprintf(out, size, "%.*s%.*s", (int)length_before(mount->target), mount->target,
		     (int)(path.len - below), path.p + below);
	return n > 0 && (size_t)n < size;
}

static bool is_known(struct span known, const char *path)
{
	return known.len && known.len == strlen(path) && !memcmp(known.p, path, known.len);
}

bool mounts_whole_paths(struct mounts *m, uint32_t dev, struct span known, struct span one,
			struct span other, char *out_one, char *out_other, size_t size)
{
	const dev_t wanted = makedev(dev >> 20, dev & 0xfffff);
	const struct mount *best = NULL;

	refresh_if_changed(m);
	for (const struct mount *mount = m->table; mount; mount = mount->hh.next) {
		char a[PATH_MAX], b[PATH_MAX];

		if (mount->dev != wanted || !path_by(mount, one, a, sizeof(a)) ||
		    !path_by(mount, other, b, sizeof(b)))
			continue;
		if (is_known(known, a) || is_known(known, b)) {
			best = mount;
			break;
		}
		if (!best || strlen(mount->root) < strlen(best->root))
			best = mount;
	}
	return best && strlen(best->target) + one.len < size &&
	       strlen(best->target) + other.len < size && path_by(best, one, out_one, size) &&
	       path_by(best, other, out_other, size);
}
