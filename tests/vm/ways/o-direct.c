// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: past the page cache (O_DIRECT). */
#include "way.h"

enum { BLOCK = 4096 };

static int get(const char *path)
{
	static char block[BLOCK] __attribute__((aligned(BLOCK)));
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC), r;
	ssize_t n;

	if (fd < 0)
		return errno == EINVAL ? way_lacks("O_DIRECT") : way_failed(path);
	n = read(fd, block, sizeof(block));
	if (n < 0)
		r = errno == EINVAL ? way_lacks("O_DIRECT") : way_failed("read");
	else
		r = way_check(block, n);
	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
