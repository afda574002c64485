/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy in force as lines, each with the place that it comes from; for `keytrail policy show`,
 * `diff` and `explain`.
 */
#pragma once

#include <stdio.h>

#include "policy/policy.h"

/* One line. All strings are valid during the call; texts are escaped. */
struct policy_line {
	const char *section; /* "settings", "watch ssh-user-keys", "zone signing" */
	const char *text; /* "severity: high"; "" = the section itself */
	const char *file; /* NULL = built in: nobody has said it */
	unsigned line, column;
};
typedef void (*policy_line_fn)(void *ctx, const struct policy_line *line);

/* All of it: settings, watch entries in their order, zones. */
void policy_lines(const struct policy *policy, policy_line_fn fn, void *ctx);
/* One section, that of a watch entry. */
void policy_watch_lines(const struct policy *policy, uint32_t watch, policy_line_fn fn, void *ctx);

/* policy_lines() as a list, sorted by section and text. */
struct policy_text {
	char *text; /* "SECTION: TEXT" */
	char *origin; /* "FILE:LINE", "default" */
};
struct policy_texts {
	struct policy_text *items;
	size_t nr;
};
/* -ENOMEM; then *out_texts is untouched. */
int policy_texts_make(const struct policy *policy, struct policy_texts *out_texts);
void policy_texts_fini(struct policy_texts *texts);

/*
 * In what one policy differs from another: lines of `from` only with `-`, of `to` only with `+`, to
 * `out`. Returns how many, -ENOMEM.
 */
int policy_diff(const struct policy *from, const struct policy *to, FILE *out);

/*
 * The pattern by which a path falls under an entry, as a line of that entry: false if none does.
 * homes: what `~` stands for.
 */
bool policy_path_line(const struct policy *policy, uint32_t watch, const char *path,
		      const char *const *homes, size_t nr_homes, struct policy_line *out_line);

/*
 * Why the answer is what it is: each rule of the entry that comes near with what it asks for and
 * the subject is not, and what one would write for another answer. Text for people, to `out`.
 */
void policy_explain(const struct policy *policy, const struct policy_query *query, FILE *out);
