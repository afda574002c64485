/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The canary: a file of our own that a child of ours opens now and then. Its event must come all
 * the way through hook, membership test, ring and decoder; if it does not, the sensor is blind,
 * whatever the hooks' states say (a map that somebody emptied, a ring that nobody drains, a program
 * that was replaced).
 *
 * One thread. The child opens, reads one byte and ends; it holds nothing of the daemon's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "model/event.h"

struct canary;

struct canary_ops {
	/* Marks the file at `path` as the canary, whatever it was before. 0 or negative errno. */
	int (*mark)(void *userdata, const char *path);
	/* Takes what is in the rings now and hands it over. */
	void (*drain)(void *userdata);
	/* blind: a read that was made did not arrive. Called when that changes. */
	void (*changed)(void *userdata, bool blind);
};

struct canary_stats {
	uint64_t reads; /* that the child made */
	uint64_t seen; /* of these, by the sensor */
	bool blind;
};

/*
 * Makes the file at `path` (its directory must be there) and starts: the first read is made at
 * once, then one each period_s seconds. Needs SIGCHLD blocked (sd_event_add_child(3)). 0 or
 * negative errno.
 */
int canary_new(sd_event *loop, const char *path, uint32_t period_s, const struct canary_ops *ops,
	       void *userdata, struct canary **out_canary);
void canary_free(struct canary *canary); /* ends a child that runs, removes the file */

/* An access to the canary arrived. False: it was none of our child's. */
bool canary_seen(struct canary *canary, const struct event_access *access);

void canary_stats(const struct canary *canary, struct canary_stats *out_stats);
