// SPDX-License-Identifier: GPL-2.0-or-later
/* When to walk the file system once more. See rewalk.h. */
#include "daemon/rewalk.h"

static uint64_t longer(uint64_t last, uint64_t took)
{
	uint64_t next = REWALK_FIRST_US;

	if (last)
		next = last < REWALK_MAX_US / 2 ? last * 2 : REWALK_MAX_US;
	return next > took * REWALK_SHARE ? next : took * REWALK_SHARE;
}

uint64_t rewalk_after(struct rewalk *r, const struct rewalk_seen *seen)
{
	if (seen->bounded)
		r->after = REWALK_MAX_US;
	r->after = seen->settled && !seen->bounded ? 0 : longer(r->after, seen->took);
	r->lost_after = r->lost ? longer(r->lost_after, seen->took) : 0;
	r->lost = false;
	r->walked = seen->now;
	return r->after;
}

uint64_t rewalk_lost(struct rewalk *r, uint64_t now)
{
	const uint64_t due = r->walked + r->lost_after;

	r->lost = true;
	return r->lost_after && due > now ? due - now : 0;
}
