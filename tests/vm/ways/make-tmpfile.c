// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A key whose file has no name until it is whole: make-tmpfile SOURCE FILE
 *
 * O_TMPFILE in the directory of FILE, then linkat; read by who made it, opened anew by its name.
 */
#include "way.h"

int main(int argc, char **argv)
{
	char content[16384], dir[PATH_MAX], self[64];
	ssize_t n;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: make-tmpfile SOURCE FILE\n");
		return 2;
	}
	fd = way_open(argv[1]);
	n = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (n < 0)
		return way_failed(argv[1]);
	close(fd);
	snprintf(dir, sizeof(dir), "%s", argv[2]);
	*strrchr(dir, '/') = '\0';
	fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, n) != n)
		return way_failed("O_TMPFILE");
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, argv[2], AT_SYMLINK_FOLLOW) < 0)
		return way_failed("linkat");
	close(fd);
	return way_with_open(argv[2], O_RDONLY, way_read);
}
