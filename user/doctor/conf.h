/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small languages of configurations that doctor looks at. Pure; none of them is parsed whole,
 * only as far as a setting that is asked for needs it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The last value of `key` in `section` of an ini file as systemd reads it (comments with # and ;,
 * blanks around `=`, a backslash at the end of a line continues it). section NULL: before any, or
 * in files without. False if it is not set. An empty value is a value.
 */
bool conf_ini(const char *text, const char *section, const char *key, char *out, size_t size);

/* The last KEY=value of a file that a shell sources, without its quotes; `export` may precede. */
bool conf_shell(const char *text, const char *key, char *out, size_t size);

/* The last line that begins with the word `key`: what follows it (kdump.conf, "nfs host:/x"). */
bool conf_word(const char *text, const char *key, char *out, size_t size);

/* The value of NAME=value in a kernel command line; the last one counts. */
bool conf_cmdline(const char *text, const char *name, char *out, size_t size);

/*
 * The age of what tmpfiles.d(5) says of `path` ("3d", "-" or "" = none). False if no line of a
 * type that makes or cleans a directory is about it.
 */
bool conf_tmpfiles(const char *text, const char *path, char *out_age, size_t size);

/* Whether a rsyslog or syslog-ng configuration sends anywhere else: the line, cut, escaped. */
bool conf_syslog_remote(const char *text, char *out, size_t size);

struct mount {
	char path[512]; /* escapes undone; cut = not found */
	char type[64]; /* "ext4", "fuse.sshfs" */
	char source[256];
	unsigned major, minor;
};

/* Of the text of /proc/PID/mountinfo: on which mount `path` lies. False: none was read. */
bool conf_mount_of(const char *mountinfo, const char *path, struct mount *out_mount);
bool conf_mount_remote(const char *type); /* its files can be read elsewhere, or pass a network */

#define ACL_NAMED_MAX 16

/* Others than owner, group and other whom an ACL lets read. */
struct acl {
	size_t nr; /* of named; more are counted */
	struct {
		bool group;
		uint32_t id;
	} named[ACL_NAMED_MAX];
};

/* Of the extended attribute system.posix_acl_access or _default (acl(5), linux/posix_acl_xattr.h).
 * 0 or -EBADMSG. */
int conf_acl(const uint8_t *bytes, size_t len, struct acl *out_acl);
