/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a policy is made of; for the files of this folder only.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "policy/pattern.h"
#include "policy/policy.h"

/* A place in a file. `file` is owned by the policy. */
struct place {
	const char *file;
	unsigned line, column;
};

struct allow_rule {
	uint32_t watch;
	uint64_t hash; /* allow_hash() */
	const char *exe;
	size_t exe_len;
	struct place place;
};

struct watch_rule {
	struct watch_entry entry;
	struct place place;
	struct pattern **paths, **excludes;
	size_t nr_paths, nr_excludes;
};

struct policy {
	struct settings settings;
	char **strings; /* all that the structs point to */
	size_t nr_strings;
	struct watch_rule *watches; /* [0] is watch entry 1 */
	size_t nr_watches;
	uint32_t *by_name; /* watch entries in the order of their names */
	const char **exes; /* each allowed path once, sorted */
	size_t nr_exes;
	struct allow_rule *rules;
	size_t nr_rules;
	uint32_t *rule_slots; /* open addressing by rule.hash: index into rules + 1, 0 = free */
	size_t nr_rule_slots; /* power of two, 0 = no rules */
};

/* Hash of an allow rule's key. */
uint64_t allow_hash(uint32_t watch, const char *exe, size_t len);

/* The one that decides, NULL = none. */
const struct allow_rule *policy_find_allow(const struct policy *policy, uint32_t watch,
					   struct span exe);

/*
 * Sorts and indexes what the loader has appended; by then names are unique and no rule stands
 * twice. -ENOMEM.
 */
int policy_index(struct policy *policy);

/* Appends the content of one file. -EINVAL with diags, -ENOMEM; the policy is then only to be
 * freed. */
int schema_read(struct policy *policy, const char *name, const char *text, size_t len,
		struct diag_list *diags);
/* Warnings about what stands twice or can never match, which only the whole policy shows. -ENOMEM.
 */
int policy_warn(const struct policy *policy, struct diag_list *diags);

struct policy *policy_new(void); /* with default settings; NULL = out of memory */
/* Copies a string into the policy; NULL = out of memory. */
const char *policy_keep(struct policy *policy, const char *text, size_t len);

/*
 * Makes room for one more element after `nr`; grows at powers of two, so that no capacity need be
 * kept. `array` is the address of the pointer. -ENOMEM.
 */
static inline int policy_grow(void *array, size_t nr, size_t size)
{
	void **p = array, *bigger;

	if (nr && (nr & (nr - 1)))
		return 0;
	bigger = realloc(*p, (nr ? nr * 2 : 1) * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	return 0;
}
