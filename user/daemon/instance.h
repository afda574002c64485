/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One daemon a host: a lock that its holder's death gives back. */
#pragma once

#include <sys/types.h>

/*
 * Takes the lock at `path` and writes our process id into it. Returns a descriptor to keep open;
 * -EBUSY with *out_holder the process id of the other (0 = not known); other negative errno.
 */
int instance_lock(const char *path, pid_t *out_holder);
