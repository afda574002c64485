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
	unsigned line, column;
	size_t nr;
	struct pattern_component components[]; /* never ends in `**`: a `*` is appended to it */
};

/*
 * -EINVAL with a static clause in *out_why, -ENOMEM likewise. `text` may hold any bytes.
 * PATTERN_LAST comes out only with allow_last. line and column are left 0 for the caller to fill.
 */
int pattern_new(const char *text, size_t len, bool allow_last, struct pattern **out_pattern,
		const char **out_why);
void pattern_free(struct pattern *pattern);
DEFINE_CLEANUP(struct pattern *, pattern_free)
