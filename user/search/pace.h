/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long to rest so that work keeps to a rate. Time is the caller's. */
#pragma once

#include <stdint.h>

#define PACE_SLACK_NS 100000000ULL /* may be worked ahead: rests are not worth less */

struct pace {
	uint64_t due; /* when what was done would be done at its rate */
};

/* `nr` things were done of which there may be `per_s` (not 0) in a second. */
void pace_spend(struct pace *pace, uint64_t now_ns, uint64_t nr, uint32_t per_s);

/* To rest now, ns; 0 = go on. */
uint64_t pace_rest(const struct pace *pace, uint64_t now_ns);
