/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of its own for each test, removed with all that is in it. */
#pragma once

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int tmpdir_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* Setup and teardown for cmocka: *state is the path. */
static inline int tmpdir_make(void **state)
{
	char *path = strdup("/tmp/keytrail-test-XXXXXX");

	*state = path && mkdtemp(path) ? path : NULL;
	return *state ? 0 : -1;
}

static inline int tmpdir_clean(void **state)
{
	nftw(*state, tmpdir_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

/* DIR/NAME in one of four buffers used in turn. */
static inline const char *tmpdir_path(void **state, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", (const char *)*state, name);
	return path;
}
