// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens what was closed after writing, reads its first bytes, has dumps watched, hands copies on.
 */
#include "watch/written.h"

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
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "watch/dumptype.h"
#include "watch/watcher-internal.h"

/* Between two runs, a tenth of a second, on a busy host; what is more is counted. */
#define WAITING_MAX 4096
#define INODES_MAX  4
/* Names that are looked through for files that were renamed: of one directory, in one run, and in
 * it for one user. Of more users than have a share each, the others have one. */
#define NAMES_MAX      4096
#define NAMES_RUN_MAX  16384
#define NAMES_USER_MAX (NAMES_RUN_MAX / 4)
#define NAMES_USERS    16

/* linux/magic.h has most of these; the others are in the file systems' own sources. */
static const uint64_t left_alone[] = {
	/* May not answer. */
	0x6969, /* NFS */
	0xff534d42, /* CIFS */
	0xfe534d42, /* SMB2 and 3 */
	0x65735546, /* FUSE */
	0x01021997, /* 9P */
	0x00c36400, /* Ceph */
	0x5346414f, /* OpenAFS */
	0x6b414653, /* kAFS */
	0x73757245, /* Coda */
	0x7461636f, /* OCFS2 */
	0x0bd00bd0, /* Lustre */
	/* The kernel's own: opening or reading one of those may do something, and none is a file.
	 */
	0x62656572, /* sysfs */
	0x62656570, /* configfs */
	0xde5e81e4, /* efivarfs */
	0x64626720, /* debugfs */
	0x74726163, /* tracefs */
	0x9fa0, /* proc */
	0x27e0eb, /* cgroup */
	0x63677270, /* cgroup2 */
	0x73636673, /* securityfs */
	0xf97cff8c, /* selinuxfs */
	0x6165676c, /* pstore */
	0x42494e4d, /* binfmt_misc */
	0xcafe4a11, /* bpf */
};

struct waiting {
	struct event event;
	char path[PATH_MAX];
};

struct written {
	struct watcher *watcher;
	const struct written_ops *ops;
	void *userdata;
	struct waiting **waiting;
	size_t nr;
	int names_left; /* of NAMES_RUN_MAX */
	struct {
		uint32_t uid;
		int left; /* of NAMES_USER_MAX */
	} users[NAMES_USERS];
	size_t nr_users;
	struct written_stats stats;
};

int written_new(struct watcher *watcher, const struct written_ops *ops, void *userdata,
		struct written **out_written)
{
	struct written *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->waiting = calloc(WAITING_MAX, sizeof(struct waiting *));
	if (!w->waiting) {
		free(w);
		return -ENOMEM;
	}
	w->watcher = watcher;
	w->ops = ops;
	w->userdata = userdata;
	*out_written = w;
	return 0;
}

void written_free(struct written *w)
{
	if (!w)
		return;
	while (w->nr)
		free(w->waiting[--w->nr]);
	free(w->waiting);
	free(w);
}

static bool is_left_alone(uint64_t fs)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_alone); i++)
		if (left_alone[i] == fs)
			return true;
	return false;
}

static void keep(struct waiting *waiting, const struct event *event)
{
	size_t len = event->written.path.len;

	waiting->event = *event;
	memcpy(waiting->path, event->written.path.p, len);
	waiting->path[len] = '\0';
	waiting->event.written.path.p = waiting->path;
}

/* Its writer has a key in hand, and has not had his share of files that are searched for it. */
static bool is_of_holder(const struct event_written *file)
{
	return file->held.nr && !(file->how & WRITTEN_OVER);
}

/* The file of a waiting event was closed once more. */
static void keep_latest(struct waiting *waiting, const struct event *event)
{
	const struct event before = waiting->event;
	struct event_written *file = &waiting->event.written;

	keep(waiting, event);
	file->how |= before.written.how & WRITTEN_HELPER;
	if (!is_of_holder(&before.written) || is_of_holder(file))
		return;
	/* What a holder wrote is still in it: else `: >>copy` would end the trail. */
	file->subject = before.written.subject;
	file->parent = before.written.parent;
	file->held = before.written.held;
	file->how &= ~(uint32_t)(WRITTEN_OVER | WRITTEN_OTHER);
	file->how |= before.written.how & WRITTEN_OTHER;
}

void written_add(struct written *w, const struct event *event)
{
	const struct event_written *file = &event->written;
	struct waiting *waiting;

	w->stats.told++;
	if (is_left_alone(file->fs)) {
		w->stats.skipped++;
		return;
	}
	if (!file->path.len || file->path.len >= PATH_MAX ||
	    (event->flags & (EVENT_PATH_TRUNCATED | EVENT_PATH_FAILED))) {
		w->stats.gone++;
		return;
	}
	/* The file that was told last is the one that is closed again soonest. */
	for (size_t i = w->nr; i-- > 0 && w->nr - i <= 16;) {
		if (!inode_id_same(&w->waiting[i]->event.written.inode, &file->inode))
			continue;
		keep_latest(w->waiting[i], event);
		return;
	}
	waiting = w->nr < WAITING_MAX ? malloc(sizeof(*waiting)) : NULL;
	if (!waiting) {
		w->stats.dropped++;
		return;
	}
	keep(waiting, event);
	w->waiting[w->nr++] = waiting;
}

static bool is_inode(const struct inode_id *wanted, const struct inode_id *inodes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (inode_id_same(wanted, &inodes[i]) && wanted->gen == inodes[i].gen)
			return true;
	return false;
}

/*
 * `path` from the root directory `root` (AT_FDCWD: the host's). A descriptor for reading, or
 * negative errno: -ESTALE if another file is there by now. No link is followed: the kernel side
 * told a path without any, so one is a stranger's. What is not a regular file is not opened for
 * reading, since that alone may act on a device.
 */
static int open_written(struct written *w, int root, const char *path,
			const struct inode_id *wanted)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT,
	};
	_cleanup_close_ int place = -1, fd = -1;
	struct inode_id inodes[INODES_MAX];
	char self[64];
	struct stat st;
	size_t nr;

	/* The file's own file system answers, but the host's path may be another's: name by name.
	 */
	if (root == AT_FDCWD)
		place = reach_path(&w->watcher->reach, path, false);
	else
		place = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (place < 0)
		return root == AT_FDCWD ? place : -errno;
	if (fstat(place, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	fd = w->ops->open(w->userdata, self, inodes, INODES_MAX, &nr);
	if (fd < 0)
		return fd;
	return is_inode(wanted, inodes, nr) ? take_fd(fd) : -ESTALE;
}

/*
 * The writer may be in another mount namespace, where the path means something else: then by its
 * root, or its parent's if it is gone.
 */
static int open_anywhere(struct written *w, const struct event_written *file)
{
	const uint32_t pids[] = {file->subject.id.tgid, file->parent.tgid};
	int fd = open_written(w, AT_FDCWD, file->path.p, &file->inode);

	if (fd == -EREMOTE)
		return fd;
	for (size_t i = 0; i < ARRAY_SIZE(pids) && fd < 0 && pids[i]; i++) {
		_cleanup_close_ int root = -1;
		char path[64];

		snprintf(path, sizeof(path), "/proc/%u/root", pids[i]);
		root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root >= 0)
			fd = open_written(w, root, file->path.p, &file->inode);
	}
	return fd;
}

/* What this run may still look through for the writer: by his login, whatever uid he took since. */
static int *names_left_of(struct written *w, const struct subject *subject)
{
	const uint32_t uid = subject->loginuid == UID_UNSET ? subject->uid : subject->loginuid;

	for (size_t i = 0; i < w->nr_users; i++)
		if (w->users[i].uid == uid)
			return &w->users[i].left;
	if (w->nr_users == NAMES_USERS)
		return &w->users[NAMES_USERS - 1].left;
	w->users[w->nr_users].uid = uid;
	w->users[w->nr_users].left = NAMES_USER_MAX;
	return &w->users[w->nr_users++].left;
}

/* The name in the directory `dir` whose entry has this number; its length, 0: there is none among
 * the first, or this run has looked through enough of them. */
static size_t name_of(struct written *w, int *left, int dir, uint64_t ino,
		      char name[static NAME_MAX + 1])
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t len = 0;

	if (!list) {
		fd_close(fd);
		return 0;
	}
	for (int i = 0; i < NAMES_MAX && w->names_left && *left && !len && (entry = readdir(list));
	     i++) {
		w->names_left--;
		--*left;
		if (entry->d_ino == ino &&
		    (entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN)) {
			len = strlen(entry->d_name);
			memcpy(name, entry->d_name, len + 1);
		}
	}
	closedir(list);
	return len;
}

/* Written under one name, and renamed to another beside it. The event has that name afterwards. */
static int open_renamed(struct written *w, struct waiting *waiting)
{
	struct event_written *file = &waiting->event.written;
	char *last = strrchr(waiting->path, '/'), name[NAME_MAX + 1];
	_cleanup_close_ int dir = -1, fd = -1;
	int *left = names_left_of(w, &file->subject);
	size_t len;

	if (!last || last == waiting->path || !w->names_left || !*left)
		return -ENOENT;
	*last = '\0';
	dir = reach_path(&w->watcher->reach, waiting->path, false);
	*last++ = '/';
	if (dir < 0)
		return dir;
	len = name_of(w, left, dir, file->inode.ino, name);
	if (!len || (size_t)(last - waiting->path) + len >= sizeof(waiting->path))
		return -ENOENT;
	memcpy(last, name, len + 1);
	fd = open_written(w, AT_FDCWD, waiting->path, &file->inode);
	if (fd < 0)
		return fd;
	file->path.len = (size_t)(last - waiting->path) + len;
	w->stats.renamed++;
	return take_fd(fd);
}

static ssize_t read_first(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = pread(fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/*
 * systemd-coredump writes into the attributes of what it stores which process it is of (coredump.c,
 * fix_xattr()), and coredumpctl finds it by them. What is in it is compressed, and not looked at.
 */
static bool is_stored_core(int fd)
{
	return fgetxattr(fd, "user.coredump.pid", NULL, 0) > 0 &&
	       fgetxattr(fd, "user.coredump.signal", NULL, 0) > 0;
}

/* What is smaller than the threshold is no dump, whatever it looks like: so the policy says. */
static bool may_be_dump(const struct event_written *file)
{
	return !(file->how & WRITTEN_HOLDER);
}

/* If so, as which object it is watched already stands in it. */
static bool may_be_copy(const struct written *w, struct event_written *file)
{
	return is_of_holder(file) && watcher_copy_wanted(w->watcher, &file->inode, &file->object);
}

/* Of a dump it counts what its writer has read. */
static void leave_other_out(struct event_written *file)
{
	if (file->how & WRITTEN_OTHER && !(file->how & WRITTEN_COPY)) {
		file->held = (struct held){.nr = 0};
		file->parent = (struct proc_id){.tgid = 0};
		file->how &= ~(uint32_t)WRITTEN_OTHER;
	}
}

static void examine(struct written *w, struct waiting *waiting)
{
	struct event *event = &waiting->event;
	struct event_written *file = &event->written;
	bool helper = file->how & WRITTEN_HELPER;
	_cleanup_close_ int fd = open_anywhere(w, file);
	char bytes[DUMPTYPE_BYTES];
	ssize_t n;

	if ((fd == -ENOENT || fd == -ESTALE) && !helper && may_be_copy(w, file))
		fd = open_renamed(w, waiting);
	n = fd < 0 ? -1 : read_first(fd, bytes, sizeof(bytes));
	if (n < 0) {
		w->stats.gone++;
		return;
	}
	file->kind = dump_kind_of(bytes, (size_t)n);
	/* The first bytes of a stranger's file are none of our business any longer. */
	explicit_bzero(bytes, sizeof(bytes));
	w->stats.compressed += file->kind == DUMPKIND_COMPRESSED && may_be_dump(file);
	if (dump_kind_is_dump(file->kind) && may_be_dump(file)) {
		w->stats.dumps++;
		watcher_add_dump(w->watcher, fd, file->path.p, &file->object);
	} else if (file->kind == DUMPKIND_COMPRESSED && !helper && may_be_dump(file) &&
		   is_stored_core(fd)) {
		w->stats.stored++;
		watcher_add_dump(w->watcher, fd, file->path.p, &file->object);
	} else if (helper && (file->kind == DUMPKIND_TEXT || !n)) {
		/* Marked as it was created, since it might have become one. */
		watcher_drop_dump(w->watcher, file->object);
		file->object = 0;
	} else if (!helper) {
		if (!may_be_copy(w, file))
			return;
		file->how |= WRITTEN_COPY;
		w->stats.copies++;
	}
	leave_other_out(file);
	if (helper && file->object)
		watcher_name_born(w->watcher, file->object, file->path.p);
	w->ops->dump(w->userdata, event, fd);
}

void written_run(struct written *w)
{
	w->names_left = NAMES_RUN_MAX;
	w->nr_users = 0;
	for (size_t i = 0; i < w->nr; i++) {
		examine(w, w->waiting[i]);
		free(w->waiting[i]);
	}
	w->nr = 0;
}

void written_stats(const struct written *w, struct written_stats *out_stats)
{
	*out_stats = w->stats;
}
