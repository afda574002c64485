/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which key stands in a watched file: asks the scan child, a few at a time, and tells the answer.
 *
 * Key files are bytes that users own, so they are parsed in the child only (user/scan/child.h). The
 * daemon opens the file and passes the descriptor.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "model/keyid.h"

struct identify;
struct watcher;

struct identify_ops {
	/* key: valid during the call; its kind is KEY_NONE if there is no key in the file. */
	void (*done)(void *userdata, uint64_t object, const struct key_identity *key);
};

struct identify_stats {
	uint32_t waiting, running;
	uint64_t done, failed; /* failed: also what follows */
	uint64_t crashed, timed_out;
};

int identify_new(sd_event *loop, struct watcher *watcher, const struct identify_ops *ops,
		 void *userdata, struct identify **out_identify);
void identify_free(struct identify *identify); /* ends children that run */

/* Asks for an object's key once more; an answer on its way is for the old content and is dropped.
 */
void identify_again(struct identify *identify, uint64_t object);

/* The object is gone. */
void identify_forget(struct identify *identify, uint64_t object);

/* The last answer about an object; NULL if there was none since it was last asked for. */
const struct key_identity *identify_known(const struct identify *identify, uint64_t object);

void identify_stats(const struct identify *identify, struct identify_stats *out_stats);
