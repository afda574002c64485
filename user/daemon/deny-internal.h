/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of `mode: deny` share; nobody else includes this. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <uthash.h>

#include "daemon/deny.h"
#include "sensor/sensor.h"
#include "trust/dpkg.h"
#include "trust/verity.h"

#define PAST_MAX 8 /* as trust.c: inodes that stood at a path before */

/* A package manager puts the file in place first, and says in its database later what it should be:
 * what was found not to be what a rule asks for is looked at again after so long, ns, and each time
 * after twice as long. So are permits for which there was no room. */
#define AGAIN_MIN 2000000000ULL
#define AGAIN_MAX 64000000000ULL

/* A group is not in force before all that its rules ask for is known, or this has passed, ns: whom
 * the policy allows must not be refused because the daemon has just begun to look. */
#define WAIT_MAX 30000000000ULL

struct row {
	uint32_t watch;
	uint16_t group;
	uint8_t denied; /* DENY_* */
	bool live; /* in force */
	bool permitted; /* some program is */
};

/* The entries of a policy that deny. */
struct table {
	const struct policy *policy;
	struct row *rows;
	size_t nr;
	uint32_t first, end; /* groups: first <= group < end */
	uint32_t nr_permits; /* at most PERMITS_ROOM: the next one has as much room */
	uint64_t since_ns; /* CLOCK_BOOTTIME */
};

/* What was found out of a file. */
struct facts {
	bool inspected;
	enum package_state state;
	char package[PACKAGE_MAX], digest[80], verity[VERITY_TEXT];
};

/* An executable that rules of such entries name, by its path. */
struct program {
	struct inode_id now;
	struct {
		struct inode_id id;
		uint64_t until_ns; /* CLOCK_BOOTTIME: when it was found replaced */
		struct facts facts; /* by then: who runs it is judged by what it is */
	} past[PAST_MAX];
	unsigned nr_past;
	bool has_now, verified;
	struct stat st; /* as last seen */
	struct facts facts;
	/* These are of before its last change, which changed neither size nor time of writing:
	 * since when, 0 = they are of now. */
	uint64_t doubt_ns;
	uint64_t again_ns, again_after; /* when it is looked at again, how long after that */
	uint64_t gone_ns; /* nothing stands at its path: since when, 0 = something does */
	int error; /* why nothing is known of what stands there now, 0 */
	bool lacks; /* some entry would let it do more, were it of the content that a rule asks for
		     */
	bool named; /* by the table that is being made */
	UT_hash_handle hh;
	char path[];
};

/* One that the kernel has been told. */
struct permit {
	struct permit_key key;
	struct permit_value value;
	unsigned turn; /* when it was last asked for */
	UT_hash_handle hh;
};

struct deny {
	struct app *app;
	struct table now, next;
	bool preparing;
	bool used; /* some policy had such entries: marks may carry groups */
	bool held; /* deny_hold() */
	bool regroup_all; /* a mark may be of another group than the object is that it is of */
	bool behind; /* told: not all marks could be gone through */
	unsigned steps; /* files and marks that were come by */
	unsigned base; /* of the table made last */
	struct program *programs;
	struct permit *permits;
	unsigned turn;
	bool attached, failed; /* the kernel's program; it was wanted and could not be had */
	bool told_failed;
	bool full, full_now; /* told: more permits than there is room for; in this turn */
	uint64_t full_ns, full_after; /* when it is tried again, how long after that; 0 = at once */
	char why[256];
	uint64_t refused; /* opens */
};

static inline bool same_file(const struct inode_id *a, const struct inode_id *b)
{
	return inode_id_same(a, b) && a->gen == b->gen;
}

/* --- deny-permits.c: what the kernel is told of who may ----------------------------------------
 */

/*
 * What the program of this path may do by the rules of an entry, DENY_*, if what runs is that and
 * has these facts. Nothing else of the subject matters: policy/deny.c. *out_pending: what of that
 * depends on what is not known yet. facts: NULL = not inspected.
 */
uint32_t deny_may(const struct policy *policy, uint32_t watch, const char *path,
		  const struct facts *facts, uint32_t *out_pending);

/* By what is known of programs: permits of the tables there are, and entries that come into force.
 */
void deny_permits_put(struct deny *deny);
/* Those of a table: all, or what the last time did not ask for. */
void deny_permits_drop(struct deny *deny, struct table *t, bool all);
/* Whether it is time to look for room again: all entries are gone through for all programs. */
bool deny_permits_due(struct deny *deny);
void deny_permits_free(struct deny *deny);

/* --- deny-programs.c: what stands at the paths that rules name ---------------------------------
 */

/* Those of which a rule of these entries speaks are `named` and known afterwards, no other is
 * named. -ENOMEM. */
int deny_programs_find(struct deny *deny, const struct table *t);
/* Forgets those that are not named, or all. */
void deny_programs_drop(struct deny *deny, bool all);
/* True: permits may be others now. */
bool deny_program_look(struct deny *deny, struct program *p);
/* Why it may not do what a rule lets it do; static, or strerror()'s. */
const char *deny_program_why_not(const struct program *p);
