// SPDX-License-Identifier: GPL-2.0-or-later
/* Pending accesses in fixed slots, each with room for its own strings. */
#include "access/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define NONE	     UINT32_MAX
#define STRINGS_ROOM 2048 /* path, exe, cgroup and arguments of one record (bpf/wire.h) fit */

struct slot {
	struct settled s;
	uint64_t due;
	uint32_t h_key, h_proc; /* next in the chains of the two tables */
	uint32_t before, after; /* age; after: next free */
	bool waiting; /* verdict asked for, and put off */
	bool creator; /* made the file: no verdict, only memory of it */
	bool noted; /* s.noted points here */
	enum settle_permit permit; /* by the policy */
	size_t used; /* of strings */
	char strings[STRINGS_ROOM];
};

struct settle {
	struct slot *slots;
	uint32_t nr_slots, untouched, free;
	uint32_t first, last; /* oldest, newest */
	uint32_t pending;
	uint32_t *by_key, *by_proc;
	uint32_t mask;
	uint64_t next; /* no slot is due before */
	settle_fn fn;
	settle_drop_fn drop;
	settle_permit_fn permits;
	void *ctx;
	uint64_t superseded, early, verdicts, not_read;
};

struct settle *settle_new(uint32_t slots, settle_fn fn, settle_drop_fn drop,
			  settle_permit_fn permits, void *ctx)
{
	struct settle *settle = calloc(1, sizeof(*settle));
	uint32_t buckets = 64;

	if (!settle)
		return NULL;
	while (buckets < slots)
		buckets *= 2;
	settle->slots = calloc(slots, sizeof(struct slot));
	settle->by_key = malloc(buckets * sizeof(uint32_t));
	settle->by_proc = malloc(buckets * sizeof(uint32_t));
	if (!settle->slots || !settle->by_key || !settle->by_proc) {
		settle_free(settle);
		return NULL;
	}
	memset(settle->by_key, 0xff, buckets * sizeof(uint32_t));
	memset(settle->by_proc, 0xff, buckets * sizeof(uint32_t));
	settle->nr_slots = slots;
	settle->mask = buckets - 1;
	settle->free = settle->first = settle->last = NONE;
	settle->next = UINT64_MAX;
	settle->fn = fn;
	settle->drop = drop;
	settle->permits = permits;
	settle->ctx = ctx;
	return settle;
}

void settle_free(struct settle *settle)
{
	if (!settle)
		return;
	free(settle->slots);
	free(settle->by_key);
	free(settle->by_proc);
	free(settle);
}

/* --- slots ----------------------------------------------------------------------------- */

static uint32_t *proc_bucket(const struct settle *settle, uint32_t tgid, uint64_t start)
{
	return &settle->by_proc[hash_u64(start ^ hash_u64(tgid)) & settle->mask];
}

static uint32_t *key_bucket(const struct settle *settle, const struct proc_id *id, uint64_t object)
{
	uint64_t h = hash_u64(id->start ^ hash_u64((uint64_t)id->tgid << 32 ^ id->exec_id));

	return &settle->by_key[hash_u64(h ^ object) & settle->mask];
}

static struct slot *find(const struct settle *settle, const struct proc_id *id, uint64_t object)
{
	for (uint32_t i = *key_bucket(settle, id, object); i != NONE; i = settle->slots[i].h_key) {
		struct slot *slot = &settle->slots[i];

		if (slot->s.access.object == object && proc_id_eq(&slot->s.access.subject.id, id))
			return slot;
	}
	return NULL;
}

static void unchain(struct settle *settle, uint32_t *head, uint32_t index, size_t member)
{
	while (*head != index)
		head = (uint32_t *)((char *)&settle->slots[*head] + member);
	*head = *(uint32_t *)((char *)&settle->slots[index] + member);
}

static void release(struct settle *settle, struct slot *slot)
{
	const struct proc_id *id = &slot->s.access.subject.id;
	uint32_t index = (uint32_t)(slot - settle->slots);

	unchain(settle, key_bucket(settle, id, slot->s.access.object), index,
		offsetof(struct slot, h_key));
	unchain(settle, proc_bucket(settle, id->tgid, id->start), index,
		offsetof(struct slot, h_proc));
	if (slot->before != NONE)
		settle->slots[slot->before].after = slot->after;
	else
		settle->first = slot->after;
	if (slot->after != NONE)
		settle->slots[slot->after].before = slot->before;
	else
		settle->last = slot->before;
	slot->after = settle->free;
	settle->free = index;
	settle->pending--;
}

static void drop(struct settle *settle, struct slot *slot)
{
	if (settle->drop)
		settle->drop(settle->ctx, &slot->s);
	release(settle, slot);
}

/* Asks for the verdict. Returns false if the slot is still in use. */
static bool ask(struct settle *settle, struct slot *slot, uint64_t now, bool final)
{
	uint64_t later;

	if (slot->creator) {
		drop(settle, slot);
		return true;
	}
	if (!slot->waiting)
		slot->s.settled_at = now;
	slot->s.final = final;
	later = settle->fn(settle->ctx, &slot->s, now);
	if (later && !final) {
		slot->waiting = true;
		slot->due = later > now ? later : now + 1;
		return false;
	}
	settle->verdicts++;
	release(settle, slot);
	return true;
}

static struct slot *take_slot(struct settle *settle, uint64_t now)
{
	struct slot *slot;

	if (settle->free == NONE && settle->untouched == settle->nr_slots) {
		slot = &settle->slots[settle->first];
		slot->s.early = true;
		settle->early++;
		ask(settle, slot, now, true);
	}
	if (settle->free != NONE) {
		slot = &settle->slots[settle->free];
		settle->free = slot->after;
	} else {
		slot = &settle->slots[settle->untouched++];
	}
	return slot;
}

/* What does not fit loses the end that says least: of a path its beginning, else its end. */
static void keep_string(struct slot *slot, struct span *span, size_t max, bool keep_end,
			uint32_t cut_flag)
{
	size_t room = sizeof(slot->strings) - slot->used;
	size_t len = span->len;

	if (max < room)
		room = max;
	if (len > room) {
		len = room;
		slot->s.flags |= cut_flag;
	}
	if (!len) {
		*span = (struct span){NULL, 0};
		return;
	}
	memcpy(slot->strings + slot->used, keep_end ? span->p + span->len - len : span->p, len);
	*span = (struct span){slot->strings + slot->used, len};
	slot->used += len;
}

static struct slot *add(struct settle *settle, const struct event *ev, struct proc_ref proc)
{
	const struct event_access *a = &ev->access;
	struct slot *slot = take_slot(settle, ev->time);
	uint32_t index = (uint32_t)(slot - settle->slots), *bucket;

	slot->s = (struct settled){
		.access = *a,
		.time = ev->time,
		.last_time = ev->time,
		.flags = ev->flags,
		.cpu = ev->cpu,
		.count = 1,
		.hows = 1U << a->how,
		.proc = proc,
	};
	slot->due = ev->time + SETTLE_WAIT_NS;
	slot->waiting = slot->creator = slot->noted = false;
	slot->s.noted = &slot->noted;
	slot->permit = settle->permits ? settle->permits(settle->ctx, ev) : PERMIT_NO;
	slot->used = 0;
	keep_string(slot, &slot->s.access.path, 1024, true, EVENT_PATH_TRUNCATED);
	keep_string(slot, &slot->s.access.exe, 512, true, EVENT_EXE_TRUNCATED);
	keep_string(slot, &slot->s.access.cgroup, 256, true, EVENT_CGROUP_TRUNCATED);
	keep_string(slot, &slot->s.access.args, 256, false, EVENT_ARGS_TRUNCATED);
	bucket = key_bucket(settle, &a->subject.id, a->object);
	slot->h_key = *bucket;
	*bucket = index;
	bucket = proc_bucket(settle, a->subject.id.tgid, a->subject.id.start);
	slot->h_proc = *bucket;
	*bucket = index;
	slot->after = NONE;
	slot->before = settle->last;
	if (settle->last != NONE)
		settle->slots[settle->last].after = index;
	else
		settle->first = index;
	settle->last = index;
	settle->pending++;
	return slot;
}

static void due_by(struct settle *settle, struct slot *slot, uint64_t time)
{
	if (time < slot->due)
		slot->due = time;
	if (slot->due < settle->next)
		settle->next = slot->due;
}

/* --- what happens ---------------------------------------------------------------------- */

static bool reads(const struct event_access *a)
{
	switch (a->how) {
	case ACCESS_CLOSE_WRITE:
		return false;
	case ACCESS_MMAP:
		/* The kernel maps no file that is not open for reading, whatever the protection. */
		return true;
	default:
		return (a->mode & ACCESS_M_READ) && !(a->mode & ACCESS_M_CREATED);
	}
}

static bool same_process(const struct proc_id *a, const struct proc_id *b)
{
	return a->tgid == b->tgid && a->start == b->start;
}

/* Having been passed on is all that `slot` did with it: it did not map or receive it. */
static bool only_passed(const struct slot *slot)
{
	return !slot->waiting && !slot->creator &&
	       !(slot->s.hows & ~(1U << ACCESS_OPEN | 1U << ACCESS_EXEC_FD));
}

/* Whether `from` may disappear in favour of `to`: see the header about images that may read. */
static bool makes_way(const struct slot *from, const struct slot *to)
{
	return only_passed(from) && (from->permit == PERMIT_YES || to->permit == PERMIT_NO);
}

static void hand_over(struct settle *settle, struct slot *from, struct slot *to)
{
	to->s.handed = true;
	/* The one who opened, over any number of images in between. */
	to->s.handed_by = from->s.handed ? from->s.handed_by : from->s.access.subject.id;
	if (from->s.time < to->s.time)
		to->s.time = from->s.time;
	settle->superseded++;
	drop(settle, from);
}

/* What `process`, in an image before exec_id `before`, only held for `slot`. */
static void supersede_of(struct settle *settle, const struct proc_id *process, uint64_t before,
			 struct slot *slot)
{
	uint32_t i = *proc_bucket(settle, process->tgid, process->start);

	while (i != NONE) {
		struct slot *other = &settle->slots[i];

		i = other->h_proc;
		if (other == slot || other->s.access.object != slot->s.access.object ||
		    !same_process(&other->s.access.subject.id, process) ||
		    other->s.access.subject.id.exec_id >= before || !makes_way(other, slot))
			continue;
		hand_over(settle, other, slot);
	}
}

/* Who opened what `slot` was started with: an earlier image of the process, or its parent. */
static void supersede(struct settle *settle, struct slot *slot)
{
	const struct proc_id *id = &slot->s.access.subject.id;
	const struct proc_id *parent = &slot->s.access.parent;

	supersede_of(settle, id, id->exec_id, slot);
	if (parent->start)
		supersede_of(settle, parent, UINT64_MAX, slot);
}

/*
 * An image that was started with the object, and for whom this open was, which is told late: a
 * later one of the same process.
 */
static struct slot *heir(const struct settle *settle, const struct slot *opener)
{
	const struct proc_id *id = &opener->s.access.subject.id;
	uint32_t i = *proc_bucket(settle, id->tgid, id->start);

	for (; i != NONE; i = settle->slots[i].h_proc) {
		struct slot *slot = &settle->slots[i];

		if (slot->s.access.object == opener->s.access.object && !slot->creator &&
		    same_process(&slot->s.access.subject.id, id) &&
		    slot->s.access.subject.id.exec_id > id->exec_id &&
		    (slot->s.hows & 1U << ACCESS_EXEC_FD) && makes_way(opener, slot))
			return slot;
	}
	return NULL;
}

/* Did this process, in this image or one before, just create the file? */
static bool created_by(const struct settle *settle, const struct event_access *a)
{
	const struct proc_id *id = &a->subject.id;
	uint32_t i = *proc_bucket(settle, id->tgid, id->start);

	for (; i != NONE; i = settle->slots[i].h_proc) {
		const struct slot *slot = &settle->slots[i];

		if (slot->creator && slot->s.access.object == a->object &&
		    same_process(&slot->s.access.subject.id, id) &&
		    slot->s.access.subject.id.exec_id <= id->exec_id)
			return true;
	}
	return false;
}

bool settle_access(struct settle *settle, const struct event *ev, struct proc_ref proc, bool over)
{
	const struct event_access *a = &ev->access;
	const struct proc_id *id = &a->subject.id;
	struct slot *slot = find(settle, id, a->object), *later;
	bool read = reads(a);

	if (read && (a->how == ACCESS_MMAP || a->how == ACCESS_EXEC_FD || a->how == ACCESS_READ) &&
	    !(slot && !slot->creator) && created_by(settle, a)) {
		settle->not_read++;
		return false;
	}
	if (!read) {
		settle->not_read++;
		if (slot || !(a->mode & ACCESS_M_CREATED))
			return false;
		slot = add(settle, ev, proc);
		slot->creator = true;
		due_by(settle, slot, slot->due);
		return true;
	}
	if (slot && slot->creator) {
		drop(settle, slot);
		slot = NULL;
	}
	if (slot) {
		slot->s.count++;
		slot->s.hows |= 1U << a->how;
		slot->s.access.mode |= a->mode;
		slot->s.access.subject.untrusted |= a->subject.untrusted;
		if (ev->time > slot->s.last_time)
			slot->s.last_time = ev->time;
		if (a->how == ACCESS_EXEC_FD)
			supersede(settle, slot);
		return false;
	}
	slot = add(settle, ev, proc);
	due_by(settle, slot, over ? ev->time + SETTLE_GRACE_NS : slot->due);
	if (a->how == ACCESS_EXEC_FD) {
		supersede(settle, slot);
	} else if (a->how == ACCESS_OPEN) {
		later = heir(settle, slot);
		if (later)
			hand_over(settle, slot, later);
	}
	return true;
}

void settle_reopened(struct settle *settle, const struct proc_id *id, uint64_t object)
{
	struct slot *slot = find(settle, id, object);

	if (slot && slot->creator)
		drop(settle, slot);
}

void settle_exec(struct settle *settle, const struct proc_id *id, uint64_t time)
{
	uint32_t i = *proc_bucket(settle, id->tgid, id->start);

	for (; i != NONE; i = settle->slots[i].h_proc) {
		struct slot *slot = &settle->slots[i];

		if (same_process(&slot->s.access.subject.id, id) && !slot->creator &&
		    slot->s.access.subject.id.exec_id < id->exec_id)
			due_by(settle, slot, time + SETTLE_GRACE_NS);
	}
}

void settle_exit(struct settle *settle, const struct proc_id *id, uint64_t time)
{
	uint32_t i = *proc_bucket(settle, id->tgid, id->start);

	for (; i != NONE; i = settle->slots[i].h_proc) {
		struct slot *slot = &settle->slots[i];

		if (same_process(&slot->s.access.subject.id, id))
			due_by(settle, slot, time + SETTLE_GRACE_NS);
	}
}

bool settle_pending(const struct settle *settle, const struct proc_id *id, uint64_t object)
{
	const struct slot *slot = find(settle, id, object);

	return slot && !slot->creator;
}

void settle_ask_trust(struct settle *settle, settle_trust_fn fn, void *ctx)
{
	for (uint32_t i = settle->first; i != NONE; i = settle->slots[i].after)
		fn(ctx, &settle->slots[i].s.access);
}

void settle_poke(struct settle *settle, uint64_t object)
{
	for (uint32_t i = settle->first; i != NONE; i = settle->slots[i].after) {
		struct slot *slot = &settle->slots[i];

		if (slot->waiting && slot->s.access.object == object)
			due_by(settle, slot, 0);
	}
}

static void run(struct settle *settle, uint64_t now, bool all)
{
	uint32_t i = settle->first;

	settle->next = UINT64_MAX;
	while (i != NONE) {
		struct slot *slot = &settle->slots[i];

		i = slot->after;
		if (!all && slot->due > now) {
			due_by(settle, slot, slot->due);
			continue;
		}
		if (!ask(settle, slot, now, all))
			due_by(settle, slot, slot->due);
	}
}

void settle_tick(struct settle *settle, uint64_t now)
{
	if (now >= settle->next)
		run(settle, now, false);
}

uint64_t settle_next(const struct settle *settle)
{
	return settle->next;
}

void settle_flush(struct settle *settle, uint64_t now)
{
	run(settle, now, true);
}

void settle_stats(const struct settle *settle, struct settle_stats *out_stats)
{
	*out_stats = (struct settle_stats){
		.pending = settle->pending,
		.slots = settle->nr_slots,
		.superseded = settle->superseded,
		.early = settle->early,
		.verdicts = settle->verdicts,
		.not_read = settle->not_read,
		.bytes = (uint64_t)settle->untouched * sizeof(struct slot) +
			 2 * (uint64_t)(settle->mask + 1) * sizeof(uint32_t),
	};
}
