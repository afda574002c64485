// SPDX-License-Identifier: GPL-2.0-or-later
/* Accesses for the evidence log, folded. */
#include "engine/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS	  4096
#define KEEP_EXE  512 /* as in a record of the kernel side */
#define KEEP_PATH 1024
#define KEEP_TEXT 256
#define NONE	  UINT32_MAX

struct kind {
	struct record_kind k;
	uint64_t hash, began;
	/* Repeats, which are told when the window ends. */
	uint64_t more, more_first, more_last;
	struct subject more_subject;
	uint32_t next; /* in its bucket */
	bool waiting; /* the first was not told yet */
	char exe[KEEP_EXE], path[KEEP_PATH], script[KEEP_PATH], args[KEEP_TEXT], cgroup[KEEP_TEXT];
};

/* A ring in the order in which kinds began. */
struct records {
	records_fn fn;
	void *ctx;
	struct share *share;
	uint32_t first, nr, waiting;
	uint32_t buckets[BUCKETS];
	struct kind kinds[EVIDENCE_KINDS_MAX];
};

struct records *records_new(records_fn fn, share_fn held_back, void *ctx)
{
	/* Untouched pages of it cost nothing. */
	struct records *records = calloc(1, sizeof(*records));

	if (!records)
		return NULL;
	records->fn = fn;
	records->ctx = ctx;
	memset(records->buckets, 0xff, sizeof(records->buckets));
	records->share = share_new(held_back, ctx);
	if (!records->share) {
		free(records);
		return NULL;
	}
	return records;
}

void records_free(struct records *records)
{
	if (!records)
		return;
	share_free(records->share);
	free(records);
}

static struct span keep(char *place, size_t size, struct span bytes)
{
	size_t len = bytes.len < size ? bytes.len : size;

	if (len)
		memcpy(place, bytes.p, len);
	return (struct span){place, len};
}

/* What makes an access one of a kind. */
static uint64_t hash_of(const struct record *r)
{
	const uint64_t parts[] = {
		r->object,
		r->inode.ino,
		r->subject->exe.ino,
		(uint64_t)r->subject->exe.dev << 32 | r->subject->uid,
		(uint64_t)r->subject->loginuid << 32 | (uint64_t)r->action << 16 |
			(uint64_t)r->verdict,
		(uint64_t)(uintptr_t)r->how,
		(uint64_t)(uintptr_t)r->answer->why,
		(uint64_t)(uintptr_t)r->answer->file,
		(uint64_t)r->answer->line,
		r->target.start,
		hash_bytes(r->cgroup.p ? r->cgroup.p : "", r->cgroup.len),
		hash_bytes(r->exe.p ? r->exe.p : "", r->exe.len),
		hash_bytes(r->script.p ? r->script.p : "", r->script.len) + r->script_trust,
	};

	return hash_bytes(parts, sizeof(parts));
}

static struct kind *find(struct records *records, uint64_t hash)
{
	uint32_t i = records->buckets[hash % BUCKETS];

	while (i != NONE && records->kinds[i].hash != hash)
		i = records->kinds[i].next;
	return i == NONE ? NULL : &records->kinds[i];
}

static void tell_first(struct records *records, struct kind *kind, bool late, uint64_t now)
{
	if (!kind->waiting || !records->fn(records->ctx, &kind->k, false, late, now))
		return;
	kind->waiting = false;
	records->waiting--;
}

/* Ends the kind that began first. */
static void end_first(struct records *records, uint64_t now)
{
	struct kind *kind = &records->kinds[records->first];
	uint32_t *slot = &records->buckets[kind->hash % BUCKETS];

	tell_first(records, kind, true, now);
	if (kind->more) {
		kind->k.count = kind->more;
		kind->k.first = kind->more_first;
		kind->k.last = kind->more_last;
		kind->k.subject = kind->more_subject;
		records->fn(records->ctx, &kind->k, true, true, now);
	}
	while (*slot != records->first)
		slot = &records->kinds[*slot].next;
	*slot = kind->next;
	records->first = (records->first + 1) % EVIDENCE_KINDS_MAX;
	records->nr--;
}

static void add_again(struct kind *kind, const struct record *r)
{
	if (!kind->more)
		kind->more_first = r->first;
	kind->more += r->count;
	kind->more_last = r->last;
	kind->more_subject = *r->subject;
}

static void fill(struct kind *kind, const struct record *r)
{
	kind->k = (struct record_kind){
		.subject = *r->subject,
		.object = r->object,
		.count = r->count,
		.first = r->first,
		.last = r->last,
		.inode = r->inode,
		.action = r->action,
		.verdict = r->verdict,
		.exe_trust = r->exe_trust,
		.untrusted = r->untrusted,
		.why = r->answer->why,
		.file = r->answer->file,
		.line = r->answer->line,
		.how = r->how,
		.entry = r->entry,
		.memory = r->memory,
		.args_cut = r->args_cut || r->args.len > sizeof(kind->args),
		.cgroup_cut = r->cgroup_cut || r->cgroup.len > sizeof(kind->cgroup),
		.target = r->target,
		.exe = keep(kind->exe, sizeof(kind->exe), r->exe),
		.args = keep(kind->args, sizeof(kind->args), r->args),
		.cgroup = keep(kind->cgroup, sizeof(kind->cgroup), r->cgroup),
		.path = keep(kind->path, sizeof(kind->path), r->path),
		.script = keep(kind->script, sizeof(kind->script), r->script),
		.script_trust = r->script_trust,
	};
}

void records_add(struct records *records, const struct record *r, const struct share_case *c,
		 uint64_t now)
{
	const uint64_t hash = hash_of(r);
	struct kind *kind = find(records, hash);
	uint32_t i;

	if (kind) {
		add_again(kind, r);
		return;
	}
	if (!share_admit(records->share, c, r->count, r->first, r->last, now,
			 c->user ? EVIDENCE_SHARE : EVIDENCE_SHARE_ROOT))
		return;
	if (records->nr == EVIDENCE_KINDS_MAX)
		end_first(records, now);
	i = (records->first + records->nr++) % EVIDENCE_KINDS_MAX;
	kind = &records->kinds[i];
	fill(kind, r);
	kind->hash = hash;
	kind->began = now;
	kind->more = 0;
	kind->next = records->buckets[hash % BUCKETS];
	records->buckets[hash % BUCKETS] = i;
	kind->waiting = true;
	records->waiting++;
	tell_first(records, kind, false, now);
}

void records_tick(struct records *records, uint64_t now, uint64_t window)
{
	while (records->nr && records->kinds[records->first].began + window <= now)
		end_first(records, now);
	/* Newest first: it is they that wait. */
	for (uint32_t i = records->nr; i-- > 0 && records->waiting;) {
		struct kind *kind = &records->kinds[(records->first + i) % EVIDENCE_KINDS_MAX];

		tell_first(records, kind, kind->began + EVIDENCE_KEY_WAIT_NS <= now, now);
	}
	share_tick(records->share, now, window);
}

uint64_t records_next(const struct records *records, uint64_t window)
{
	uint64_t next = share_next(records->share, window);
	uint32_t waiting = records->waiting;

	if (!records->nr)
		return next;
	if (records->kinds[records->first].began + window < next)
		next = records->kinds[records->first].began + window;
	/* Newest first; one that waits may stand behind some that do not. */
	for (uint32_t i = records->nr; i-- > 0 && waiting;) {
		const struct kind *kind =
			&records->kinds[(records->first + i) % EVIDENCE_KINDS_MAX];

		if (!kind->waiting)
			continue;
		waiting--;
		if (kind->began + EVIDENCE_KEY_WAIT_NS < next)
			next = kind->began + EVIDENCE_KEY_WAIT_NS;
	}
	return next;
}

void records_flush(struct records *records, uint64_t now)
{
	while (records->nr)
		end_first(records, now);
	share_flush(records->share);
}

size_t records_bytes(const struct records *records)
{
	return sizeof(*records) - sizeof(records->kinds) + records->nr * sizeof(struct kind) +
	       share_bytes(records->share);
}
