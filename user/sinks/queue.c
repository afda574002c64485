// SPDX-License-Identifier: GPL-2.0-or-later
/* What a sink could not write yet: memory, then spool, then counted. */
#include "sinks/queue.h"

#include <inttypes.h>
#include <string.h>

#include "base/spool.h"

struct item {
	struct item *next;
	size_t len;
	char p[];
};

struct queue {
	struct item *first, **tail; /* newer than all in the spool */
	size_t nr, bytes, max;
	uint64_t spool_max;
	struct spool *spool; /* NULL: none, or it failed */
	int spool_error;
	uint64_t dropped;
	bool from_spool; /* what queue_peek() showed is the spool's */
	bool closed; /* was full: nothing goes in before room() and the notice of loss */
	struct queue_lost lost; /* its times 0: lost from the spool of an earlier run, not told
				   before the first push says what time it is */
	uint64_t pushed_ns; /* time of the last push, 0 = none yet */
};

int queue_new(const struct queue_options *options, struct queue **out_queue)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	queue->tail = &queue->first;
	queue->max = options->memory_max ? options->memory_max : QUEUE_MEMORY_DEFAULT;
	if (options->spool_path) {
		bool damaged = false;
		int r;

		queue->spool_max = options->spool_max ? options->spool_max : QUEUE_SPOOL_DEFAULT;
		r = spool_open(options->spool_path, queue->spool_max, &damaged, &queue->spool);
		queue->spool_error = r < 0 ? r : damaged ? -EBADMSG : 0;
	}
	*out_queue = queue;
	return 0;
}

/* Behind what is in the spool. What does not go now is tried again with the next record; that is
 * one write that fails, however much waits. */
static int append(struct queue *queue, const char *p, size_t len)
{
	int r = spool_append(queue->spool, p, len);

	if (r < 0 && r != -ENOSPC)
		queue->spool_error = r;
	return r;
}

/* at: what points to it. */
static void drop_item(struct queue *queue, struct item **at)
{
	struct item *item = *at;

	*at = item->next;
	if (!*at)
		queue->tail = at;
	queue->nr--;
	queue->bytes -= item->len;
	free(item);
}

static void drop_first(struct queue *queue)
{
	drop_item(queue, &queue->first);
}

void queue_keep(struct queue *queue)
{
	struct item **at = &queue->first;

	if (!queue->spool)
		return;
	while (*at) {
		int r = append(queue, (*at)->p, (*at)->len);

		if (r == 0)
			drop_item(queue, at);
		else if (r == -EMSGSIZE)
			at = &(*at)->next;
		else
			return;
	}
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	queue_keep(queue);
	spool_close(queue->spool);
	while (queue->first)
		drop_first(queue);
	free(queue);
}

void queue_drop(struct queue *queue, uint64_t time_ns)
{
	if (!time_ns)
		time_ns = queue->pushed_ns > queue->lost.last_ns ? queue->pushed_ns
								 : queue->lost.last_ns;
	queue->dropped++;
	if (queue->lost.count++ == 0 || !queue->lost.first_ns)
		queue->lost.first_ns = time_ns;
	queue->lost.last_ns = time_ns;
}

static bool half_empty(const struct queue *queue)
{
	uint64_t used = queue->bytes, max = queue->max;

	if (queue->spool) {
		used += spool_used(queue->spool);
		max += queue->spool_max;
	}
	return used <= max / 2;
}

static int push_memory(struct queue *queue, const char *p, size_t len)
{
	struct item *item;

	if (queue->bytes + len > queue->max)
		return -ENOSPC;
	item = malloc(sizeof(*item) + len);
	if (!item)
		return -ENOMEM;
	item->next = NULL;
	item->len = len;
	memcpy(item->p, p, len);
	*queue->tail = item;
	queue->tail = &item->next;
	queue->nr++;
	queue->bytes += len;
	return 0;
}

/* In memory if there is room, which the spool may make; never past what is older. */
static int try_push(struct queue *queue, const char *p, size_t len)
{
	int r = -ENOSPC;

	if (!queue->first && queue_in_spool(queue) > 0)
		r = append(queue, p, len);
	if (r < 0)
		r = push_memory(queue, p, len);
	if (r < 0 && queue->spool) {
		queue_keep(queue);
		r = queue->first ? -ENOSPC : append(queue, p, len);
		if (r < 0)
			r = push_memory(queue, p, len);
	}
	return r < 0 && r != -ENOMEM ? -ENOSPC : r; /* a full disk or a broken one: no room */
}

int queue_push(struct queue *queue, const char *p, size_t len, uint64_t time_ns)
{
	int r = queue->closed ? -ENOSPC : try_push(queue, p, len);

	queue->pushed_ns = time_ns;
	if (queue->lost.count && !queue->lost.first_ns)
		queue->lost.first_ns = queue->lost.last_ns = time_ns;
	if (r < 0) {
		queue_drop(queue, time_ns);
		queue->closed = true;
	}
	return r;
}

int queue_push_notice(struct queue *queue, const char *p, size_t len)
{
	return try_push(queue, p, len);
}

/* Negative errno: it has nothing, or cannot be read. */
static int peek_spool(struct queue *queue, const char **out_p, size_t *out_len)
{
	uint64_t left = queue_in_spool(queue);
	int r = queue->spool ? spool_peek(queue->spool, out_p, out_len) : -ENOENT;

	if (r == 0 || r == -ENOENT)
		return r;
	queue->spool_error = r;
	if (r == -EBADMSG) { /* it is empty now; when those were is not known, but about now */
		if (!queue->lost.count)
			queue->lost.first_ns = queue->lost.last_ns = queue->pushed_ns;
		queue->dropped += left;
		queue->lost.count += left;
	}
	return r;
}

int queue_peek(struct queue *queue, const char **out_p, size_t *out_len)
{
	queue->from_spool = peek_spool(queue, out_p, out_len) == 0;
	if (queue->from_spool)
		return 0;
	/* A disk that cannot be read now may be readable later; what is in memory does not wait. */
	if (!queue->first)
		return -ENOENT;
	*out_p = queue->first->p;
	*out_len = queue->first->len;
	return 0;
}

void queue_pop(struct queue *queue)
{
	if (queue->from_spool)
		spool_pop(queue->spool);
	else if (queue->first)
		drop_first(queue);
	queue->from_spool = false;
}

uint64_t queue_in_memory(const struct queue *queue)
{
	return queue->nr;
}

uint64_t queue_in_spool(const struct queue *queue)
{
	return queue->spool ? spool_count(queue->spool) : 0;
}

uint64_t queue_dropped(const struct queue *queue)
{
	return queue->dropped;
}

int queue_spool_error(const struct queue *queue)
{
	return queue->spool_error;
}

bool queue_take_lost(struct queue *queue, struct queue_lost *out_lost)
{
	if (queue->lost.count == 0 || !queue->lost.first_ns || !half_empty(queue))
		return false;
	queue->closed = false;
	*out_lost = queue->lost;
	queue->lost = (struct queue_lost){0};
	return true;
}

void queue_give_lost(struct queue *queue, const struct queue_lost *lost)
{
	if (queue->lost.count == 0)
		queue->lost.last_ns = lost->last_ns;
	queue->lost.count += lost->count;
	queue->lost.first_ns = lost->first_ns;
	queue->closed = true;
}

/* Two 64-bit FNV-1a values with different starts: an id, not a defence. */
static uint64_t mix(uint64_t h, const void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3ULL;
	return h;
}

void queue_lost_alert(const struct queue_lost *lost, const char *sink, char *host,
		      struct queue_lost_text *store, struct alert *out_alert)
{
	static char none[] = "";
	uint64_t id[2] = {0xcbf29ce484222325ULL, 0x84222325cbf29ce4ULL};

	for (int i = 0; i < 2; i++) {
		id[i] = mix(id[i], sink, strlen(sink));
		id[i] = mix(id[i], lost, sizeof(*lost));
	}
	snprintf(store->text, sizeof(store->text),
		 "%" PRIu64
		 " alert%s could not be handed to %s and %s dropped: its queue and spool were full",
		 lost->count, lost->count == 1 ? "" : "s", sink, lost->count == 1 ? "was" : "were");
	snprintf(store->cause, sizeof(store->cause), "sink-%s", sink);
	*out_alert = (struct alert){
		.type = ALERT_EVENTS_LOST,
		.severity = SEV_HIGH,
		.time_ns = lost->last_ns,
		.host = host,
		.text = store->text,
		.attack = "",
		.count = lost->count,
		.first_ns = lost->first_ns,
		.last_ns = lost->last_ns,
		.login_user = none,
		.unit = none,
		.container = none,
		.image = none,
		.image_id = none,
		.image_container = none,
		.path = none,
		.via = none,
		.watch = none,
		.object_class = "",
		.owner_user = none,
		.rule = none,
		.evidence = "gap",
		.gap_from_ns = lost->first_ns,
		.gap_to_ns = lost->last_ns,
		.cause = store->cause,
	};
	snprintf(out_alert->id, sizeof(out_alert->id), "%016" PRIx64 "%016" PRIx64, id[0], id[1]);
}
