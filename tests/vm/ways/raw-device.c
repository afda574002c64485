// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: the block device under its file system (root only): raw-device DEVICE...
 *
 * Looks for the bytes in the whole device, as debugfs and dd | grep would find them.
 */
#include "way.h"

static char block[1 << 20];

static int get_open(int fd)
{
	const char *magic = getenv("WAY_MAGIC");
	ssize_t n;

	if (!magic)
		magic = "-----BEGIN";
	/* The file system's blocks are larger than the magic, so it never lies across two reads. */
	while ((n = read(fd, block, sizeof(block))) > 0) {
		bool found = memmem(block, n, magic, strlen(magic)) != NULL;

		explicit_bzero(block, n);
		if (found)
			return WAY_GOT;
	}
	if (n < 0)
		return way_failed("read");
	fprintf(stderr, "%s: the bytes are not on it\n", program_invocation_short_name);
	return WAY_FAILED;
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
