/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The watch entries' path patterns, compiled to the automaton of names that bpf/watch.h describes.
 *
 * Patterns are absolute, or begin with `~/` which stands for every home given and for every
 * directory that is directly below the parent of one (so that a user made later is watched at
 * once). `*`, `?` and `[...]` match within a component, `**` any number of components (none
 * included). A state stands for "what may still follow"; equal rests share a state, so ten thousand
 * homes cost what one costs.
 *
 * Walking from state watchset_root() at `/` by names gives, for any path, the same answer as
 * watchset_match(); a test holds the two against each other.
 */
#pragma once

#include <stdint.h>

#include "model/event.h"
#include "policy/policy.h"
#include "watch.h"

/* What the kernel's maps must hold of one set (two are there at once while one replaces another).
 */
#define WATCHSET_STATES_MAX   16384
#define WATCHSET_LITERALS_MAX 65536

struct watchset;

/*
 * homes: absolute paths, no trailing slash, duplicates allowed; others are warned of and left out.
 * The policy must outlive the set. State numbers begin at `first_state` (> 0), so that a set that
 * replaces another does not share numbers with it. -E2BIG: more globs in one directory than
 * WATCH_GLOBS_MAX, or more states or literals than the above (a diag says which and where);
 * -ENOMEM. *out_set is untouched on failure.
 */
int watchset_compile(const struct policy *policy, const char *const *homes, size_t nr_homes,
		     uint32_t first_state, struct diag_list *diags, struct watchset **out_set);
void watchset_free(struct watchset *set);
DEFINE_CLEANUP(struct watchset *, watchset_free)

/* 0: the policy watches nothing, and there are no states. */
uint32_t watchset_root(const struct watchset *set);
uint32_t watchset_first(const struct watchset *set);
uint32_t watchset_nr_states(const struct watchset *set);

/* The value for the kernel's map of states. NULL for a number that is not of this set. */
const struct watch_state *watchset_state(const struct watchset *set, uint32_t state);

/*
 * Literal names of a state, i from 0; false past the end. *out_name lives as long as the set. The
 * target may be {0, 0}: a name that a glob would take, but that is excluded.
 */
bool watchset_literal(const struct watchset *set, uint32_t state, size_t i, const char **out_name,
		      struct watch_target *out_target);

/* Whether any glob leads on from here (else the literals are all there is to look at). */
bool watchset_has_globs(const struct watchset *set, uint32_t state);

/* Whether a file of this i_mode is what the watch entry is about: a regular file, or a socket. */
bool watchset_wants(const struct watchset *set, uint32_t watch, uint32_t mode);

/* Target and state as the kernel side has them: the watch's number with its WATCH_* bits. */
struct watch_target watchset_kernel_target(const struct watchset *set, struct watch_target target);
struct watch_state watchset_kernel_state(const struct watchset *set, uint32_t state);

/* One step, exact (not the superset of bpf/watch.h): where does `name` lead from `state`? */
struct watch_target watchset_step(const struct watchset *set, uint32_t state, struct span name);

/* The watch entry that an absolute, resolved path falls under as a file; 0 = none. */
uint32_t watchset_match(const struct watchset *set, struct span path);

/* watch_name_hash() of bpf/watch.h. */
uint64_t watch_name_hash(const char *name, size_t len);
