/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the keys of this host: the files that the policy names, and by their first bytes those in
 * homes and in given trees that it does not.
 *
 * Of a file that may be a key only the first bytes are compared here; it is read by keytrail-scan,
 * a child in a sandbox (scan/child.h). Links are never followed, pseudo file systems never entered,
 * and network mounts only if told.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/keyid.h"
#include "policy/policy.h"
#include "policy/watchset.h"

enum inventory_finding {
	FINDING_WORLD_READABLE = 1, /* everybody can open it: no directory above it hinders them */
	FINDING_GROUP_READABLE = 2, /* a group that is not root's can */
	FINDING_STALE = 4, /* not changed for a long time */
	FINDING_DUPLICATE = 8, /* the same key stands elsewhere as well */
	FINDING_UNWATCHED = 16, /* no entry of the policy is about it */
	FINDING_ALL = 31
};
const char *inventory_finding_str(enum inventory_finding finding); /* "world-readable" */

struct inventory_key {
	char *path; /* bytes, not escaped */
	uint32_t watch; /* 0 = none */
	struct key_identity id;
	uint32_t uid, gid, mode;
	int64_t modified; /* CLOCK_REALTIME s */
	uint32_t findings; /* enum inventory_finding, bits */
	size_t same_as; /* index + 1 of the first with the same key, 0 = it is that one */
};

struct inventory {
	struct inventory_key *keys; /* in the order of paths */
	size_t nr;
	uint64_t names; /* looked at */
	uint64_t read; /* files given to the child */
	uint64_t unreadable; /* files and directories that could not be opened */
	uint64_t failed; /* files of which the child had no answer */
	uint64_t network; /* mounts that were not entered */
	bool bounded; /* a limit was reached: there may be more */
};

struct inventory_config {
	const struct policy *policy;
	const struct watchset *set;
	const char *const *trees; /* absolute, resolved: searched by content */
	size_t nr_trees;
	bool whole_policy; /* also everywhere that the policy leads to */
	bool network; /* enter network mounts */
	uint64_t max_names; /* for each tree, and for the policy's */
	int64_t now; /* CLOCK_REALTIME s */
	uint32_t stale_days;
	const char *program; /* of the child, NULL = SCAN_CHILD_PROGRAM */
	void (*progress)(void *ctx, const struct inventory *so_far); /* may be NULL */
	void *ctx;
};

/* -ENOMEM, or what kept the child from being started at all; then *out_inventory is untouched. */
int inventory_make(const struct inventory_config *config, struct inventory *out_inventory);
void inventory_fini(struct inventory *inventory);
