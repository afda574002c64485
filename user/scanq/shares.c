// SPDX-License-Identifier: GPL-2.0-or-later
/* Time by owner: a table that is looked through, a few times for each scan. */
#include "scanq/shares.h"

#include <stddef.h>

static uint64_t left(const struct share *share, uint64_t now)
{
	const uint64_t back = (now - share->at) / 10;

	return back < share->spent ? share->spent - back : 0;
}

uint64_t shares_spent(const struct shares *shares, uint32_t owner, uint64_t now)
{
	for (size_t i = 0; i < SHARES_MAX; i++)
		if (shares->items[i].spent && shares->items[i].owner == owner)
			return left(&shares->items[i], now);
	return 0;
}

void shares_charge(struct shares *shares, uint32_t owner, uint64_t now, uint64_t took)
{
	const uint64_t spent = shares_spent(shares, owner, now);
	struct share *place = &shares->items[0];

	for (size_t i = 0; i < SHARES_MAX; i++) {
		struct share *share = &shares->items[i];

		if (share->spent && share->owner == owner) {
			place = share;
			break;
		}
		if (left(share, now) < left(place, now))
			place = share;
	}
	*place = (struct share){.owner = owner, .spent = spent + took, .at = now};
}
