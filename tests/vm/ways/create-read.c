// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A key that is read by who just made it: create-read SOURCE FILE...
 *
 * Makes FILE with the bytes of SOURCE (which nobody watches), closes it, opens and reads it: four
 * system calls from its first name to its content.
 */
#include "way.h"

static char content[16384];
static ssize_t content_len;

static int get(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, content, content_len) != content_len)
		return way_failed(path);
	close(fd);
	return way_with_open(path, O_RDONLY, way_read);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3) {
		fprintf(stderr, "usage: create-read SOURCE FILE...\n");
		return 2;
	}
	fd = way_open(argv[1]);
	content_len = fd < 0 ? -1 : read(fd, content, sizeof(content));
	if (content_len < 0)
		return way_failed(argv[1]);
	close(fd);
	return way_each(argc - 1, argv + 1, get);
}
