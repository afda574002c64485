/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to a file by names that others may change meanwhile.
 *
 * Name by name, each opened for itself (O_PATH), so that what was looked at is what is used. No
 * symbolic link is followed unaware: a user's link leads only to what is that user's own, or
 * anybody could have any file of the host taken for whatever he likes. And no file system is
 * entered that may keep its caller waiting: RESOLVE_NO_XDEV (openat2(2), Linux 5.6; the probes need
 * 5.8) stops at each mount point, and who knows the mounts is asked. Opening with O_PATH and
 * looking at the descriptor's mount number wait for no server; stat() and every other open do.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct reach {
	/* Whether the file system that `fd` (O_PATH) lies on answers at once. NULL: all do. */
	bool (*answers)(void *userdata, int fd);
	void *userdata;
};

#define REACH_SELF_MAX 32

/* The path by which a descriptor of ours can be opened once more. */
const char *reach_self(int fd, char out[static REACH_SELF_MAX]);

/* The absolute path by which the kernel knows what is open as `fd`, as this process sees it. False:
 * the name by which it was opened is gone (or looks so: it ends in " (deleted)"), or too long. */
bool reach_fd_name(int fd, char out[static PATH_MAX]);

/* Cuts the first name off *path. Returns its length, 0 at the end, -ENAMETOOLONG. */
int reach_next(const char **path, char name[static NAME_MAX + 1]);

/*
 * What is called `name` in the directory `dir`: an O_PATH descriptor, of a link itself. Negative
 * errno, -EREMOTE if something is mounted there that may not answer.
 */
int reach_name(const struct reach *reach, int dir, const char *name);

/*
 * What has this absolute path, as above. Links in it, the last name too, are followed by the rule
 * above if `follow`, else -ELOOP. -EPERM: a link to what is not its owner's.
 */
int reach_path(const struct reach *reach, const char *path, bool follow);

/* What the symbolic link that is open as `link` leads to from its directory, by the same rule. */
int reach_target(const struct reach *reach, int dir, int link);
