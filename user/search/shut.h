/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shuts the process in that searches: what is left is to open what is there for reading, whoever
 * owns it, and to talk over the descriptors that it has.
 */
#pragma once

/*
 * child_user(), with CAP_DAC_READ_SEARCH and CAP_FOWNER (O_NOATIME) and no way to get more, not
 * dumpable, without files that it could write; Landlock, where the kernel has it: reading alone;
 * seccomp: no exec, no new process, no change to any file; dies with its parent. With one thread.
 * Negative errno: nothing may be looked at.
 */
int shut_in(void);
