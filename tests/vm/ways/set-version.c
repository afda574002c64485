// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: its inode's generation changed first (EXT4_IOC_SETVERSION), so that it looks like
 * another file with the same number. Only the owner may, on ext4 without metadata checksums.
 */
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "way.h"

static int set_version(int fd)
{
	long version = 0;

	if (ioctl(fd, FS_IOC_GETVERSION, &version) < 0)
		return way_lacks("GETVERSION");
	version = (int)version + 4711;
	if (ioctl(fd, FS_IOC_SETVERSION, &version) < 0)
		return way_lacks("SETVERSION");
	return WAY_GOT;
}

static int get(const char *path)
{
	/* For writing, so that this is not itself a reading of the key. */
	int r = way_with_open(path, O_WRONLY, set_version);

	return r ? r : way_with_open(path, O_RDONLY, way_read);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
