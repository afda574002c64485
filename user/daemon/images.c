// SPDX-License-Identifier: GPL-2.0-or-later
/* Which containers are looked up, and that the engine is told. */
#include "daemon/images.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "daemon/app.h"
#include "daemon/mounts.h"
#include "engine/images.h"
#include "proc/cgroup.h"
#include "watch/reach.h"

#define SETS	  256
#define WAYS	  8 /* containers that are remembered in a set; the one unused longest goes */
#define AGAIN_NS  1000000000ULL
#define TRIES_MAX 7 /* after which it takes no longer: 64 s */
/* So many tellings later the engine may have forgotten it (engine/images.h). */
#define TOLD_AGAIN (IMAGES_MAX / 2)

struct seen {
	char container[CONTAINER_ID_SIZE]; /* "" = none */
	uint8_t tries; /* in vain */
	bool known;
	uint64_t asked_ns, used;
	uint64_t told; /* tellings when it was */
};

struct images_watch {
	struct app *app;
	struct runtimes runtimes;
	struct seen sets[SETS][WAYS];
	uint64_t clock; /* of uses */
	uint64_t tellings, unknown;
	struct images_refused refused; /* container "" = nothing was */
};

static bool answers(void *userdata, int fd)
{
	struct images_watch *w = userdata;

	return mounts_answers(w->app->mounts, fd);
}

static int open_directory(void *userdata, const char *path)
{
	const struct reach reach = {.answers = answers, .userdata = userdata};

	return reach_path(&reach, path, true);
}

struct images_watch *images_watch_new(struct app *app)
{
	struct images_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->app = app;
	w->runtimes = (struct runtimes){
		.root = "",
		.open = open_directory,
		.userdata = w,
		.kept = runtimes_kept_new(),
	};
	if (!w->runtimes.kept) {
		free(w);
		return NULL;
	}
	return w;
}

void images_watch_free(struct images_watch *w)
{
	if (!w)
		return;
	runtimes_kept_free(w->runtimes.kept);
	free(w);
}

static struct seen *look_up(struct images_watch *w, struct span container)
{
	struct seen *set = w->sets[hash_bytes(container.p, container.len) % SETS], *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (!memcmp(set[i].container, container.p, container.len))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = (struct seen){.known = false};
	memcpy(oldest->container, container.p, container.len);
	return oldest;
}

static void ask(struct images_watch *w, struct seen *seen, uint64_t now)
{
	const struct span container = span_of(seen->container);
	struct runtimes_refused refused;
	struct container_image image;

	seen->asked_ns = now;
	seen->known = runtimes_find_image(&w->runtimes, container, &refused, &image) == 0;
	if (!seen->known) {
		seen->tries += seen->tries < TRIES_MAX;
		w->unknown++;
		if (refused.fault) {
			memcpy(w->refused.container, seen->container, sizeof(seen->container));
			w->refused.why = refused;
		}
		return;
	}
	seen->told = ++w->tellings;
	feed(w->app, &(struct event){
			     .type = EVENT_CONTAINER,
			     .time = now,
			     .container = {.id = container,
					   .image = span_of(image.name),
					   .image_id = span_of(image.id)},
		     });
}

void images_seen(struct images_watch *w, struct span cgroup, uint32_t flags)
{
	struct span container;
	struct seen *seen;
	uint64_t now;

	if (!cgroup.len || flags & EVENT_CGROUP_TRUNCATED)
		return;
	container = cgroup_image_container(cgroup);
	if (!container_id_is_whole(container))
		return;
	seen = look_up(w, container);
	seen->used = ++w->clock;
	if (seen->known && w->tellings - seen->told <= TOLD_AGAIN)
		return;
	now = app_boottime();
	if (seen->known || !seen->tries || now - seen->asked_ns >= AGAIN_NS << (seen->tries - 1))
		ask(w, seen, now);
}

const struct images_refused *images_watch_refused(struct images_watch *w)
{
	struct images_refused *refused = &w->refused;
	const struct span container = span_of(refused->container);
	struct container_image image;

	/* Who has mended it, or has removed the container, wants to hear no more of it. */
	if (container.len &&
	    runtimes_find_image(&w->runtimes, container, &refused->why, &image) < 0 &&
	    refused->why.fault)
		return refused;
	refused->container[0] = '\0';
	return NULL;
}

uint64_t images_watch_unknown(const struct images_watch *w)
{
	return w->unknown;
}
