/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which images containers were made from: looked up (trust/runtimes.h) when a process of a
 * container of root's is first seen, and told to the engine (EVENT_CONTAINER) before the event that
 * showed it. Once known it is not looked up again, but told once more when so many others were told
 * since that the engine may have forgotten it. What could not be found is looked for again after a
 * second, then twice as long each time, up to 64 s.
 */
#pragma once

#include "model/event.h"
#include "trust/runtimes.h"

struct app;
struct images_watch;

struct images_watch *images_watch_new(struct app *app); /* NULL: out of memory */
void images_watch_free(struct images_watch *watch);

/* A process is in this cgroup, told by an event with these flags. Reads at most some files. */
void images_seen(struct images_watch *watch, struct span cgroup, uint32_t flags);

/* How often no file told the image of a container. */
uint64_t images_watch_unknown(const struct images_watch *watch);

struct images_refused {
	char container[CONTAINER_ID_SIZE]; /* whose image is not known */
	struct runtimes_refused why; /* what was there and did not count */
};

/* The last such container, if it still is one: looked at once more. NULL: none, or no longer. The
 * next call may change it. */
const struct images_refused *images_watch_refused(struct images_watch *watch);
