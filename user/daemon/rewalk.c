// SPDX-License-Identifier: GPL-2.0-or-later
/* When to walk the file system once more. See rewalk.h. */
#include "daemon/rewalk.h"

uint64_t rewalk_after(uint64_t last, bool settled)
{
	if (settled)
		return 0;
	if (!last)
		return REWALK_FIRST_US;
	return last < REWALK_MAX_US / 2 ? last * 2 : REWALK_MAX_US;
}
