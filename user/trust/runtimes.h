/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which image a container of root's was made from: looked up in the files in which docker, podman,
 * CRI-O and containerd keep what they know of their containers, at the places where they keep them
 * unless told otherwise. What counts is a regular file, no larger than the bounds below, that is
 * root's and that nobody else may write, and likewise the directory it lies in and those between
 * that and the one that is named below. What lies further up, and who has mounted what there, is
 * not looked at. So it is what root, or who may tell a runtime that is root's, has had written.
 *
 * They are opened and read at once, and no runtime is asked. Of files that are about all containers
 * it can be kept what they say (trust/storage.h).
 */
#pragma once

#include <sys/types.h>

#include "proc/image.h"

#define RUNTIME_FILE_MAX (8U << 20) /* about all containers */
#define RUNTIME_ONE_MAX	 (1U << 20) /* about one */

struct runtimes_kept;

struct runtimes {
	const char *root; /* "" for this host, or the directory of a test */
	uid_t owner; /* whose files count: 0 */
	/*
	 * An O_PATH descriptor of a runtime's directory by its absolute path, links followed, and
	 * without a step into a file system that may not answer; negative errno. NULL: open(2).
	 * Below it is opened as usual.
	 */
	int (*open)(void *userdata, const char *path);
	void *userdata;
	struct runtimes_kept *kept; /* NULL: nothing is */
};

struct runtimes_kept *runtimes_kept_new(void); /* NULL: out of memory */
void runtimes_kept_free(struct runtimes_kept *kept);

/*
 * 0, or -ENOENT: no file says it, or the id is not a whole one (container_id_is_whole(): any other
 * is not put into a path). Where two say it, docker's goes before podman's and that before
 * containerd's; ids are chosen by chance out of 2^256, so it is the same container.
 */
int runtimes_find_image(const struct runtimes *runtimes, struct span container,
			struct container_image *out_image);
