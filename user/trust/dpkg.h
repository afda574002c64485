/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which package a file belongs to, and whether it is what that package installed, by dpkg's own
 * files: info/PACKAGE.md5sums, one line "MD5  PATH" for each file, PATH without the first slash
 * (deb-md5sums(5), and `dpkg --verify`, which compares the same). They are root's. There is no
 * libdpkg to ask: it is built into dpkg.
 *
 * The files of all packages are gone through, some tens of megabytes on a full system: this is for
 * a thread of its own, and its answers are worth keeping. Nothing is kept here, so an upgrade needs
 * no refreshing.
 */
#pragma once

#include "model/event.h"
#include "policy/policy.h" /* DPKG_INFO */

#define PACKAGE_MAX 128 /* with NUL: "libssl3:amd64" */

/*
 * `path` is absolute; md5 of what stands there, as 32 hex digits. *out_state is PACKAGE_INTACT or
 * PACKAGE_MODIFIED with the package's name in out_package, PACKAGE_NONE, or PACKAGE_UNKNOWN where
 * there is no database. A package that lists the file under its name from before /usr was merged
 * (bin/ssh) owns it too; one whose sum is right goes before one whose sum is not (diversions). Safe
 * in any thread.
 */
void dpkg_find(const char *info, const char *path, const char *md5,
	       char out_package[static PACKAGE_MAX], enum package_state *out_state);
