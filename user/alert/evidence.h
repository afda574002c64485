/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is recorded of an access, whether or not it is an alert: made by the engine, written by the
 * journal (docs/journal.md). A view: everything is the engine's and valid during the call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "policy/policy.h"

struct evidence {
	uint64_t now_ns; /* when it is recorded; this and all times CLOCK_REALTIME ns */
	/* How often between first and last. `repeat`: so often again, after one that was told. */
	uint64_t count, first_ns, last_ns;
	bool repeat;

	enum policy_action action;
	const char *how; /* access_how_str() or memory_how_str(), static */
	enum verdict verdict;
	const char *why, *file; /* what the policy said, and where: policy_answer */
	unsigned line;

	/* Who: of a repeat the last one. Spans are as the kernel told them, not escaped. */
	struct proc_id process;
	uint32_t uid, euid, loginuid, session; /* the last two UID_UNSET: none */
	const char *user, *login_user; /* escaped, NULL = not known */
	struct span exe;
	enum exe_trust exe_trust;
	uint32_t untrusted; /* enum untrusted */
	const char *args; /* escaped, and redacted as the policy says; "" = none */
	/* The script that the executable runs, raw; how that is known, as in alert.h, static. */
	struct span script;
	const char *script_evidence; /* "" = there is none */
	enum exe_trust script_trust; /* observed only */
	enum session_type session_type; /* how the session began */
	const char *remote; /* from which host, raw; "" = from none, or not known */
	const char *unit, *container; /* escaped, "" = none */
	struct span image, image_id; /* as in alert.h, raw; empty = in none, or not known */
	const char *image_container; /* as in alert.h */

	/* What: a file, or the memory of `target` (tgid 0 with `memory`: the machine's). */
	bool memory;
	struct inode_id inode;
	struct span path;
	const char *watch, *object_class; /* "" = not known */
	const struct key_identity *key; /* NULL = not known */
	struct proc_id target;
};

/* Something may be missing between the two times. */
struct evidence_gap {
	uint64_t now_ns, from_ns, to_ns; /* CLOCK_REALTIME ns */
	uint64_t count; /* 0 = not known */
	struct span cause; /* as event_gap */
	const char *user; /* whose accesses were not recorded one by one; NULL = not about one */
};
