// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A key whose file is made by mknod, read by who made it: make-mknod SOURCE FILE
 *
 * An open for writing only and one for reading follow; none of them creates it.
 */
#include "way.h"

int main(int argc, char **argv)
{
	char content[16384];
	ssize_t n;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: make-mknod SOURCE FILE\n");
		return 2;
	}
	fd = way_open(argv[1]);
	n = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (n < 0)
		return way_failed(argv[1]);
	close(fd);
	if (mknod(argv[2], S_IFREG | 0600, 0) < 0)
		return way_failed("mknod");
	fd = open(argv[2], O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, content, n) != n)
		return way_failed(argv[2]);
	close(fd);
	return way_with_open(argv[2], O_RDONLY, way_read);
}
