/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rpm package a file belongs to, and whether it is what that package installed. The database
 * is read by librpm, and librpm by a child of its own, keytrail-rpm (user/rpm-child/), which has no
 * rights and is there only if keytrail was built with librpm. What it says is checked as anybody's
 * word.
 */
#pragma once

#include <stdint.h>

#include "model/event.h"
#include "trust/dpkg.h" /* PACKAGE_MAX */

struct rpm_reader {
	const char *program; /* NULL: the installed one */
	const char *const *dirs; /* where the database may be, NULL at the end; NULL: RPM_DIRS */
	int timeout_ms; /* 0: RPM_TIMEOUT_MS */
};

#define RPM_TIMEOUT_MS 5000 /* well below ENGINE_PROGRAM_WAIT_NS, which waits for it */

enum rpm_state {
	RPM_NONE = 0, /* this host has no database of rpm */
	RPM_READ, /* it has, and what reads it */
	RPM_NO_READER, /* it has, but keytrail was built without librpm */
	RPM_STATE_NR
};
const char *rpm_state_str(enum rpm_state state);

/* Of this process, since it began. */
struct rpm_counts {
	uint64_t answered, timed_out;
	unsigned left; /* killed, and still there: they hang in the kernel (a dead file system) */
};
void rpm_counts(struct rpm_counts *out_counts); /* safe in any thread */

/* So many are left, and no more are started until one has gone. */
#define RPM_LEFT_MAX 8

/* reader NULL: the installed one, and rpm's places. */
enum rpm_state rpm_state(const struct rpm_reader *reader);

/*
 * `path` is absolute; its content by both hashes: sha256 as "sha256:" and digits, md5 as digits. 0
 * with *out_state PACKAGE_INTACT, PACKAGE_MODIFIED (both with the package, as
 * "openssh-clients:x86_64") or PACKAGE_NONE. A file that is only announced (%ghost) counts as
 * modified, as nobody installed its content. Of several packages one that has just this content
 * goes before the others. -ENOENT: no database, -ENOSYS: no reader, -ETIMEDOUT, -EBUSY
 * (RPM_LEFT_MAX), -EBADMSG, -EIO (the database cannot be read), or the errno of starting the child;
 * outputs are untouched then. Waits for the child; safe in any thread.
 */
int rpm_find(const struct rpm_reader *reader, const char *path, const char *sha256, const char *md5,
	     char out_package[static PACKAGE_MAX], enum package_state *out_state);
