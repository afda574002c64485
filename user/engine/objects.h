/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the watched objects: told by the daemon (EVENT_OBJECT) or, before that, by the
 * kernel side when it marked a new one by itself (EVENT_MARK).
 *
 * An object that is gone, or not watched any longer, is remembered for OBJECTS_LINGER_NS, with what
 * it was watched by, for accesses of before that are still pending: who reads a key and then moves
 * it away is judged by where it was. A dump whose scan is not over is remembered for
 * OBJECTS_LINGER_SCAN_NS: a verdict on who read it may wait for that. When the table is full a new
 * object is refused and counted; an access to it is then an access to an object of which nothing is
 * known, and never silent.
 *
 * Whoever reads a key and then writes to its file, or moves it, does not take the key's name out of
 * the alert by that: which key stood there until it was written to is kept, for accesses of before
 * (object_key()). Of writes that follow each other within OBJECTS_LINGER_NS, it is the key that was
 * there before the first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/verdicts.h"
#include "model/event.h"
#include "policy/policy.h"
#include "proc/strtab.h"

#define OBJECTS_LINGER_NS      5000000000ULL
#define OBJECTS_LINGER_SCAN_NS 30000000000ULL

struct object {
	uint64_t id;
	struct inode_id inode;
	struct str *path;
	struct str *watch; /* name of the entry; NULL: never known to be watched */
	uint32_t watch_number; /* of the policy in force, 0 = it has no such entry */
	bool watch_lost; /* there was no room for its name: watched all the same */
	bool told; /* by the daemon, not by a mark alone */
	bool key_known;
	uint64_t told_at; /* when it was last told without its key */
	uint64_t gone_at; /* 0: is there */
	bool unwatched; /* and gone for that reason; object_watch() */
	bool lingers; /* gone, and remembered for its scan */
	uint32_t owner; /* uid, as of the last access that was seen; UID_UNSET: of none yet */
	struct key_identity *key; /* NULL unless key_known */
	struct key_identity *was; /* that stood there until was_until, if another one may now */
	uint64_t was_until; /* of `was`; unless that is NULL, key is of after key_since */
	uint64_t key_since;
	struct dump_scan *scan; /* of a dump; NULL: it was never taken up */
	/* objects.c only */
	struct object *next, *next_gone;
};

struct objects;

struct objects *objects_new(uint32_t max, struct strtab *strings);
void objects_free(struct objects *objects);

/* EVENT_OBJECT. Returns false if it was refused. */
bool objects_tell(struct objects *objects, uint64_t time, const struct event_object *ev,
		  const struct policy *policy);
/* EVENT_MARK. */
void objects_mark(struct objects *objects, uint64_t time, const struct event_mark *ev,
		  const struct policy *policy);
/* It was written to and closed at `time` (ns of the events' clock). That it is not known any longer
 * what stands in it has been told. */
void objects_written(struct objects *objects, uint64_t id, uint64_t time);
/* As an access tells it. */
void objects_owned(struct objects *objects, uint64_t id, uint32_t owner);
/* EVENT_SCAN of an object; of one that is not known it is forgotten. */
void objects_scan(struct objects *objects, uint64_t id, const struct dump_scan *scan);
const struct object *objects_find(const struct objects *objects, uint64_t id);
/* The key that stood in it at `time`, owned by the object; NULL: that is not known, or not yet. */
const struct key_identity *object_key(const struct object *object, uint64_t time);
/* Number of the entry by which it was watched at `time` (ns of the events' clock), 0 = by none. */
uint32_t object_watch(const struct object *object, uint64_t time);
/* It was watched then, but by which entry there was no room to keep. */
bool object_watch_lost(const struct object *object, uint64_t time);
/* Watch entries are looked up anew, by name. */
void objects_set_policy(struct objects *objects, const struct policy *policy);
/* All that are known; of what is gone, too. */
void objects_each(const struct objects *objects, void (*fn)(void *ctx, const struct object *object),
		  void *ctx);
void objects_tick(struct objects *objects, uint64_t now);

size_t objects_count(const struct objects *objects);
size_t objects_bytes(const struct objects *objects); /* without the strings */
uint64_t objects_refused(const struct objects *objects);
