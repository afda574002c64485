/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/smaps, and whether a mapping goes into the core of its process. Pure; any bytes will
 * do, since names in it are the process's choice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MAPPING_DONTDUMP = 1 << 0, /* dd: MADV_DONTDUMP */
	MAPPING_LOCKED = 1 << 1, /* lo */
	MAPPING_DONTCOPY = 1 << 2, /* dc: MADV_DONTFORK */
	MAPPING_WIPEONFORK = 1 << 3, /* wf */
	MAPPING_IO = 1 << 4, /* io */
	MAPPING_HUGETLB = 1 << 5, /* ht */
	MAPPING_SHARED = 1 << 6, /* by its permissions */
	MAPPING_FLAGS_KNOWN = 1 << 7, /* VmFlags stood there */
	MAPPING_NO_LINK = 1 << 8, /* the file has no name: shared memory, memfd, deleted */
};

struct mapping {
	uint64_t start, end;
	uint64_t inode; /* 0: no file */
	unsigned flags; /* MAPPING_* */
	uint64_t anonymous_kib; /* pages of its own, of a file too */
	uint64_t swap_kib;
	uint64_t locked_kib;
	char perms[5]; /* "rw-p" */
	char name[128]; /* escaped, cut; "" = none */
};

struct smaps {
	const char *p;
	size_t len;
};

/* The next mapping; false at the end. What is no mapping is passed over. */
bool smaps_next(struct smaps *smaps, struct mapping *out_mapping);
/* "dd,lo" of what is set and has two letters, "" if nothing. */
void mapping_flags_text(const struct mapping *mapping, char out[24]);

/* Which bit of /proc/PID/coredump_filter decides (core(5)), or why none does. */
enum core_place {
	CORE_ANON_PRIVATE = 0, /* these nine are the bits */
	CORE_ANON_SHARED,
	CORE_FILE_PRIVATE,
	CORE_FILE_SHARED,
	CORE_ELF_HEADER,
	CORE_HUGE_PRIVATE,
	CORE_HUGE_SHARED,
	CORE_DAX_PRIVATE,
	CORE_DAX_SHARED,
	CORE_DONTDUMP,
	CORE_IO,
	CORE_PLACE_NR
};

#define CORE_FILTER_DEFAULT 0x33u /* the kernel's */

enum core_place mapping_core_place(const struct mapping *mapping);
bool mapping_in_core(const struct mapping *mapping, unsigned filter);
const char *core_place_str(enum core_place place); /* "private-anonymous", "dontdump" */
