// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, read. */
#include "way.h"

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, way_read);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
