/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The automaton of names: its states, and what is at hand while they are made. For the files of
 * watchset*.c only.
 */
#pragma once

#include "policy/rests.h"
#include "policy/watchset.h"

#define STATE_GLOBS_MAX	   24 /* globs of one state that lead on to directories */
#define STATE_BRANCHES_MAX 4096 /* combinations of them */

struct literal {
	const char *name;
	size_t len;
	struct watch_target to;
};

/* A glob that may end a path here: the file is watched (or, reject, not) by `watch`. */
struct final {
	uint32_t component, watch;
	bool reject;
};

/* Which of the state's leading globs match a name decides which state it leads to. */
struct branch {
	uint32_t mask;
	uint32_t state;
};

struct state {
	struct watch_state *kernel; /* NULL: no globs */
	struct literal *literals; /* sorted by length, then bytes */
	struct final *finals; /* by watch, those that do not reject first */
	uint32_t *leading; /* components: bit i of a branch's mask is leading[i] */
	struct branch *branches; /* sorted by mask */
	size_t nr_literals, nr_finals, nr_leading, nr_branches;
};

struct watchset {
	const struct policy *policy;
	struct rests rests; /* trimmed */
	uint32_t first, root;
	struct state *states;
	size_t nr_states, nr_literals;
};

/* Rests with the same component, in compiler.named. */
struct group {
	uint32_t component;
	size_t first, nr;
};

/* What a state was made of; needed until it has been worked off. */
struct origin {
	uint32_t *rests; /* sorted */
	size_t nr;
	uint64_t hash;
	uint32_t from; /* index of the state that first led here, and by which name: for messages */
	const char *by;
};

struct compiler {
	const struct policy *policy;
	struct diag_list *diags;
	struct watchset *set;
	struct rests *rests; /* of the set */
	struct origin *origins; /* [i] of set->states[i] */
	uint32_t *slots; /* origins by hash, open addressing; index + 1 */
	size_t nr_slots;

	/* the set of rests that is being collected */
	uint32_t *next;
	size_t nr_next;
	uint32_t *stamp, epoch; /* per rest: epoch in which it was added */
	uint8_t *seen; /* per watch: scratch of prune() */

	/* the state that is being worked off */
	uint32_t at;
	uint32_t *deep, *named;
	size_t nr_deep;
	struct group *wild, *literal;
	size_t nr_wild, nr_literal;
};

void next_begin(struct compiler *c);
void next_add(struct compiler *c, uint32_t rest); /* and all that it stands for */
/* The state of what was collected; `by` (for messages) lives as long as the set. -E2BIG, -ENOMEM.
 */
int next_state(struct compiler *c, const char *by, uint32_t *out_state);

/* Fills states[c->at].kernel from the groups of the state that is being worked off. */
int kernel_form(struct compiler *c);

/* Tells where in the tree of directories the limit was met. */
void limit_error(const struct compiler *c, const char *what);

/* The watch entry that takes a file of this name, by the globs that may end a path here; 0 = none.
 */
uint32_t finals_watch(const struct rests *rests, const struct final *finals, size_t nr,
		      const char *name, size_t len);
void sort_literals(struct state *state);
const struct literal *state_literal(const struct state *state, const char *name, size_t len);
/* Where a name leads that is no literal of the state: exactly, and as the kernel side sees it. */
struct watch_target state_glob_step(const struct watchset *set, const struct state *state,
				    const char *name, size_t len);
struct watch_target kernel_glob_step(const struct watch_state *kernel, const char *name,
				     size_t len);
