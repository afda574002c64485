// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: O_PATH, which opens nothing, then /proc/self/fd/N, which does. */
#include "way.h"

static int get_open(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return way_with_open(path, O_RDONLY, way_read);
}

static int get(const char *path)
{
	return way_with_open(path, O_PATH, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
