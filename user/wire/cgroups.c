// SPDX-License-Identifier: GPL-2.0-or-later
/* The paths of cgroups that the kernel side refers to by number. */
#include "wire/cgroups.h"

#include <string.h>

static void remember(struct cgroup_path *slot, uint32_t no, struct span path)
{
	if (slot[0].no != no && slot[0].len)
		memmove(&slot[1], &slot[0], (CGROUP_PATHS_WAYS - 1) * sizeof(slot[0]));
	slot[0].no = no;
	slot[0].len = (uint16_t)path.len;
	memcpy(slot[0].path, path.p, path.len);
}

void cgroup_paths_complete(struct cgroup_paths *paths, struct event *event)
{
	struct event_exec *exec = &event->exec;
	struct cgroup_path *slot;

	if (event->type != EVENT_EXEC)
		return;
	slot = paths->slot[exec->cgroup_no % WIRE_CGROUPS_TOLD];
	if (exec->cgroup.len) {
		if (!(event->flags & EVENT_CGROUP_TRUNCATED) &&
		    exec->cgroup.len <= sizeof(slot->path))
			remember(slot, exec->cgroup_no, exec->cgroup);
		return;
	}
	for (unsigned i = 0; i < CGROUP_PATHS_WAYS; i++) {
		if (slot[i].no != exec->cgroup_no || !slot[i].len)
			continue;
		exec->cgroup = (struct span){slot[i].path, slot[i].len};
		return;
	}
	event->flags |= EVENT_CGROUP_TRUNCATED;
}
