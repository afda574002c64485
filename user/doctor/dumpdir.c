// SPDX-License-Identifier: GPL-2.0-or-later
/* A directory in which dumps are kept: who can read there, and what cleans it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/escape.h"
#include "doctor/host.h"

/* 0 as well where there is none, or the file system knows of none. */
static int read_acl(int fd, const char *name, struct acl *out)
{
	uint8_t bytes[XATTR_SIZE_MAX];
	ssize_t n = fgetxattr(fd, name, bytes, sizeof(bytes));

	*out = (struct acl){.nr = 0};
	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	return conf_acl(bytes, (size_t)n, out);
}

/* What others than the owner and root's group can read. */
static bool is_open(const struct stat *st)
{
	return S_ISREG(st->st_mode) &&
	       (st->st_mode & S_IROTH || (st->st_mode & S_IRGRP && st->st_gid != 0));
}

static void look_at_files(const struct root *root, struct dump_dir *dir, int fd)
{
	struct root_names names;

	dir->files_error = root_list(root, dir->path, "", &names);
	if (dir->files_error < 0)
		return;
	if (names.cut)
		dir->files_error = -E2BIG;
	for (size_t i = 0; i < names.nr; i++) {
		struct stat st;

		if (fstatat(fd, names.names[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT) /* it was cleaned up meanwhile */
				dir->files_error = -errno;
			continue;
		}
		if (!S_ISREG(st.st_mode))
			continue;
		dir->files++;
		if (!is_open(&st))
			continue;
		if (!dir->open_files++) {
			dir->open_mode = st.st_mode & 07777;
			escape_bytes(names.names[i], strlen(names.names[i]), dir->open_example,
				     sizeof(dir->open_example), NULL);
		}
	}
	root_names_fini(&names);
}

static void look_at_mount(const struct root *root, struct dump_dir *dir)
{
	_cleanup_free_ char *text = NULL;
	struct mount mount;
	size_t len;
	int err = root_read(root, "/proc/self/mountinfo", 16 << 20, &text, &len);

	if (!err && !conf_mount_of(text, dir->path, &mount))
		err = -ENODATA;
	dir->mount_error = err;
	if (err < 0)
		return;
	snprintf(dir->type, sizeof(dir->type), "%s", mount.type);
	dir->remote = conf_mount_remote(mount.type);
}

/* tmpfiles.d: the first file of a name counts, by directory; among names the first line wins, but
 * that two lines are about one directory is an error there, so any will do. */
static void look_at_age(const struct root *root, struct dump_dir *dir)
{
	static const char *const dirs[] = {"/etc/tmpfiles.d", "/run/tmpfiles.d",
					   "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"};

	dir->age.error = -ENOENT;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs) && dir->age.error; i++) {
		struct root_names names;
		int err = root_list(root, dirs[i], ".conf", &names);

		if (err < 0 && err != -ENOENT)
			fact_fail(&dir->age, dirs[i], err);
		if (err < 0)
			continue;
		if (names.cut)
			fact_fail(&dir->age, dirs[i], -E2BIG);
		for (size_t j = 0; j < names.nr && dir->age.error; j++) {
			_cleanup_free_ char *text = NULL;
			char path[512], age[64];
			bool replaced = false;
			size_t len;

			for (size_t k = 0; k < i && !replaced; k++) {
				_cleanup_close_ int fd = -1;

				snprintf(path, sizeof(path), "%s/%s", dirs[k], names.names[j]);
				fd = root_fd(root, path, O_PATH);
				replaced = fd >= 0;
			}
			snprintf(path, sizeof(path), "%s/%s", dirs[i], names.names[j]);
			if (replaced)
				continue;
			err = root_read(root, path, ROOT_TEXT_MAX, &text, &len);
			if (err < 0 && err != -ENOENT)
				fact_fail(&dir->age, path, err);
			else if (!err && conf_tmpfiles(text, dir->path, age, sizeof(age)))
				fact_set(&dir->age, path, "%s", age);
		}
		root_names_fini(&names);
	}
}

void dump_dir_facts(const struct root *root, const char *path, struct dump_dir *out_dir)
{
	_cleanup_close_ int fd = -1, list = -1;
	struct stat st;
	int err;

	*out_dir = (struct dump_dir){.error = 0};
	snprintf(out_dir->path, sizeof(out_dir->path), "%s", path);
	look_at_mount(root, out_dir);
	/* On a server that does not answer a look would wait for ever; that it is one says enough.
	 */
	if (out_dir->remote)
		return;
	fd = root_fd(root, path, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		out_dir->error = fd < 0 ? fd : -errno;
		return;
	}
	out_dir->mode = st.st_mode & 07777;
	out_dir->uid = st.st_uid;
	out_dir->gid = st.st_gid;
	look_at_age(root, out_dir);
	list = root_fd(root, path, O_RDONLY | O_DIRECTORY);
	if (list < 0) {
		out_dir->acl_error = out_dir->files_error = list;
		return;
	}
	out_dir->acl_error = read_acl(list, "system.posix_acl_access", &out_dir->access_acl);
	err = read_acl(list, "system.posix_acl_default", &out_dir->default_acl);
	if (err < 0)
		out_dir->acl_error = err;
	look_at_files(root, out_dir, list);
}
