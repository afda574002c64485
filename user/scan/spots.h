/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places in a stretch of the harvest where a number may begin, for each layout. */
#pragma once

#include "scan/finding.h"
#include "scan/harvest.h"

/*
 * Calls `spot` with each place, from -HARVEST_MARGIN on, that a number in this layout may begin at:
 * where the stretch begins, or goes on after a word that is no key's. Numbers in big endian bytes
 * may follow a header, of DER or the like, at any address. `spot` returns false to end it.
 */
void spots(const struct harvest *harvest, const struct stretch *stretch, enum finding_layout layout,
	   bool (*spot)(void *userdata, long at), void *userdata);

/* Every place in the stretch, by the alignment of the layout. */
void spots_all(const struct harvest *harvest, const struct stretch *stretch,
	       enum finding_layout layout, bool (*spot)(void *userdata, long at), void *userdata);

/* Stands the length of a scalar or a seed before it, as in a container? */
bool spots_after_length(const struct harvest *harvest, const struct stretch *stretch, long at);

/*
 * How many bytes there are from `at` to the next word that is no key's, in whole words, counted up
 * to `most`: what stands in memory of its own is as long as it is.
 */
long spots_piece(const struct harvest *harvest, const struct stretch *stretch, long at, long most);
