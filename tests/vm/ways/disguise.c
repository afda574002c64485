// SPDX-License-Identifier: GPL-2.0-or-later
/* A reader that calls itself another program, by its arguments and its name: disguise AS FILE... */
#include <sys/prctl.h>

#include "way.h"

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, way_read);
}

int main(int argc, char **argv)
{
	char self[PATH_MAX];

	if (argc < 2)
		return 2;
	/* Once more, with what it is called in the place of its own name. */
	if (!getenv("DISGUISED")) {
		setenv("DISGUISED", "1", 1);
		way_beside("disguise", self);
		execv(self, argv + 1);
		return way_failed("exec");
	}
	prctl(PR_SET_NAME, strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], 0, 0, 0);
	return way_each(argc, argv, get);
}
