/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deeds that say something together only. Told are those of who was alerted about: what the policy
 * allows or expects counts for nothing, so ssh may read a key and connect.
 *
 * Pure, time is what the events say. Bounded: RULES_GROUPS groups and RULES_READERS processes, of
 * which the one used longest ago gives way (and is counted from nothing again), of processes one
 * that only connects first. Each combination is told once for its group in RULES_AGAIN_NS, or for
 * its process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

#define RULES_KEYS	5 /* different keys ... */
#define RULES_WINDOW_NS 60000000000ULL /* ... in this time are many; so long is blindness fresh */
#define RULES_AGAIN_NS	600000000000ULL
#define RULES_GROUPS	1024
#define RULES_READERS	1024

enum trail_rule {
	RULE_MANY_KEYS = 1, /* one login, or one unit, reads many keys in a window */
	RULE_FIRST_READER, /* nobody was seen to read the key before */
	RULE_READ_THEN_CONNECT, /* who read a key talks to another host */
	RULE_ARCHIVE_THEN_CONNECT, /* so does who read a copy of one, an archive say */
	RULE_DUMPED_BY_OTHER, /* who read the memory of another user's holder has written a dump */
	RULE_FOREIGN_DUMP, /* keys were found in a dump, and nothing says how they came there */
	RULE_READ_BEFORE_VERDICT, /* a dump was read, and then keys were found in it */
	RULE_BLIND_THEN_READ, /* events were lost, and then a key was read */
	RULE_NR
};

const char *trail_rule_str(enum trail_rule rule); /* "many-keys" */

struct trail_rules;

struct trail_rules *trail_rules_new(void); /* NULL: out of memory */
void trail_rules_free(struct trail_rules *rules);

/* Who belongs together: a login, else what `unit` is (0 = alone). */
uint64_t trail_rules_group(const struct subject *subject, uint64_t unit);

/*
 * It was alerted that a key was read; `copy`: in a file in which a scan has found it, which counts
 * for a connection only. RULE_FIRST_READER is not known here: trail_graph_first_reader(). Returns
 * bits 1 << enum trail_rule of what that completes.
 */
uint32_t trail_rules_read(struct trail_rules *rules, uint64_t time, uint64_t group,
			  const struct proc_id *reader, uint64_t object, bool copy);
/* A process talks to another host: likewise. */
uint32_t trail_rules_connect(struct trail_rules *rules, uint64_t time, const struct proc_id *who);
/*
 * A process has memory of this host in hand that is not its own: it reads it, or dumps are handed
 * to it. `others`: it was alerted that it reads that of another user's holder.
 */
void trail_rules_memory(struct trail_rules *rules, const struct proc_id *who, bool others);
/* A process has written a dump: bits as above. */
uint32_t trail_rules_dumped(struct trail_rules *rules, const struct proc_id *who);
/* Keys were found in a dump that it wrote, and nothing else says whose they are: likewise. */
uint32_t trail_rules_foreign(struct trail_rules *rules, const struct proc_id *who);
/* Events about reads were lost, or the sensor was blind. */
void trail_rules_blind(struct trail_rules *rules, uint64_t time);

size_t trail_rules_bytes(const struct trail_rules *rules);
