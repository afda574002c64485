// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: its environment, which is not where mem-holder has it, but where many
 * programs do. */
#include "mem.h"

static int take(const struct victim *v)
{
	char name[64], bytes[WAY_BYTES];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/environ", v->pid);
	fd = open(name, O_RDONLY);
	if (fd < 0 || read(fd, bytes, sizeof(bytes)) < 0)
		return way_failed(name);
	return WAY_GOT;
}

static int get(const char *path)
{
	return victim_each(path, take);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
