// SPDX-License-Identifier: GPL-2.0-or-later
/* How long to rest so that work keeps to a rate. */
#include "search/pace.h"

#define SECOND_NS 1000000000ULL

void pace_spend(struct pace *pace, uint64_t now_ns, uint64_t nr, uint32_t per_s)
{
	/* What was not done in time is not made up for: a machine that slept need not hurry. */
	if (pace->due < now_ns)
		pace->due = now_ns;
	pace->due += nr * (SECOND_NS / per_s);
}

uint64_t pace_rest(const struct pace *pace, uint64_t now_ns)
{
	return pace->due > now_ns + PACE_SLACK_NS ? pace->due - now_ns : 0;
}
