// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes one process out of the kernel side's holders, and no other that has its number by now. */
#include <errno.h>

#include <bpf/bpf.h>

#include "sensor/internal.h"

bool holder_take(int map, uint32_t tgid, uint64_t start)
{
	struct holder holder;

	if (bpf_map_lookup_elem(map, &tgid, &holder) || holder.start != start)
		return false;
	/* Hash maps know this since 5.14: before, a moment is left. */
	if (bpf_map_lookup_and_delete_elem(map, &tgid, &holder))
		return errno != ENOENT && !bpf_map_delete_elem(map, &tgid);
	if (holder.start == start)
		return true;
	/* If the kernel side was faster it has counted the other itself: one is to be counted off.
	 */
	return bpf_map_update_elem(map, &tgid, &holder, BPF_NOEXIST) != 0;
}
