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

#define RUNTIMES_PATH_SIZE 256 /* with NUL: of each file that is looked for */

/* Why what is there does not count. */
enum runtimes_fault {
	RUNTIMES_NONE, /* it does, or nothing is there */
	RUNTIMES_OWNER, /* not root's */
	RUNTIMES_WRITABLE, /* others may write it */
	RUNTIMES_TYPE, /* a link, say */
	RUNTIMES_SIZE, /* beyond the bounds above */
	RUNTIMES_FORMAT, /* no JSON, or not that of its kind */
	RUNTIMES_SILENT, /* its file system may not answer */
	RUNTIMES_UNREADABLE, /* it could not be opened or read */
	RUNTIMES_FAULT_NR
};

const char *runtimes_fault_str(enum runtimes_fault fault); /* a word */
const char *runtimes_fault_text(enum runtimes_fault fault); /* what is said behind the path */

struct runtimes_refused {
	enum runtimes_fault fault;
	char path[RUNTIMES_PATH_SIZE]; /* of the file or directory, without `root`; printable */
};

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
 *
 * Whatever comes of it, *refused is the first file or directory that was there and did not count,
 * of any container's runtime: who finds nothing may look for the cause there.
 */
int runtimes_find_image(const struct runtimes *runtimes, struct span container,
			struct runtimes_refused *refused, struct container_image *out_image);
