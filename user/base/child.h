/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of our own that work behind walls: how they are started, and stay out of the way. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * Starts `program` (a path) with `argv` (NULL ends it), no environment, no signal blocked or
 * ignored, and of descriptors nothing but fds[i] as i, for i below nr. Each fds[i] must be at least
 * nr, or i itself. 0, and *out_pid is for the caller to reap; else -errno of posix_spawn(3).
 */
int child_spawn(const char *program, char *const argv[], const int *fds, int nr, pid_t *out_pid);

/*
 * Called by such a program at its start: from now on it gets processors and disks when nobody else
 * wants them, and goes first where memory is short. What cannot be had is left.
 */
void child_step_back(void);
