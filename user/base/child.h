/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of our own that work behind walls: how they are started, and stay out of the way. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Starts `program` (a path) with `argv` (NULL ends it), no environment, no signal blocked or
 * ignored, and of descriptors nothing but fds[i] as i, for i below nr. Each fds[i] must be at least
 * nr, or i itself. 0, and *out_pid is for the caller to reap; else -errno of posix_spawn(3).
 */
int child_spawn(const char *program, char *const argv[], const int *fds, int nr, pid_t *out_pid);

/*
 * Whom such a program runs as once it has left root: a user of its own, made by
 * packaging/sysusers.d, as whom nothing else runs. Who is nobody shares that with other daemons,
 * and any of them could stop it, or kill it.
 */
#define CHILD_USER "keytrail-scan"
/* With its number: packaging/sysusers.d/keytrail.conf says why. */
#define CHILD_USERADD \
	"useradd --system --uid 613 --user-group --shell /usr/sbin/nologin " CHILD_USER

struct child_user {
	uid_t uid;
	gid_t gid;
	bool own; /* false: it is nobody, 65534 */
	const char *fault; /* why it is not its own, a sentence's end; NULL if it is. Static */
};

/*
 * By lines of passwd(5); NULL = there are none. Not root, whatever a line says, and not a number
 * that another name has, too.
 */
struct child_user child_user_of(FILE *passwd);

/* By /etc/passwd, where the users of packages are. No name service is asked: it may take seconds,
 * and has threads. */
struct child_user child_user(void);

/* All ids, and no other groups: -errno; there is no way back. Capabilities are the caller's. */
int child_leave_root(const struct child_user *user);

/*
 * Called by such a program at its start: from now on it gets processors and disks when nobody else
 * wants them, and goes first where memory is short. What cannot be had is left.
 */
void child_step_back(void);
