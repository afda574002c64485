// SPDX-License-Identifier: GPL-2.0-or-later
/* Watched objects by the number of their mark. */
#include "engine/objects.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS_MIN 1024

/* In the order in which they went. */
struct gone {
	struct object *first, *last;
};

struct objects {
	struct object **buckets;
	size_t nr_buckets; /* power of two */
	size_t nr, max;
	struct gone gone, scanned; /* the latter: those that linger for their scan */
	struct strtab *strings;
	uint64_t refused;
};

struct objects *objects_new(uint32_t max, struct strtab *strings)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return NULL;
	objects->buckets = calloc(BUCKETS_MIN, sizeof(struct object *));
	if (!objects->buckets) {
		free(objects);
		return NULL;
	}
	objects->nr_buckets = BUCKETS_MIN;
	objects->max = max;
	objects->strings = strings;
	return objects;
}

static void destroy(struct objects *objects, struct object *object)
{
	strtab_put(objects->strings, object->path);
	strtab_put(objects->strings, object->watch);
	free(object->key);
	free(object->was);
	free(object->scan);
	free(object);
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	for (size_t i = 0; i < objects->nr_buckets; i++) {
		while (objects->buckets[i]) {
			struct object *object = objects->buckets[i];

			objects->buckets[i] = object->next;
			destroy(objects, object);
		}
	}
	free(objects->buckets);
	free(objects);
}

static struct object **slot_of(const struct objects *objects, uint64_t id)
{
	struct object **slot = &objects->buckets[hash_u64(id) & (objects->nr_buckets - 1)];

	while (*slot && (*slot)->id != id)
		slot = &(*slot)->next;
	return slot;
}

const struct object *objects_find(const struct objects *objects, uint64_t id)
{
	return *slot_of(objects, id);
}

static bool is_unwatched(const struct object *object, uint64_t time)
{
	return object->unwatched && time > object->gone_at;
}

uint32_t object_watch(const struct object *object, uint64_t time)
{
	return is_unwatched(object, time) ? 0 : object->watch_number;
}

bool object_watch_lost(const struct object *object, uint64_t time)
{
	return !object->watch_number && object->watch_lost && !is_unwatched(object, time);
}

/* While a file is open for writing it is the old key that is told: a reader who writes to it by the
 * same descriptor would else not be named as one of it. */
const struct key_identity *object_key(const struct object *object, uint64_t time)
{
	if (object->was && time <= object->was_until)
		return object->was;
	if (object->was && time <= object->key_since)
		return NULL;
	return object->key_known ? object->key : NULL;
}

static void grow(struct objects *objects)
{
	size_t nr = objects->nr_buckets * 2;
	struct object **buckets = calloc(nr, sizeof(*buckets));

	if (!buckets)
		return; /* slower, not wrong */
	for (size_t i = 0; i < objects->nr_buckets; i++) {
		while (objects->buckets[i]) {
			struct object *object = objects->buckets[i];
			struct object **slot = &buckets[hash_u64(object->id) & (nr - 1)];

			objects->buckets[i] = object->next;
			object->next = *slot;
			*slot = object;
		}
	}
	free(objects->buckets);
	objects->buckets = buckets;
	objects->nr_buckets = nr;
}

static struct object *get(struct objects *objects, uint64_t id)
{
	struct object *object = *slot_of(objects, id), **slot;

	if (object)
		return object;
	object = objects->nr < objects->max ? calloc(1, sizeof(*object)) : NULL;
	if (!object) {
		objects->refused++;
		return NULL;
	}
	if (objects->nr >= objects->nr_buckets)
		grow(objects);
	slot = slot_of(objects, id);
	object->id = id;
	object->owner = UID_UNSET;
	*slot = object;
	objects->nr++;
	return object;
}

static void set_string(struct objects *objects, struct str **str, struct span bytes)
{
	struct str *old = *str;

	*str = strtab_get(objects->strings, bytes);
	strtab_put(objects->strings, old);
}

static void append(struct gone *gone, struct object *object)
{
	object->next_gone = NULL;
	if (gone->last)
		gone->last->next_gone = object;
	else
		gone->first = object;
	gone->last = object;
}

static void set_gone(struct objects *objects, struct object *object, uint64_t time)
{
	if (object->gone_at)
		return;
	object->gone_at = time ? time : 1;
	append(&objects->gone, object);
}

/* A number is used again: the object is there. Rare, so the list may be walked. */
static void set_there(struct objects *objects, struct object *object)
{
	struct gone *gone = object->lingers ? &objects->scanned : &objects->gone;
	struct object **at = &gone->first, *before = NULL;

	if (!object->gone_at)
		return;
	while (*at != object) {
		before = *at;
		at = &(*at)->next_gone;
	}
	*at = object->next_gone;
	if (gone->last == object)
		gone->last = before;
	object->gone_at = 0;
	object->unwatched = object->lingers = false;
}

/* The number does not depend on there being room for the name; only a reload has need of that. */
static void set_watch(struct objects *objects, struct object *object, struct span name,
		      const struct policy *policy)
{
	set_string(objects, &object->watch, name);
	object->watch_lost = name.len && !object->watch;
	object->watch_number = name.len ? policy_find_watch(policy, name) : 0;
}

/* Called the same; a comment or passphrase may have been changed. */
static bool same_key(const struct key_identity *a, const struct key_identity *b)
{
	return a->kind == b->kind && a->source == b->source && a->has_spki == b->has_spki &&
	       (!a->has_spki || memcmp(a->spki, b->spki, sizeof(a->spki)) == 0) &&
	       strcmp(a->ssh_fp, b->ssh_fp) == 0 && strcmp(a->keygrip, b->keygrip) == 0;
}

/* The key is that of before. That there was none says nothing about who reads while one is written.
 */
static void retire_key(struct object *object, uint64_t time)
{
	struct key_identity *key = object->key_known ? object->key : NULL;
	bool kept = object->was && object->was_until + OBJECTS_LINGER_NS > time;

	if (!key)
		return;
	if (key->kind == KEY_NONE || kept) {
		free(key);
	} else {
		free(object->was);
		object->was = key;
		object->was_until = time;
	}
	object->key = NULL;
	object->key_known = false;
	object->key_since = time;
}

void objects_written(struct objects *objects, uint64_t id, uint64_t time)
{
	struct object *object = *slot_of(objects, id);

	if (!object || object->key_known)
		return; /* it has not been told that it is another */
	/* It has, with the time at which the daemon got to it. */
	if (object->was && object->was_until > time)
		object->was_until = time;
	object->key_since = time;
}

void objects_owned(struct objects *objects, uint64_t id, uint32_t owner)
{
	struct object *object = *slot_of(objects, id);

	if (object && owner != UID_UNSET)
		object->owner = owner;
}

bool objects_tell(struct objects *objects, uint64_t time, const struct event_object *ev,
		  const struct policy *policy)
{
	struct object *object;

	if (!ev->watch.len) {
		object = *slot_of(objects, ev->object);
		if (!object)
			return true;
		object->told = true;
		object->unwatched = true;
		set_gone(objects, object, time);
		return true;
	}
	object = get(objects, ev->object);
	if (!object)
		return false;
	set_there(objects, object);
	object->inode = ev->inode;
	object->told = true;
	set_string(objects, &object->path, ev->path);
	set_watch(objects, object, ev->watch, policy);
	if (!ev->key_known) {
		retire_key(object, time);
		object->told_at = time;
		return true;
	}
	if (object->key_known && !same_key(object->key, &ev->key))
		retire_key(object, time);
	if (!object->key)
		object->key = malloc(sizeof(*object->key));
	if (object->key) {
		*object->key = ev->key;
		object->key_known = true;
	}
	return true;
}

void objects_mark(struct objects *objects, uint64_t time, const struct event_mark *ev,
		  const struct policy *policy)
{
	const struct watch_entry *entry;
	struct object *object;

	switch (ev->op) {
	case MARK_ADDED:
	case MARK_MOVED:
		entry = ev->watch ? policy_watch(policy, ev->watch) : NULL;
		if (!entry)
			return; /* a directory, or nothing of this policy */
		object = get(objects, ev->object);
		if (!object || object->told)
			return; /* the daemon knows better, and tells what has changed */
		set_there(objects, object);
		object->inode = ev->inode;
		set_string(objects, &object->path, ev->path);
		set_watch(objects, object, span_of(entry->name), policy);
		object->told_at = time;
		return;
	case MARK_DROPPED:
		object = *slot_of(objects, ev->object);
		if (object)
			set_gone(objects, object, time);
		return;
	case MARK_SUPER_GONE:
		for (size_t i = 0; i < objects->nr_buckets; i++)
			for (object = objects->buckets[i]; object; object = object->next)
				if (object->inode.dev == ev->inode.dev)
					set_gone(objects, object, time);
		return;
	default:
		return;
	}
}

static bool says_nothing(const struct dump_scan *scan)
{
	return scan->state == SCANSTATE_SCANNING || scan->state == SCANSTATE_UNSCANNED;
}

void objects_scan(struct objects *objects, uint64_t id, const struct dump_scan *scan)
{
	struct object *object = *slot_of(objects, id);
	uint64_t number = scan->number;

	if (!object)
		return;
	if (object->scan && object->scan->number > scan->number) {
		/* The verdict on what the file was before comes late; but if it holds a key, and
		 * the scan that began since has not said anything, that is what is known. */
		if (scan->state != SCANSTATE_KEY || !says_nothing(object->scan))
			return;
		number = object->scan->number;
	}
	/* Until a new scan has looked at it, what the last one found is what is known to be in it:
	 * who has it scanned anew, by changing its mode, say, hides nothing by that. */
	if (object->scan && object->scan->state == SCANSTATE_KEY && says_nothing(scan)) {
		object->scan->number = number;
		return;
	}
	free(object->scan);
	object->scan = dump_scan_copy(scan); /* without memory: as never taken up */
	if (object->scan)
		object->scan->number = number;
}

void objects_set_policy(struct objects *objects, const struct policy *policy)
{
	for (size_t i = 0; i < objects->nr_buckets; i++)
		for (struct object *object = objects->buckets[i]; object; object = object->next)
			object->watch_number =
				object->watch ? policy_find_watch(policy, str_span(object->watch))
					      : 0;
}

void objects_each(const struct objects *objects, void (*fn)(void *ctx, const struct object *object),
		  void *ctx)
{
	for (size_t i = 0; i < objects->nr_buckets; i++)
		for (const struct object *object = objects->buckets[i]; object;
		     object = object->next)
			fn(ctx, object);
}

static struct object *take_gone(struct gone *gone, uint64_t linger, uint64_t now)
{
	struct object *object = gone->first;

	if (!object || object->gone_at + linger > now)
		return NULL;
	gone->first = object->next_gone;
	if (!gone->first)
		gone->last = NULL;
	return object;
}

static void forget(struct objects *objects, struct object *object)
{
	struct object **slot = slot_of(objects, object->id);

	*slot = object->next;
	objects->nr--;
	destroy(objects, object);
}

void objects_tick(struct objects *objects, uint64_t now)
{
	struct object *object;

	while ((object = take_gone(&objects->gone, OBJECTS_LINGER_NS, now))) {
		object->lingers = dump_scan_goes_on(object->scan);
		if (object->lingers)
			append(&objects->scanned, object);
		else
			forget(objects, object);
	}
	while ((object = take_gone(&objects->scanned, OBJECTS_LINGER_SCAN_NS, now)))
		forget(objects, object);
}

size_t objects_count(const struct objects *objects)
{
	return objects->nr;
}

size_t objects_bytes(const struct objects *objects)
{
	size_t bytes = sizeof(*objects) + objects->nr_buckets * sizeof(struct object *);

	return bytes + objects->nr * (sizeof(struct object) + sizeof(struct key_identity));
}

uint64_t objects_refused(const struct objects *objects)
{
	return objects->refused;
}
