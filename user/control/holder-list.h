/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer to `holders` (docs/control.md) as it grows: so many processes, and so many bytes, that
 * it fits into what may wait for one client. How long a path is, and how many processes read a key,
 * is up to users of the host: none of them may make the answer fail for all. Not thread safe.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#define HOLDERS_TOLD_MAX   1024 /* processes */
#define HOLDERS_TOLD_BYTES (768 * 1024) /* of their JSON: CONTROL_OUT_MAX, with room to spare */

struct holder_list {
	json_t *items; /* NULL: there is no memory for it */
	size_t bytes;
	uint64_t left_out; /* what had no room */
	int error; /* -ENOMEM: one is missing without being counted */
};

void holder_list_init(struct holder_list *list);
void holder_list_fini(struct holder_list *list);

/* Takes `holder` over; NULL stands for out of memory. One that has no room is counted. */
void holder_list_add(struct holder_list *list, json_t *holder);

/* {"holders": [...], "left_out": N}. 0 or -ENOMEM. */
int holder_list_json(const struct holder_list *list, json_t **out_json);
