// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of an evidence log. */
#include "journal/segments.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define SUFFIX	     ".jsonl"
#define DIGITS	     20
#define SEGMENTS_MAX 1000000

int segments_open(const char *path, bool create, int *out_fd)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* The kernel says ENOTDIR of a link, too. */
	if (fd < 0 && errno == ENOTDIR && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return -ELOOP;
	if (fd < 0)
		return -errno;
	if (create && (fstat(fd, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022))
		return -EPERM;
	*out_fd = take_fd(fd);
	return 0;
}

void segment_name(uint64_t first, char out[SEGMENT_NAME_MAX])
{
	snprintf(out, SEGMENT_NAME_MAX, "%020" PRIu64 SUFFIX, first);
}

void segment_torn_name(uint64_t seq, char out[SEGMENT_NAME_MAX])
{
	snprintf(out, SEGMENT_NAME_MAX, "%020" PRIu64 ".torn", seq);
}

static bool parse_name(const char *name, uint64_t *out_first)
{
	uint64_t n = 0;

	if (strlen(name) != DIGITS + sizeof(SUFFIX) - 1 || strcmp(name + DIGITS, SUFFIX) != 0)
		return false;
	for (int i = 0; i < DIGITS; i++)
		if (name[i] < '0' || name[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(name[i] - '0'), &n))
			return false;
	*out_first = n;
	return n > 0;
}

static int compare(const void *a, const void *b)
{
	const struct segment *one = a, *other = b;

	return one->first < other->first ? -1 : one->first > other->first;
}

int segments_list(int dirfd, struct segments *out_segments)
{
	_cleanup_close_ int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct segments list = {};
	size_t room = 0;
	int r = 0;

	if (!dir)
		return -errno;
	take_fd(fd);
	for (;;) {
		const struct dirent *entry;
		struct segment one;
		struct stat st;

		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = -errno;
			break;
		}
		if (!parse_name(entry->d_name, &one.first) ||
		    fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		one.bytes = (uint64_t)st.st_size;
		one.changed_ns =
			(uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
		if (list.nr == room) {
			struct segment *more;

			room = room ? 2 * room : 64;
			more = room > SEGMENTS_MAX ? NULL
						   : realloc(list.items, room * sizeof(*more));
			if (!more) {
				r = room > SEGMENTS_MAX ? -E2BIG : -ENOMEM;
				break;
			}
			list.items = more;
		}
		list.items[list.nr++] = one;
	}
	if (r < 0) {
		segments_fini(&list);
		return r;
	}
	if (list.nr)
		qsort(list.items, list.nr, sizeof(*list.items), compare);
	*out_segments = list;
	return 0;
}

void segments_fini(struct segments *segments)
{
	free(segments->items);
	*segments = (struct segments){};
}
