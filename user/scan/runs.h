/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first pass over memory, which several detectors share: runs of 8-byte words that are neither
 * small numbers nor addresses nor text nor, as far as single words tell, code. All that is packed,
 * encrypted, or a key stands in one; nearly all of a dump stands in none.
 *
 * One or two other words within are borne. The ends are not sharp: what matters may begin some
 * bytes before a run.
 */
#pragma once

#include "scan/bytes.h"

#define RUN_MIN	  24 /* bytes */
#define RUN_REACH (16384 + 256) /* so far a run is followed, then it is cut */
#define RUN_GAP	  16 /* bytes between two runs that were not cut, at least */

struct run {
	uint32_t from, to; /* in memory; multiples of 8 from its beginning */
};

/*
 * The runs that begin in [from, to) of memory, in order; they may end beyond `to`, as far as
 * `memory` reaches. bytes: things may stand at any address there (Java's HPROF). Returns how many
 * were found, `max` at most: one for each RUN_MIN + RUN_GAP bytes, and two, are enough for all.
 */
size_t runs_find(struct bytes memory, size_t from, size_t to, bool bytes, struct run *out,
		 size_t max);

/* An 8-byte word that is neither a small number nor an address: not 0 or ffff on top. */
static inline bool run_word(const uint8_t *p)
{
	uint16_t top = (uint16_t)(p[6] | p[7] << 8);

	return (uint16_t)(top - 1) < 0xfffe;
}
