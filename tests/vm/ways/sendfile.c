// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, sendfile into a socket, taken out at its other end. */
#include <sys/sendfile.h>

#include "way.h"

static int get_open(int fd)
{
	int ends[2], r = WAY_FAILED;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return way_failed("socketpair");
	if (sendfile(ends[0], fd, NULL, WAY_BYTES) < 0)
		r = way_failed("sendfile");
	else
		r = way_read(ends[1]);
	close(ends[0]);
	close(ends[1]);
	return r;
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
