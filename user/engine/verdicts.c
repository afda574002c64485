// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys wait here for the verdict that they belong to, and crashes for the dump. */
#include "engine/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "trail/zoned.h"

struct verdicts {
	uint64_t number; /* of the scan whose keys are in `scan` */
	struct dump_scan scan;
	uint32_t zones[EVENT_KEYS_MAX]; /* of the keys in `scan` */
	struct crash crashes[VERDICT_CRASHES];
	size_t next_crash;
};

struct verdicts *verdicts_new(void)
{
	return calloc(1, sizeof(struct verdicts));
}

void verdicts_free(struct verdicts *verdicts)
{
	free(verdicts);
}

void verdicts_text(struct span text, char *out, size_t size)
{
	char raw[1024];
	long len = escape_undo(text.p ? text.p : "", text.len, raw, sizeof(raw));

	if (len >= 0)
		escape_bytes(raw, (size_t)len, out, size, NULL);
	else
		escape_bytes(text.p, text.len, out, size, NULL);
}

/* Breaches are found by the keys that are kept: what tells of a zone matters more than the rest. */
static bool make_room(struct verdicts *verdicts, uint32_t zone)
{
	struct dump_scan *scan = &verdicts->scan;
	const uint32_t at = zoned_spare(verdicts->zones, scan->nr, zone);

	if (at == scan->nr)
		return false;
	scan->nr--;
	memmove(&scan->items[at], &scan->items[at + 1], (scan->nr - at) * sizeof(scan->items[0]));
	memmove(&verdicts->zones[at], &verdicts->zones[at + 1],
		(scan->nr - at) * sizeof(verdicts->zones[0]));
	return true;
}

void verdicts_key(struct verdicts *verdicts, const struct event_scan_key *key, uint32_t zone)
{
	struct dump_scan *scan = &verdicts->scan;
	struct scan_key *item;

	if (verdicts->number != key->scan) {
		verdicts->number = key->scan;
		scan->nr = 0;
	}
	/* The worst come first. */
	if (scan->nr == EVENT_KEYS_MAX && !make_room(verdicts, zone))
		return;
	verdicts->zones[scan->nr] = zone;
	item = &scan->items[scan->nr++];
	item->severity = key->severity >= 1 && key->severity <= 5 ? key->severity : 1;
	item->bits = key->bits;
	item->places = key->places;
	item->offset = key->offset;
	item->expired = key->expired;
	item->key = key->key;
	verdicts_text(key->class, item->class, sizeof(item->class));
	verdicts_text(key->what, item->what, sizeof(item->what));
	verdicts_text(key->label, item->label, sizeof(item->label));
	verdicts_text(key->zone, item->zone, sizeof(item->zone));
}

/* Is there a crash that it could be of, of a process that had not read a key? */
static bool may_be_stranger(const struct verdicts *verdicts, const struct event_scan *event)
{
	bool may = false;

	if (event->held.nr)
		return false;
	for (size_t i = 0; i < VERDICT_CRASHES; i++) {
		const struct crash *crash = &verdicts->crashes[i];

		if (!crash->pid)
			continue;
		/* Whose file it is was seen. */
		if (crash->object && event->object && crash->object == event->object)
			return !crash->holder;
		may |= !crash->object && !crash->holder;
	}
	return may;
}

const struct dump_scan *verdicts_take(struct verdicts *verdicts, const struct event_scan *event)
{
	struct dump_scan *scan = &verdicts->scan;
	const struct crash *crash;

	if (verdicts->number != event->scan || event->state != SCANSTATE_KEY)
		scan->nr = 0;
	verdicts->number = 0;
	scan->number = event->scan;
	scan->state = event->state;
	scan->cause = event->cause;
	digests_parse(event->sha256, event->content_sha256, &scan->digests);
	crash = verdicts_holder(verdicts, event);
	scan->of_stranger = !event->held.nr && crash && !crash->holder;
	scan->may_be_stranger = may_be_stranger(verdicts, event);
	scan->keys = event->keys < scan->nr ? scan->nr : event->keys;
	return scan;
}

struct dump_scan *dump_scan_copy(const struct dump_scan *scan)
{
	size_t size = offsetof(struct dump_scan, items) + scan->nr * sizeof(scan->items[0]);
	struct dump_scan *copy = malloc(size);

	if (copy)
		memcpy(copy, scan, size);
	return copy;
}

static size_t keep(struct span from, char *to, size_t size)
{
	size_t len = from.len < size ? from.len : size;

	if (len)
		memcpy(to, from.p, len);
	return len;
}

static bool is_same_key(const struct scan_key *a, const struct scan_key *b)
{
	if (a->key.has_spki != b->key.has_spki || strcmp(a->what, b->what) ||
	    strcmp(a->class, b->class) || strcmp(a->zone, b->zone))
		return false;
	return a->key.has_spki ? !memcmp(a->key.spki, b->key.spki, sizeof(a->key.spki))
			       : a->offset == b->offset && a->bits == b->bits;
}

bool dump_scan_found_same(const struct dump_scan *scan, const struct dump_scan *before)
{
	if (!before || scan->state != SCANSTATE_KEY || before->state != SCANSTATE_KEY ||
	    scan->keys != before->keys || scan->nr != before->nr || scan->keys != scan->nr)
		return false;
	for (uint32_t i = 0; i < scan->nr; i++) {
		uint32_t k = 0;

		while (k < before->nr && !is_same_key(&scan->items[i], &before->items[k]))
			k++;
		if (k == before->nr)
			return false;
	}
	return true;
}

void verdicts_crash(struct verdicts *verdicts, const struct event_dump *dump)
{
	struct crash *crash;

	if (dump->how != DUMP_FILE && dump->how != DUMP_PIPE && dump->how != DUMP_SOCKET)
		return;
	crash = &verdicts->crashes[verdicts->next_crash++ % VERDICT_CRASHES];
	crash->object = dump->how == DUMP_FILE ? dump->object : 0;
	crash->pid = dump->subject.id.tgid;
	crash->holder = dump->held.nr > 0;
	memcpy(crash->comm, dump->subject.comm, sizeof(crash->comm));
	crash->exe_len = keep(dump->exe, crash->exe, sizeof(crash->exe));
	crash->cgroup_len = keep(dump->cgroup, crash->cgroup, sizeof(crash->cgroup));
}

/* The name in a dump is escaped. */
static bool is_named(const struct crash *crash, struct span command)
{
	char name[4 * sizeof(crash->comm) + 1];
	size_t len = escape_bytes(crash->comm, strnlen(crash->comm, sizeof(crash->comm)), name,
				  sizeof(name), NULL);

	return len == command.len && (!len || !memcmp(name, command.p, len));
}

const struct crash *verdicts_holder(const struct verdicts *verdicts, const struct event_scan *scan)
{
	for (size_t i = 0; i < VERDICT_CRASHES; i++) { /* the latest first */
		size_t at = verdicts->next_crash + VERDICT_CRASHES - 1 - i;
		const struct crash *crash = &verdicts->crashes[at % VERDICT_CRASHES];

		if (!crash->pid)
			break;
		if (crash->object
			    ? crash->object == scan->object
			    : crash->pid == scan->dump_pid && is_named(crash, scan->dump_command))
			return crash;
	}
	return NULL;
}
