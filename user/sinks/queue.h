/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sink could not write yet: in a spool file the older, in memory the newer, both bounded.
 * A sink that was refused calls queue_keep(), so memory is for the moment of writing, and for where
 * there is no spool. A record that is too long for the spool stays in memory, and comes after what
 * went into the spool meanwhile.
 *
 * When neither has room the new record is dropped and counted, and so are all that follow until the
 * queue is half empty again: one gap with a beginning and an end, not one every other line. Then
 * queue_take_lost() hands out the count and the sink queues one alert that says so. The oldest are
 * kept, because the beginning of an incident tells more than its repetition. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alert.h"
#include "base/cleanup.h"

#define QUEUE_MEMORY_DEFAULT (1024 * 1024)
#define QUEUE_SPOOL_DEFAULT  (16ULL * 1024 * 1024)

struct queue_options {
	size_t memory_max; /* bytes, 0 = QUEUE_MEMORY_DEFAULT */
	const char *spool_path; /* NULL: memory only */
	uint64_t spool_max; /* bytes, 0 = QUEUE_SPOOL_DEFAULT */
};

struct queue_lost {
	uint64_t count;
	uint64_t first_ns, last_ns; /* times of the first and last record dropped, CLOCK_REALTIME */
};

struct queue;

/* Adopts what an earlier run left in the spool. A spool that cannot be opened costs only the spool:
 * the queue then lives in memory and queue_spool_error() tells. -ENOMEM. */
int queue_new(const struct queue_options *options, struct queue **out_queue);
/* Moves what is in memory into the spool, if there is one. */
void queue_free(struct queue *queue);

/* Appends a copy. -ENOSPC: no room, dropped and counted under `time_ns` (CLOCK_REALTIME); -ENOMEM
 * too. */
int queue_push(struct queue *queue, const char *p, size_t len, uint64_t time_ns);

/*
 * What is in memory goes into the spool, if there is one, the oldest first and as much as it takes:
 * from then on it outlives a crash of this process. For who has just tried to get rid of it and
 * could not. On a full disk this is one write that fails.
 */
void queue_keep(struct queue *queue);

/* The oldest, valid until the next call on this queue; 0 or -ENOENT. Of a spool that cannot be read
 * now the rest has to wait: then it is the oldest in memory. */
int queue_peek(struct queue *queue, const char **out_p, size_t *out_len);
void queue_pop(struct queue *queue); /* what queue_peek() showed */

uint64_t queue_in_memory(const struct queue *queue); /* records */
uint64_t queue_in_spool(const struct queue *queue); /* records */
uint64_t queue_dropped(const struct queue *queue); /* ever */
int queue_spool_error(const struct queue *queue); /* 0 or negative errno of the last failure */

/* Counts one that is given up for itself: it could not be formatted, or the peer refuses it for
 * ever. time_ns 0: it is not known when it was; it counts as of the last push. */
void queue_drop(struct queue *queue, uint64_t time_ns);

/*
 * What was dropped since it was last asked, and forgets it; false if nothing was, or if there is no
 * room yet. To be asked before each push and after each pop. The caller pushes the line that says
 * so; if even that fails it gives the loss back.
 */
bool queue_take_lost(struct queue *queue, struct queue_lost *out_lost);
int queue_push_notice(struct queue *queue, const char *p, size_t len); /* not counted if it fails */
void queue_give_lost(struct queue *queue, const struct queue_lost *lost);

/*
 * The alert that says "`sink` dropped `count` alerts". The result borrows `host` and static
 * strings: it must not be given to alert_free(), and lives as long as `store`, which the caller
 * provides.
 */
struct queue_lost_text {
	char text[256];
	char cause[64];
};
void queue_lost_alert(const struct queue_lost *lost, const char *sink, char *host,
		      struct queue_lost_text *store, struct alert *out_alert);
