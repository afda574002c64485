// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: it is mapped already, and closed, when anybody begins to look.
 *
 * Maps the file, closes it, says "open" on its standard output and waits until standard input ends;
 * then it looks at the bytes, which nothing in the kernel notices.
 */
#include "way.h"

int main(int argc, char **argv)
{
	char bytes[WAY_BYTES], byte, *map;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: hold-mapped FILE\n");
		return 2;
	}
	fd = way_open(argv[1]);
	if (fd < 0)
		return way_failed(argv[1]);
	map = mmap(NULL, WAY_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return way_failed("mmap");
	close(fd);
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return way_failed("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	memcpy(bytes, map, sizeof(bytes));
	return way_check(bytes, sizeof(bytes));
}
