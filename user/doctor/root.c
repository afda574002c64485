// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a host's files below a directory. */
#include "doctor/root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int root_open(const char *dir, struct root *out_root)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	out_root->fd = fd;
	return 0;
}

void root_close(struct root *root)
{
	root->fd = fd_close(root->fd);
}

int root_fd(const struct root *root, const char *path, int flags)
{
	/* openat2() refuses what O_PATH would have no use for. */
	int more = flags & O_PATH ? O_CLOEXEC : O_CLOEXEC | O_NOCTTY;
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | more),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* What /proc and /sys make while they are read has no size: read until nothing comes. */
static int read_all(int fd, size_t max, char **out_text, size_t *out_len)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, room = 0;

	while (len < max) {
		ssize_t n;

		if (len + 1 >= room) {
			size_t more = room ? room * 2 : 4096;
			char *grown;

			if (more > max + 1)
				more = max + 1;
			grown = realloc(text, more);
			if (!grown)
				return -ENOMEM;
			text = grown;
			room = more;
		}
		n = read(fd, text + len, room - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
	}
	if (!text) {
		text = malloc(1);
		if (!text)
			return -ENOMEM;
	}
	text[len] = '\0';
	*out_text = take_ptr(text);
	*out_len = len;
	return 0;
}

int root_read(const struct root *root, const char *path, size_t max, char **out_text,
	      size_t *out_len)
{
	_cleanup_close_ int fd = root_fd(root, path, O_RDONLY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENODEV;
	return read_all(fd, max, out_text, out_len);
}

int root_line(const struct root *root, const char *path, char *out, size_t size)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int err = root_read(root, path, size, &text, &len);

	if (err < 0)
		return err;
	text[strcspn(text, "\n")] = '\0';
	snprintf(out, size, "%s", text);
	return 0;
}

int root_link(const struct root *root, const char *path, char *out, size_t size)
{
	_cleanup_close_ int fd = root_fd(root, path, O_PATH | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", out, size - 1);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno; /* it is no link */
	out[n] = '\0';
	return 0;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len >= end && !strcmp(name + len - end, suffix);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void root_names_fini(struct root_names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct root_names){NULL, 0, 0};
}

static int list(DIR *dir, const char *suffix, struct root_names *names)
{
	struct dirent *entry;

	for (;;) {
		const char *name;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return -errno;
		if (!entry)
			break;
		name = entry->d_name;
		if (!strcmp(name, ".") || !strcmp(name, "..") || !ends_in(name, suffix))
			continue;
		if (names->nr == ROOT_NAMES_MAX) {
			names->cut = 1;
			break;
		}
		names->names[names->nr] = strdup(name);
		if (!names->names[names->nr])
			return -ENOMEM;
		names->nr++;
	}
	if (names->nr)
		qsort(names->names, names->nr, sizeof(*names->names), by_name);
	return 0;
}

int root_list(const struct root *root, const char *path, const char *suffix,
	      struct root_names *out_names)
{
	struct root_names names = {NULL, 0, 0};
	int fd = root_fd(root, path, O_RDONLY | O_DIRECTORY), err;
	_cleanup_closedir_ DIR *dir = NULL;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	names.names = calloc(ROOT_NAMES_MAX, sizeof(*names.names));
	err = names.names ? list(dir, suffix, &names) : -ENOMEM;
	if (err < 0)
		root_names_fini(&names);
	else
		*out_names = names;
	return err;
}
