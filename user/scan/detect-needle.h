/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The search for known keys: one look-up for each eight bytes of memory, whatever their number and
 * alignment. A bitmap of folded words says no to nearly all; what it does not, a table of tags
 * does; what is left is proven by the MAC over all of a form.
 *
 * A table is made once from checked needles (needle.h), holds no secret, and is shared by threads.
 */
#pragma once

#include "scan/needle.h"

struct needle_table;

struct needle_hit {
	size_t at; /* where the form's span begins */
	const struct needle *needle; /* the needles' own */
	const struct needle_form *form;
	bool reversed; /* NEEDLE_BYTES: the least significant byte comes first */
};

/*
 * Where the last hit was: the same place is told once, though several windows may lead to it.
 * Starts zeroed; one for each thread.
 */
struct needle_last {
	uint64_t place;
	const struct needle *needle;
};

/* needles: must outlive the table. Needles that expired before `now` (seconds; 0: none does) are
 * left out. -ENOMEM. */
int needle_table_new(const struct needles *needles, int64_t now, struct needle_table **out_table);
void needle_table_free(struct needle_table *table);
DEFINE_CLEANUP(struct needle_table *, needle_table_free)
#define _cleanup_needle_table_ _cleanup_(needle_table_freep)

/*
 * Looks at the words that begin in [from, to) of `memory`; spans may reach out of it on both sides
 * as far as `memory` does. Words are taken at multiples of 8 from memory.p, with any_alignment at
 * every byte (eight times the work; only forms that have fewer than 8 windows need it). base: added
 * to places for *last.
 */
void needle_detect(const struct needle_table *table, struct bytes memory, size_t from, size_t to,
		   bool any_alignment, uint64_t base, struct needle_last *last,
		   void (*hit)(void *userdata, const struct needle_hit *hit), void *userdata);

/* The same by plain C only, for comparison. */
void needle_detect_scalar(const struct needle_table *table, struct bytes memory, size_t from,
			  size_t to, bool any_alignment, uint64_t base, struct needle_last *last,
			  void (*hit)(void *userdata, const struct needle_hit *hit),
			  void *userdata);
