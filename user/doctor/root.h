/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a host's files below a directory: "/" for this host, or a tree that a test or an image
 * has. Every path begins with `/` and is resolved inside (openat2 RESOLVE_IN_ROOT, Linux 5.6): no
 * link leads out. Nothing but regular files and directories is opened for reading, so nothing can
 * make it wait that is no file system.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/cleanup.h"

#define ROOT_TEXT_MAX  (1 << 20) /* bytes of a configuration */
#define ROOT_NAMES_MAX 4096 /* entries of a directory that are looked at */

struct root {
	int fd; /* of the directory, O_PATH */
};

int root_open(const char *dir, struct root *out_root); /* 0 or -errno */
void root_close(struct root *root);

/* A descriptor; -errno. flags: as of open(), O_CLOEXEC and O_NOCTTY are added. */
int root_fd(const struct root *root, const char *path, int flags);

/*
 * All of a regular file, NUL terminated, at most `max` bytes (what is beyond is cut off). The text
 * is the caller's. 0 or -errno; -EISDIR, -ENODEV for what is no file.
 */
int root_read(const struct root *root, const char *path, size_t max, char **out_text,
	      size_t *out_len);
/* Its first line without the newline, cut to size; 0 or -errno. */
int root_line(const struct root *root, const char *path, char *out, size_t size);
/* Where a symbolic link points, as written. 0 or -errno. */
int root_link(const struct root *root, const char *path, char *out, size_t size);

struct root_names {
	char **names; /* sorted bytewise */
	size_t nr;
	int cut; /* there were more than ROOT_NAMES_MAX */
};

/* Names in a directory that end in `suffix` ("" = all), without `.` and `..`. 0 or -errno. */
int root_list(const struct root *root, const char *path, const char *suffix,
	      struct root_names *out_names);
void root_names_fini(struct root_names *names);
