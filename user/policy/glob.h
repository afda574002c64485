/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pattern of one path component: `*`, `?`, `[...]`, `\`; exact matching, and what is left of it as
 * prefix*suffix for the kernel side.
 *
 * A name is read as UTF-8 characters; a byte that is not part of a valid one counts as a character
 * of its own, which `*`, `?` and `[!...]` match. A leading dot is nothing special. Immutable once
 * made, so it may be read from several threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "watch.h"

struct glob;

/*
 * Reads a pattern without `/`. -EINVAL with *out_why set to a static clause that says what is
 * wrong; -ENOMEM with *out_why set likewise.
 */
int glob_new(const char *pattern, size_t len, struct glob **out_glob, const char **out_why);
void glob_free(struct glob *glob);
DEFINE_CLEANUP(struct glob *, glob_free)

/* The name that a pattern without wildcard stands for (escapes undone, NUL terminated), else NULL.
 */
const char *glob_literal(const struct glob *glob, size_t *out_len);

/* The pattern is `*`: every name matches. */
bool glob_is_any(const struct glob *glob);

/* Time at most length of the pattern times length of the name; no allocation. */
bool glob_match(const struct glob *glob, const char *name, size_t len);

/*
 * Fills the affixes of *out_watch (nothing else): every name that the pattern matches begins with
 * the prefix and ends with the suffix, the two not overlapping. True if the reverse holds too.
 */
bool glob_affixes(const struct glob *glob, struct watch_glob *out_watch);

/* May one name match both? True when in doubt. Looks at the affixes only. */
bool watch_globs_overlap(const struct watch_glob *a, const struct watch_glob *b);

/* Every name that has `inner`'s affixes has `outer`'s. */
bool watch_glob_covers(const struct watch_glob *outer, const struct watch_glob *inner);
