/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path pattern of the policy, taken apart into components and checked.
 *
 * `/` begins at the root, `~/` at every home; without any slash the pattern is for the last
 * component (exclusions only). `**` is a component that stands for any number of components, none
 * included; as the last component it stands for at least one, so that it means every file below.
 * Immutable once made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/glob.h"

#define PATTERN_COMPONENTS_MAX 64

enum pattern_start { PATTERN_ROOT, PATTERN_HOME, PATTERN_LAST };

struct pattern_component {
	bool deep; /* `**`; glob is NULL then */
	struct glob *glob;
	char *text; /* as written; "**" if deep */
};

struct pattern {
	enum pattern_start start;
	char *text; /* as written */
	const char *file; /* not owned; may be NULL */
	unsigned line, column;
	size_t nr;
	struct pattern_component components[]; /* never ends in `**`: a `*` is appended to it */
};

/*
 * -EINVAL with a static clause in *out_why, -ENOMEM likewise. `text` may hold any bytes.
 * PATTERN_LAST comes out only with allow_last. file, line and column are left for the
 * caller to fill.
 */
int pattern_new(const char *text, size_t len, bool allow_last, struct pattern **out_pattern,
		const char **out_why);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_free)

/*
 * Does the pattern match this absolute, resolved path? Of a PATTERN_ROOT only; the others depend on
 * homes, which a watchset knows. Time at most components times components; no allocation.
 */
bool pattern_match(const struct pattern *pattern, const char *path, size_t len);

/*
 * Is all that `inner` matches matched by `outer` too? False when in doubt: patterns that begin at
 * different places are never said to cover each other.
 */
bool pattern_covers(const struct pattern *outer, const struct pattern *inner);
