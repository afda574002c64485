/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accesses are recorded, so that a busy server does not fill the evidence log: the first of
 * its kind at once, its repeats as one count when the window ends.
 *
 * A kind is: object, executable, script, unit, uid, login, action, way and verdict. Processes of
 * one kind are told apart only by the first and the last one. The first waits up to
 * EVIDENCE_KEY_WAIT_NS for the key's name. Bounded: EVIDENCE_KINDS_MAX at a time, the one begun
 * first is summed up early; of one user EVIDENCE_SHARE new kinds in a window (root:
 * EVIDENCE_SHARE_ROOT), with what share.h says about others' objects; what is beyond is counted and
 * told as a gap. Pure, fixed memory. Times are CLOCK_BOOTTIME ns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/evidence.h"
#include "engine/share.h"
#include "model/event.h"
#include "policy/policy.h"

#define EVIDENCE_KINDS_MAX   2048
#define EVIDENCE_KEY_WAIT_NS 1000000000ULL
#define EVIDENCE_SHARE	     1000
#define EVIDENCE_SHARE_ROOT  100000

struct records;

/* An access that was judged. Everything is copied. */
struct record {
	const struct subject *subject;
	uint64_t object; /* of memory: a number for it */
	struct inode_id inode;
	enum policy_action action;
	enum verdict verdict;
	enum exe_trust exe_trust;
	uint32_t untrusted;
	const struct policy_answer *answer; /* its strings live as long as the policy */
	const struct watch_entry *entry; /* likewise; NULL = not known */
	const char *how; /* static */
	struct span exe, args, cgroup, path;
	struct span script; /* that the kernel started the executable for; empty = none */
	enum exe_trust script_trust;
	bool args_cut, cgroup_cut, memory;
	struct proc_id target;
	uint64_t count, first, last;
};

/* One kind, when it is to be told: `again` = its repeats. Valid during the call. */
struct record_kind {
	struct subject subject; /* of the last one, if `again` */
	uint64_t object, count, first, last;
	struct inode_id inode;
	enum policy_action action;
	enum verdict verdict;
	enum exe_trust exe_trust;
	uint32_t untrusted;
	const char *why, *file, *how;
	unsigned line;
	const struct watch_entry *entry;
	bool memory, args_cut, cgroup_cut;
	struct proc_id target;
	struct span exe, args, cgroup, path, script;
	enum exe_trust script_trust;
};

/* `now`: when it is told. Returns false if it had better wait for the object's key, until it is
 * `late`. */
typedef bool (*records_fn)(void *ctx, const struct record_kind *kind, bool again, bool late,
			   uint64_t now);

struct records *records_new(records_fn fn, share_fn held_back, void *ctx);
void records_free(struct records *records);

void records_add(struct records *records, const struct record *record, const struct share_case *c,
		 uint64_t now);
void records_tick(struct records *records, uint64_t now, uint64_t window);
uint64_t records_next(const struct records *records, uint64_t window);
void records_flush(struct records *records, uint64_t now);
size_t records_bytes(const struct records *records);
