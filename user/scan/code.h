/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code for vectors, of which each place has several: the best one that the machine can run is
 * taken, asked for at run time. All find the same.
 */
#pragma once

#include <stdbool.h>

enum scan_code { CODE_PLAIN = 0, CODE_SSE2, CODE_AVX2, CODE_AVX512, CODE_NR };

extern enum scan_code code_most; /* of code_limit(): nobody else writes it */

/* Is code of this kind not ruled out? Whether the machine can run it is still to be asked. */
static inline bool code_may(enum scan_code code)
{
	return code <= code_most;
}

/*
 * For tests: from now on nothing better than this is taken, so that what other machines run is
 * tried on this one. False, and nothing changes, if the machine cannot run it. Nothing that
 * keytrail is started with leads here. Not while others scan.
 */
bool code_limit(enum scan_code code);
void code_limit_none(void); /* as it was at first */
