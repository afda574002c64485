// SPDX-License-Identifier: GPL-2.0-or-later
/* Not a way: has the kernel read the partition table of each DEVICE, as partprobe does. */
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "way.h"

static int get(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct loop_info64 info = {};

	if (fd < 0)
		return way_failed(path);
	/* A loop device has partitions only if it is told to. */
	if (ioctl(fd, LOOP_GET_STATUS64, &info) == 0) {
		info.lo_flags |= LO_FLAGS_PARTSCAN;
		if (ioctl(fd, LOOP_SET_STATUS64, &info) < 0)
			return way_failed("LOOP_SET_STATUS64");
	}
	if (ioctl(fd, BLKRRPART) < 0)
		return way_failed("BLKRRPART");
	close(fd);
	return WAY_GOT;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
