// SPDX-License-Identifier: GPL-2.0-or-later
/* The way to a file by names that others may change meanwhile. */
#include "watch/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* As the kernel itself bounds a look-up (MAXSYMLINKS), and names in all. */
#define LINKS_MAX 40
#define NAMES_MAX 2048

const char *reach_self(int fd, char out[static REACH_SELF_MAX])
{
	snprintf(out, REACH_SELF_MAX, "/proc/self/fd/%d", fd);
	return out;
}

bool reach_fd_name(int fd, char out[static PATH_MAX])
{
	static const char gone[] = " (deleted)"; /* d_path(), fs/d_path.c */
	char self[REACH_SELF_MAX];
	ssize_t n = readlink(reach_self(fd, self), out, PATH_MAX);

	if (n <= 0 || n >= PATH_MAX || out[0] != '/')
		return false;
	out[n] = '\0';
	return (size_t)n < sizeof(gone) || strcmp(out + n - (sizeof(gone) - 1), gone) != 0;
}

int reach_next(const char **path, char name[static NAME_MAX + 1])
{
	size_t len;

	*path += strspn(*path, "/");
	len = strcspn(*path, "/");
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, *path, len);
	name[len] = '\0';
	*path += len;
	return (int)len;
}

int reach_name(const struct reach *reach, int dir, const char *name)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd >= 0 || errno != EXDEV)
		return fd < 0 ? -errno : take_fd(fd);
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (reach->answers && !reach->answers(reach->userdata, fd))
		return -EREMOTE;
	return take_fd(fd);
}

/* A way that is being gone. */
struct way {
	char rest[PATH_MAX]; /* names still to go */
	int at; /* where we are */
	unsigned links;
	uid_t owner; /* of the links so far that are not root's; 0 = all are */
};

/* What a link says takes its place in the rest of the way. */
static int turn(struct way *way, int link, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text));
	size_t left = strlen(way->rest) + 1;

	if (n < 0)
		return -errno;
	if (++way->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + left > sizeof(way->rest))
		return -ENAMETOOLONG;
	if (st->st_uid != 0 && way->owner != 0 && st->st_uid != way->owner)
		return -EPERM;
	if (st->st_uid != 0)
		way->owner = st->st_uid;
	memmove(way->rest + n + 1, way->rest, left);
	memcpy(way->rest, text, (size_t)n);
	way->rest[n] = '/';
	if (text[0] != '/')
		return 0;
	fd_close(way->at);
	way->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return way->at < 0 ? -errno : 0;
}

/* Goes on to the end. 0, and way->at is what was asked for. */
static int go(const struct reach *reach, struct way *way, bool follow)
{
	struct stat st;

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		const char *rest = way->rest;
		_cleanup_close_ int next = -1;
		char name[NAME_MAX + 1];
		int r = reach_next(&rest, name);

		if (r < 0)
			return r;
		if (!r)
			break;
		memmove(way->rest, rest, strlen(rest) + 1);
		next = reach_name(reach, way->at, name);
		if (next < 0)
			return next;
		if (fstat(next, &st) < 0)
			return -errno;
		if (S_ISLNK(st.st_mode)) {
			r = follow ? turn(way, next, &st) : -ELOOP;
			if (r < 0)
				return r;
			continue;
		}
		fd_close(way->at);
		way->at = take_fd(next);
	}
	if (way->rest[strspn(way->rest, "/")])
		return -ELOOP;
	if (way->owner == 0)
		return 0;
	if (fstat(way->at, &st) < 0)
		return -errno;
	return st.st_uid == way->owner ? 0 : -EPERM;
}

/* Takes over the way's descriptor. */
static int arrive(const struct reach *reach, struct way *way, bool follow)
{
	int r = go(reach, way, follow);

	if (r < 0)
		way->at = fd_close(way->at);
	return r < 0 ? r : way->at;
}

int reach_path(const struct reach *reach, const char *path, bool follow)
{
	struct way way = {.at = -1};
	size_t len = strlen(path);

	if (path[0] != '/')
		return -EINVAL;
	if (len >= sizeof(way.rest))
		return -ENAMETOOLONG;
	memcpy(way.rest, path, len + 1);
	way.at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return way.at < 0 ? -errno : arrive(reach, &way, follow);
}

int reach_target(const struct reach *reach, int dir, int link)
{
	struct way way = {.at = fcntl(dir, F_DUPFD_CLOEXEC, 0)};
	struct stat st;
	int r;

	if (way.at < 0)
		return -errno;
	r = fstat(link, &st) < 0 ? -errno : turn(&way, link, &st);
	if (r < 0) {
		fd_close(way.at);
		return r;
	}
	return arrive(reach, &way, true);
}
