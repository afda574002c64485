/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of a descriptor in /proc/self/fdinfo (proc(5)). */
#pragma once

/*
 * The id of the mount that `fd` was opened on, as in /proc/self/mountinfo. Does not ask the file
 * system, which may not answer. -1: not to be had.
 */
int fdinfo_mount(int fd);
