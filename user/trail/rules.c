// SPDX-License-Identifier: GPL-2.0-or-later
/* Deeds that say something together only. */
#include "trail/rules.h"

#include <stdlib.h>
#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

#define RULES_LOOK 64 /* so many are looked through for one to give way */

struct group { /* a login, or a unit */
	uint64_t id;
	uint64_t objects[RULES_KEYS], times[RULES_KEYS]; /* 0 = free */
	uint64_t told; /* CLOCK_BOOTTIME ns, 0 = never */
	UT_hash_handle hh;
};

struct reader_id {
	uint64_t start, tgid;
};

struct reader {
	struct reader_id id;
	uint64_t exec_id;
	bool read, copy, connected; /* a key; a copy of one; to another host */
	bool memory, others; /* it had memory in hand; of another user's holder */
	uint32_t told; /* bits 1 << enum trail_rule */
	UT_hash_handle hh;
};

struct trail_rules {
	struct group *groups; /* in the order of their last use, as are readers */
	struct reader *readers;
	uint64_t blind, blind_told; /* CLOCK_BOOTTIME ns, 0 = never */
};

const char *trail_rule_str(enum trail_rule rule)
{
	static const char *const words[RULE_NR] = {
		[RULE_MANY_KEYS] = "many-keys",
		[RULE_FIRST_READER] = "first-reader",
		[RULE_READ_THEN_CONNECT] = "read-then-connect",
		[RULE_ARCHIVE_THEN_CONNECT] = "archive-then-connect",
		[RULE_DUMPED_BY_OTHER] = "dumped-by-other",
		[RULE_FOREIGN_DUMP] = "foreign-dump",
		[RULE_READ_BEFORE_VERDICT] = "read-before-verdict",
		[RULE_BLIND_THEN_READ] = "blind-then-read",
	};

	return (unsigned)rule < RULE_NR && words[rule] ? words[rule] : "?";
}

struct trail_rules *trail_rules_new(void)
{
	return calloc(1, sizeof(struct trail_rules));
}

void trail_rules_free(struct trail_rules *rules)
{
	struct group *group, *next_group;
	struct reader *reader, *next_reader;

	if (!rules)
		return;
	HASH_ITER(hh, rules->groups, group, next_group)
	{
		HASH_DEL(rules->groups, group);
		free(group);
	}
	HASH_ITER(hh, rules->readers, reader, next_reader)
	{
		HASH_DEL(rules->readers, reader);
		free(reader);
	}
	free(rules);
}

uint64_t trail_rules_group(const struct subject *subject, uint64_t unit)
{
	if (subject->loginuid != UID_UNSET)
		return 1ULL << 63 | ((uint64_t)subject->session << 31 ^ subject->loginuid);
	return unit ? unit & ~(1ULL << 63) : subject->id.start & ~(1ULL << 63);
}

static struct group *group_of(struct trail_rules *rules, uint64_t id)
{
	struct group *group;

	HASH_FIND(hh, rules->groups, &id, sizeof(id), group);
	if (group) {
		HASH_DEL(rules->groups, group);
	} else if (HASH_COUNT(rules->groups) >= RULES_GROUPS) {
		group = rules->groups;
		HASH_DEL(rules->groups, group);
		*group = (struct group){.id = id};
	} else {
		group = calloc(1, sizeof(*group));
		if (!group)
			return NULL;
		group->id = id;
	}
	HASH_ADD(hh, rules->groups, id, sizeof(group->id), group);
	if (!group->hh.tbl) {
		free(group);
		return NULL;
	}
	return group;
}

static struct reader *reader_find(struct trail_rules *rules, const struct proc_id *id)
{
	struct reader *reader;
	const struct reader_id key = {id->start, id->tgid};

	HASH_FIND(hh, rules->readers, &key, sizeof(key), reader);
	return reader;
}

/* Who only connects is of less use: every holder does. */
static struct reader *spare_reader(const struct trail_rules *rules)
{
	struct reader *oldest = rules->readers, *reader = oldest;

	for (int i = 0; i < RULES_LOOK && reader; i++) {
		if (!reader->read && !reader->copy && !reader->memory)
			return reader;
		reader = reader->hh.next;
	}
	return oldest;
}

/* NULL: no memory, or a later image of this process is known. */
static struct reader *reader_of(struct trail_rules *rules, const struct proc_id *id)
{
	struct reader *reader = reader_find(rules, id);
	const struct reader_id key = {id->start, id->tgid};

	if (reader && id->exec_id < reader->exec_id)
		return NULL;
	if (reader) {
		HASH_DEL(rules->readers, reader);
	} else if (HASH_COUNT(rules->readers) >= RULES_READERS) {
		reader = spare_reader(rules);
		HASH_DEL(rules->readers, reader);
		*reader = (struct reader){.id = key, .exec_id = id->exec_id};
	} else {
		reader = calloc(1, sizeof(*reader));
		if (!reader)
			return NULL;
		reader->id = key;
		reader->exec_id = id->exec_id;
	}
	if (reader->exec_id != id->exec_id) /* another program by now */
		*reader = (struct reader){.id = key, .exec_id = id->exec_id};
	HASH_ADD(hh, rules->readers, id, sizeof(reader->id), reader);
	if (!reader->hh.tbl) {
		free(reader);
		return NULL;
	}
	return reader;
}

/* Takes the object in, for the oldest one. Returns how many different ones are in the window. */
static unsigned count(struct group *group, uint64_t object, uint64_t time)
{
	size_t oldest = 0;
	unsigned nr = 0;

	for (size_t i = 0; i < RULES_KEYS; i++) {
		if (group->objects[i] == object) {
			oldest = i;
			break;
		}
		if (group->times[i] < group->times[oldest])
			oldest = i;
	}
	group->objects[oldest] = object;
	group->times[oldest] = time;
	for (size_t i = 0; i < RULES_KEYS; i++)
		nr += group->objects[i] && group->times[i] + RULES_WINDOW_NS >= time;
	return nr;
}

static bool is_again(uint64_t told, uint64_t time)
{
	return told && time < told + RULES_AGAIN_NS;
}

/* The bit of a rule that was not told of this process. */
static uint32_t first(struct reader *reader, enum trail_rule rule)
{
	const uint32_t bit = 1U << rule, told = reader->told & bit;

	reader->told |= bit;
	return told ? 0 : bit;
}

/* What it read and that it connects, in either order: the verdict on a read comes late. */
static uint32_t talks(struct reader *reader)
{
	if (!reader->connected)
		return 0;
	if (reader->read)
		return first(reader, RULE_READ_THEN_CONNECT);
	return reader->copy ? first(reader, RULE_ARCHIVE_THEN_CONNECT) : 0;
}

uint32_t trail_rules_read(struct trail_rules *rules, uint64_t time, uint64_t group_id,
			  const struct proc_id *id, uint64_t object, bool copy)
{
	struct group *group = copy ? NULL : group_of(rules, group_id);
	struct reader *reader = reader_of(rules, id);
	uint32_t done = 0;

	if (group && count(group, object, time) == RULES_KEYS && !is_again(group->told, time)) {
		group->told = time;
		done |= 1U << RULE_MANY_KEYS;
	}
	if (reader) {
		reader->read |= !copy;
		reader->copy |= copy;
		done |= talks(reader);
	}
	if (!copy && rules->blind && time >= rules->blind &&
	    time < rules->blind + RULES_WINDOW_NS && !is_again(rules->blind_told, time)) {
		rules->blind_told = time;
		done |= 1U << RULE_BLIND_THEN_READ;
	}
	return done;
}

uint32_t trail_rules_connect(struct trail_rules *rules, uint64_t time, const struct proc_id *who)
{
	struct reader *reader = reader_of(rules, who);

	if (!reader)
		return 0;
	reader->connected = true;
	return talks(reader);
}

void trail_rules_memory(struct trail_rules *rules, const struct proc_id *who, bool others)
{
	struct reader *reader = reader_of(rules, who);

	if (!reader)
		return;
	reader->memory = true;
	reader->others |= others;
}

uint32_t trail_rules_dumped(struct trail_rules *rules, const struct proc_id *who)
{
	struct reader *reader = reader_find(rules, who);

	return reader && reader->exec_id == who->exec_id && reader->others
		       ? first(reader, RULE_DUMPED_BY_OTHER)
		       : 0;
}

uint32_t trail_rules_foreign(struct trail_rules *rules, const struct proc_id *who)
{
	struct reader *reader = reader_find(rules, who);

	return reader && reader->exec_id == who->exec_id && reader->memory
		       ? 0
		       : 1U << RULE_FOREIGN_DUMP;
}

void trail_rules_blind(struct trail_rules *rules, uint64_t time)
{
	rules->blind = time ? time : 1;
}

size_t trail_rules_bytes(const struct trail_rules *rules)
{
	return sizeof(*rules) + HASH_COUNT(rules->groups) * sizeof(struct group) +
	       HASH_COUNT(rules->readers) * sizeof(struct reader);
}
