/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rests: what may still follow on the way down a path, as a graph in which equal ends are one node.
 *
 * A rest is one component and the rest after it. All patterns of a policy become rests; those that
 * end alike for the same watch entry share their ends, which is what makes states of the automaton
 * equal that mean the same. For the files of watchset*.c only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy-internal.h"

/* A component that several rests may share: a literal name or a glob. */
struct component {
	const struct glob *glob; /* NULL: a home's own name, always literal */
	const char *literal; /* NULL: has wildcards */
	size_t literal_len;
	const char *key; /* by which it is found: literal, or text of the pattern */
	bool any; /* `*` */
	bool exact; /* the affixes say it all */
	struct watch_glob affixes; /* wildcards only; `to` and `flags` unused */
};

enum rest_kind {
	REST_NAME, /* a component, then `next` */
	REST_DEEP, /* any number of components, then `next` */
	REST_HOMES, /* here is a home: all that was written as ~/ follows */
	REST_END, /* nothing: the file is meant */
};

struct rest {
	enum rest_kind kind;
	uint32_t component; /* REST_NAME */
	uint32_t next;
	uint32_t watch; /* whose it is; 0 = several: on the way to a home */
	bool reject; /* part of an exclusion */
	bool everything; /* REST_DEEP of an exclusion: all files below */
};

struct rests {
	struct component *components;
	size_t nr_components;
	struct rest *rests; /* [0] is unused: number 0 = none */
	uint32_t nr;
	uint32_t *roots, *home_rests; /* first rests of `/` and of `~/` */
	size_t nr_roots, nr_home_rests;
	uint32_t *excludes; /* components of exclusions without `/`, by watch entry ... */
	uint32_t *first_exclude; /* ... where those of entry w begin; w + 1: where they end */
	struct glob *any; /* `*`, for the directories beside known homes */
	char **names; /* what the components of homes point to */
	size_t nr_names;
	uint32_t *component_slots, *rest_slots; /* open addressing; number + 1, 0 = free */
	size_t nr_component_slots, nr_rest_slots;
};

/* The policy must outlive the result. -ENOMEM; rests_fini() also after a failure. */
int rests_init(struct rests *r, const struct policy *policy, const char *const *homes,
	       size_t nr_homes, struct diag_list *diags);
void rests_fini(struct rests *r);

/* Frees what only the making needs; components and excludes stay. */
void rests_trim(struct rests *r);

bool component_matches(const struct component *c, const char *name, size_t len);
