/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a host's settings decides where memory goes: cores, swap, kernel dumps, crash reports,
 * and who may look at them. Gathered from a root (root.h), judged by checks-host.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/conf.h"
#include "doctor/root.h"

/* A setting and where it stood. error: 0 known; -ENOENT: not there; else why it could not be read.
 */
struct fact {
	int error;
	char path[160]; /* of the file that decided; static ones before it was looked at */
	char value[256]; /* escaped */
};

enum core_kind {
	CORE_UNKNOWN,
	CORE_NOWHERE, /* an empty pattern, /dev/null, or a helper that throws it away */
	CORE_RELATIVE, /* a file in the directory where the process happens to be */
	CORE_FILE, /* a file in `dir` */
	CORE_SYSTEMD, /* systemd-coredump */
	CORE_APPORT,
	CORE_ABRT,
	CORE_HELPER, /* another program */
	CORE_SOCKET, /* a server that listens on a socket (Linux 6.16) */
};

/* A place where dumps are kept. */
struct dump_dir {
	char path[256]; /* "" = there is none */
	int error; /* 0: what follows is known */
	unsigned mode;
	uint32_t uid, gid;
	int acl_error; /* of the next two, which are empty where it has none */
	struct acl access_acl, default_acl;
	int mount_error; /* of the next two */
	bool remote; /* on a file system that leaves the host */
	char type[64]; /* of the file system, "" = not known */
	int files_error; /* not all of them could be looked at; what follows was seen */
	unsigned files, open_files; /* dumps that lie there; of them those that others can read */
	char open_example[256]; /* one of these, its name escaped; "" = none */
	unsigned open_mode;
	struct fact age; /* what tmpfiles.d says of it; error: as of a fact */
};

#define SWAPS_MAX 16

struct swap {
	char path[256];
	enum { SWAP_PLAIN, SWAP_ENCRYPTED, SWAP_MEMORY /* zram without a disk behind */ } kind;
	bool known; /* `kind` could be found out */
};

struct host_facts {
	struct fact suid_dumpable, core_pattern, ptrace_scope, lockdown;
	enum core_kind core;
	bool core_limit_told; /* a helper: it gets the soft limit of the process (%c) */
	struct fact storage, external_max, max_use, keep_free; /* coredump.conf, as far as set */
	struct dump_dir dumps; /* of `core`, where that is a place */
	int swaps_error;
	struct swap swaps[SWAPS_MAX];
	size_t nr_swaps;
	bool hibernates; /* a place to resume from is set */
	struct fact resume;
	bool resume_encrypted;
	struct fact kdump_loaded; /* a crash kernel is in memory */
	struct fact kdump_target; /* where a kernel's dump is sent to over the network */
	struct fact kdump_level; /* level of makedumpfile; -ENOENT: it is not filtered */
	bool kdump; /* configured */
	struct fact upload; /* a setting by which crash reports go to somebody else */
	struct fact syslog_remote; /* the line that sends logs away; -ENOENT: there is none */
};

/* Fills all of it; what cannot be had is so marked. */
void host_facts(const struct root *root, struct host_facts *out_facts);

/* Pure: whether a core_pattern has %c in it, and so hands the core limit of the process on. */
bool core_pattern_tells_limit(const char *pattern);

/* Pure: which kind a core_pattern is; the directory of CORE_FILE into `dir`. */
enum core_kind core_pattern_kind(const char *pattern, char *dir, size_t size);
/* A file or directory as dumps are kept in. */
void dump_dir_facts(const struct root *root, const char *path, struct dump_dir *out_dir);
/* 1: encrypted, or lies on what is; 0: not; -errno: it cannot be known. name: "dm-1", "sda2". */
int device_encrypted(const struct root *root, const char *name, unsigned depth);
void swap_facts(const struct root *root, struct host_facts *facts);
void kdump_facts(const struct root *root, struct host_facts *facts);
void logs_facts(const struct root *root, struct host_facts *facts);

/* One line of a file as a fact. */
void fact_line(const struct root *root, const char *path, struct fact *out_fact);
/* One that is known. path: as it is; value: escaped already. Both are cut to what there is room
 * for.
 */
void fact_set(struct fact *fact, const char *path, const char *fmt, ...) _printf_(3, 4);
/* One that could not be had: -errno. */
void fact_fail(struct fact *fact, const char *path, int error);
