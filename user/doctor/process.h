/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc says of a process that bears on its memory getting into a dump. Gathered from a root
 * (root.h), judged by checks-holder.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/root.h"
#include "doctor/smaps.h"

#define LIMIT_INFINITY	UINT64_MAX
#define SMAPS_TEXT_MAX	(64u << 20) /* bytes of smaps that are read */
#define HELD_PLACES_MAX 64 /* of one key in one process that are kept */
#define HELD_KEYS_MAX	256 /* of one process */

enum dumpable {
	DUMPABLE_UNKNOWN, /* could not be looked at, or a process of root: it does not show */
	DUMPABLE_YES,
	DUMPABLE_NO, /* or as fs.suid_dumpable says: that cannot be told apart from outside */
};

/* Where in memory a key stands. */
struct held_place {
	uint64_t address;
	bool mapped; /* `mapping` is known */
	bool in_core; /* as far as the mapping decides it; true if that is not known */
	struct mapping mapping;
};

/* A key that a process holds, by its public names. All text escaped. */
struct held_key {
	char name[160]; /* fingerprint, keygrip, or what is known instead */
	char label[96]; /* the site's name for it, or its path; "" = none */
	char kind[32]; /* "RSA 2048" */
	struct held_place *places; /* NULL: not searched for */
	size_t nr_places;
	uint64_t places_left_out;
};

struct process_facts {
	uint32_t pid;
	uint64_t start; /* clock ticks since boot, as in /proc/PID/stat; 0: not known */
	bool kernel_thread;
	char comm[64]; /* escaped, as all text */
	char exe[256]; /* "" = not known */
	char unit[128]; /* of systemd, "" = none; for people: a user names his own as he likes */
	char service[128]; /* of the system, which only root can name, all of its processes being in
			    * the service's own cgroup. As systemd has it, escapes and all: of
			    * nothing but letters, digits and :_.\@- . "" = none */
	uint32_t uid, euid; /* UINT32_MAX: not known */
	enum dumpable dumpable;
	bool core_dumping; /* a dump is being written now */
	int limits_error; /* 0: the next two are known, else -errno */
	uint64_t core_soft, core_hard; /* bytes, LIMIT_INFINITY */
	int filter_error;
	unsigned filter; /* coredump_filter */
	int locked_error;
	uint64_t locked_kib;
	char cwd[256]; /* "" = not known */
	int smaps_error; /* 0: of each place below the mapping was looked for */
	bool swept; /* its memory was searched: keys below are all that were looked for and found */
	struct held_key *keys;
	size_t nr_keys;
	uint64_t keys_left_out;
};

/* Pure: of the text of /proc/PID/limits, whose line "Max core file size" it is. 0 or -ENODATA. */
int limits_core(const char *text, uint64_t *out_soft, uint64_t *out_hard);
/* Pure: a field of /proc/PID/status, without the blanks around it, tabs as blanks. 0 or -ENODATA.
 */
int status_field(const char *text, const char *name, char *out, size_t size);
/* Pure: pid, flags and start of /proc/PID/stat, whatever the process calls itself. 0, -ENODATA. */
int stat_fields(const char *text, uint32_t *out_flags, uint64_t *out_start);
/*
 * Files in /proc/PID belong to the process's euid as long as it is dumpable, and to root else
 * (task_dump_owner() in the kernel's fs/proc/base.c).
 */
enum dumpable dumpable_by_owner(uint32_t euid, uint32_t owner_of_file);

/* -ESRCH: there is none; -ENOMEM. What else cannot be looked at is so marked in the facts. */
int process_facts(const struct root *root, uint32_t pid, struct process_facts *out_facts);
void process_facts_fini(struct process_facts *facts);

/* A new key at the end; NULL: no room (counted) or no memory. */
struct held_key *process_add_key(struct process_facts *facts);
void held_key_add_place(struct held_key *key, uint64_t address);
/* Looks up the mappings that places are in. 0 or -errno, which is in `smaps_error` as well; -E2BIG:
 * not in all of them. */
int process_map_places(const struct root *root, struct process_facts *facts);
