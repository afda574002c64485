// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: /proc/PID/mem. */
#include "mem.h"

static int take(const struct victim *v)
{
	char name[64], bytes[WAY_BYTES];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/mem", v->pid);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		return way_failed(name);
	n = pread(fd, bytes, sizeof(bytes), (off_t)v->at);
	return n < 0 ? way_failed("pread") : way_check(bytes, n);
}

static int get(const char *path)
{
	return victim_each(path, take);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
