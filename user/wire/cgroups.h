/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths of cgroups, which the kernel side tells once and then refers to by number (struct
 * wire_exec, `cgroup`): the other half of its table cgroups_told.
 */
#pragma once

#include <stdint.h>

#include "model/event.h"
#include "wire.h"

/*
 * Two for each slot of the kernel's: while one CPU tells of a cgroup in the place of another, a
 * second CPU may still refer to that one.
 */
#define CGROUP_PATHS_WAYS 2

struct cgroup_path {
	uint32_t no;
	uint16_t len; /* 0: none */
	char path[WIRE_CGROUP_MAX];
};

/* All zero is empty. */
struct cgroup_paths {
	struct cgroup_path slot[WIRE_CGROUPS_TOLD][CGROUP_PATHS_WAYS]; /* the latest comes first */
};

/*
 * Of an EVENT_EXEC: remembers its cgroup, or gives it the one that was remembered, as a span into
 * `paths` that holds until the next call. What is not known stays empty, and the event says that
 * its cgroup is cut. Other events are left as they are. Allocates nothing.
 */
void cgroup_paths_complete(struct cgroup_paths *paths, struct event *event);
