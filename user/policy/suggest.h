/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": the known word that is nearest to a mistyped one. */
#pragma once

#include <stddef.h>

/*
 * Takes `candidate` as *best (static or longer-lived than it) if it is nearer to `word` than
 * *distance, and near at all: at most a third of its letters inserted, deleted, replaced or swapped
 * with their neighbour. Start with *distance = UINT_MAX, *best = NULL.
 */
void suggest(const char *word, size_t len, const char *candidate, unsigned *distance,
	     const char **best);
