// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments of `keytrail scan`, opened. */
#include "cli/scan_inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/escape.h"

typedef int (*each_fn)(void *userdata, const struct scan_target *target);

static int give(const char *path, int fd, int maps_fd, uint32_t pid, int error, each_fn each,
		void *userdata)
{
	_cleanup_free_ char *name = malloc(4 * strlen(path) + 1);

	if (!name)
		return -ENOMEM;
	escape_bytes(path, strlen(path), name, 4 * strlen(path) + 1, NULL);
	return each(userdata, &(struct scan_target){.path = path,
						    .name = name,
						    .fd = error ? -1 : fd,
						    .maps_fd = maps_fd,
						    .pid = pid,
						    .error = error});
}

/* flags: of open(), beside those that every file is opened with. */
static int give_file(const char *path, int flags, each_fn each, void *userdata)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);

	return give(path, fd, -1, 0, fd < 0 ? -errno : 0, each, userdata);
}

static int give_process(const char *argument, uint32_t pid, each_fn each, void *userdata)
{
	_cleanup_close_ int fd = -1, maps_fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (maps_fd < 0)
		return give(argument, -1, -1, pid, errno == ENOENT ? -ESRCH : -errno, each,
			    userdata);
	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return give(path, fd, maps_fd, pid, fd < 0 ? -errno : 0, each, userdata);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int give_entry(const FTSENT *entry, each_fn each, void *userdata)
{
	switch (entry->fts_info) {
	case FTS_F:
		/* It may be another thing by now: a link is not followed, a pipe not waited for. */
		return give_file(entry->fts_path, O_NOFOLLOW | O_NONBLOCK, each, userdata);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return give(entry->fts_path, -1, -1, 0, -entry->fts_errno, each, userdata);
	default:
		return 0;
	}
}

static int give_tree(const char *path, each_fn each, void *userdata)
{
	_cleanup_free_ char *copy = strdup(path);
	char *paths[] = {copy, NULL};
	FTS *fts;
	FTSENT *entry;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	if (!fts)
		return -errno;
	while (r >= 0 && (errno = 0, entry = fts_read(fts)))
		r = give_entry(entry, each, userdata);
	if (r >= 0 && errno)
		r = -errno;
	fts_close(fts);
	return r < 0 ? r : 0;
}

static bool is_number(const char *text, uint32_t *out)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *text < '1' || *text > '9' || *end || n > INT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

int scan_inputs(const char *argument, each_fn each, void *userdata)
{
	struct stat st;
	uint32_t pid;

	if (!strcmp(argument, "-"))
		return give("-", STDIN_FILENO, -1, 0, 0, each, userdata);
	if (stat(argument, &st) < 0)
		return errno == ENOENT && is_number(argument, &pid)
			       ? give_process(argument, pid, each, userdata)
			       : give(argument, -1, -1, 0, -errno, each, userdata);
	if (S_ISDIR(st.st_mode))
		return give_tree(argument, each, userdata);
	return give_file(argument, 0, each, userdata);
}
