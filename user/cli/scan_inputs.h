/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an argument of `keytrail scan` stands for: a file, each file below a directory, a process by
 * its number, standard input.
 */
#pragma once

#include <stdint.h>

struct scan_target {
	const char *path; /* raw bytes, for opening and for URIs */
	const char *name; /* escaped, for people */
	int fd, maps_fd; /* as scanner_input's; closed by scan_inputs() */
	uint32_t pid;
	int error; /* 0, or the negative errno of opening it; then fd is -1 */
};

/*
 * Calls each() once for every input. Directories are walked in the order of names, without leaving
 * their file system and without following links; what is no regular file is passed over. A number
 * is a process unless a file is called so. -ENOMEM; what each() returns below 0 ends it.
 */
int scan_inputs(const char *argument, int (*each)(void *userdata, const struct scan_target *target),
		void *userdata);
