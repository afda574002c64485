/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * So that one cause gives one alert: repeats are counted, and the count is told once.
 *
 * The same image, object and type: one alert for as long as the image is remembered, then only a
 * count. The same type, executable, uid, object and image of the container in other processes: the
 * first `burst` within a window go out one by one. What was counted is told by one summary at the
 * window's end.
 *
 * Bounded: FOLD_GROUPS_MAX windows at a time, the oldest is summed up early to make room for
 * another; FOLD_IMAGES_MAX images, the one seen longest ago is forgotten (and may then alert
 * again). Giving way never means silence. Time is CLOCK_BOOTTIME ns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alert.h"
#include "model/event.h"
#include "proc/image.h"

#define FOLD_GROUPS_MAX 1024
#define FOLD_IMAGES_MAX 8192

struct fold;

struct fold_key {
	enum alert_type type;
	struct proc_id image; /* tgid 0: not about a process */
	uint32_t uid;
	uint64_t object;
	struct span exe; /* or whatever else tells causes apart */
	/* Of the container that it was done in. NULL: in none, or not known */
	const struct container_image *made_from;
};

/* What a finished window has to say. `like` is the first alert of its kind. */
typedef void (*fold_fn)(void *ctx, const struct alert *like, uint64_t count, uint64_t first,
			uint64_t last);

struct fold *fold_new(fold_fn fn, void *ctx);
void fold_free(struct fold *fold);

enum fold_answer {
	FOLD_SEND, /* build it, send it, give it to fold_keep() */
	FOLD_COUNTED, /* counted, nothing to do */
	FOLD_KEEP, /* counted; build it and give it to fold_keep(), unsent: a summary will need it
		    */
};

/* `count` things happened between first and last. May end another window to make room. */
enum fold_answer fold_admit(struct fold *fold, const struct fold_key *key, uint64_t count,
			    uint64_t first, uint64_t last, uint64_t now, uint32_t burst);

/* Takes the alert over, after FOLD_SEND or FOLD_KEEP for the same key. */
void fold_keep(struct fold *fold, const struct fold_key *key, struct alert *alert);

void fold_tick(struct fold *fold, uint64_t now, uint64_t window);
uint64_t fold_next(const struct fold *fold, uint64_t window); /* UINT64_MAX: no window is open */
void fold_flush(struct fold *fold);

size_t fold_count(const struct fold *fold); /* windows that are open */
size_t fold_bytes(const struct fold *fold);
