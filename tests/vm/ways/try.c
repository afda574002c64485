// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Not a way to a key but a try that is refused:
 *
 *	try HOW PATH [COUNT]
 *
 * HOW: open, write (O_WRONLY), trunc (O_RDONLY | O_TRUNC), create (O_WRONLY | O_CREAT), noatime
 * (O_NOATIME), at (the last name from a descriptor of the directory), chdir (the last name from the
 * working directory), uring (an open by io_uring), access, stat. Prints the error by its name,
 * "none" if it went through, "lacks" if the kernel has no such way.
 */
#include "ring.h"

static int by_uring(const char *path)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.open_flags = O_RDONLY,
	};
	struct ring ring;
	int r;

	if (ring_init(&ring, 0)) {
		errno = ENOSYS;
		return -1;
	}
	ring_put(&ring, &sqe);
	r = ring_enter(&ring, 1, 1);
	if (r >= 0)
		r = ring_take(&ring);
	if (r >= 0)
		return r;
	errno = r == -EINVAL ? ENOSYS : -r;
	return -1;
}

static int try(const char *how, const char *path)
{
	char dir[4096];
	struct stat st;
	char *slash;
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!strcmp(how, "open"))
		return open(path, O_RDONLY);
	if (!strcmp(how, "write"))
		return open(path, O_WRONLY);
	if (!strcmp(how, "trunc"))
		return open(path, O_RDONLY | O_TRUNC);
	if (!strcmp(how, "create"))
		return open(path, O_WRONLY | O_CREAT, 0600);
	if (!strcmp(how, "noatime"))
		return open(path, O_RDONLY | O_NOATIME);
	if (!strcmp(how, "uring"))
		return by_uring(path);
	if (!strcmp(how, "access"))
		return access(path, R_OK);
	if (!strcmp(how, "stat"))
		return stat(path, &st);
	if (!slash)
		return -1;
	*slash = '\0';
	if (!strcmp(how, "chdir"))
		return chdir(dir) < 0 ? -1 : open(slash + 1, O_RDONLY);
	fd = open(dir, O_PATH | O_DIRECTORY);
	return fd < 0 ? -1 : openat(fd, slash + 1, O_RDONLY);
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[3]) : 1;
	int fd = -1;

	if (argc < 3 || count < 1) {
		fprintf(stderr, "usage: try HOW PATH [COUNT]\n");
		return 2;
	}
	for (long i = 0; i < count; i++)
		fd = try(argv[1], argv[2]);
	puts(fd >= 0 ? "none" : errno == ENOSYS ? "lacks" : strerrorname_np(errno));
	return 0;
}
