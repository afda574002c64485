// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A key in a tree that is moved to where it is watched, read at once: move-read FROM TO FILE...
 *
 * Renames FROM to TO; the very next system call opens TO/FILE.
 */
#include "way.h"

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	int worst = WAY_GOT;

	if (argc < 4) {
		fprintf(stderr, "usage: move-read FROM TO FILE...\n");
		return 2;
	}
	if (snprintf(path, sizeof(path), "%s/%s", argv[2], argv[3]) >= (int)sizeof(path))
		return WAY_FAILED;
	if (rename(argv[1], argv[2]) < 0)
		return way_failed(argv[1]);
	for (int i = 3; i < argc; i++) {
		int r;

		if (i > 3)
			snprintf(path, sizeof(path), "%s/%s", argv[2], argv[i]);
		r = way_with_open(path, O_RDONLY, way_read);
		if (r)
			worst = r;
	}
	return worst;
}
