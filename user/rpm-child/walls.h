/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keytrail-rpm can still do once librpm is let loose: read one directory, write one pipe. */
#pragma once

/*
 * No root, no capabilities, bounds on memory, time and descriptors; of the file system the files in
 * `dir` alone (Landlock, where the kernel has it) and those only for reading; no network, no other
 * process, nothing executable. Not being root is given up where that is not allowed (a test); all
 * else that fails is an error, negative errno.
 */
int walls_enter(const char *dir);
