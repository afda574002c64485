// SPDX-License-Identifier: GPL-2.0-or-later
/* `mode: deny`: which program may do what, as the kernel is told; when an entry is in force. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/deny-internal.h"
#include "daemon/log.h"

#ifndef PERMITS_ROOM /* its test has one of its own */
#define PERMITS_ROOM PERMITS_MAX
#endif

uint32_t deny_may(const struct policy *policy, uint32_t watch, const char *path,
		  const struct facts *facts, uint32_t *out_pending)
{
	static const struct facts unknown;
	static const struct {
		enum policy_action action;
		uint32_t bit;
	} asked[] = {{ACTION_READ, DENY_READ}, {ACTION_WRITE, DENY_WRITE}};
	uint32_t bits = 0;

	if (!facts)
		facts = &unknown;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		const struct policy_query query = {
			.watch = watch,
			.action = asked[i].action,
			.subject =
				{
					.exe = span_of(path),
					.exe_trust = EXE_VERIFIED,
					.inspected = facts->inspected,
					.package_state = facts->state,
					.package = span_of(facts->package),
					.digest = span_of(facts->digest),
					.verity = span_of(facts->verity),
					.uid = UID_UNSET,
					.loginuid = UID_UNSET,
				},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.reason == REASON_ALLOWED || answer.reason == REASON_EXPECTED)
			bits |= asked[i].bit;
		if (answer.pending)
			*out_pending |= asked[i].bit;
	}
	return bits;
}

/* Whether a rule of the entry asks for the content, and lets it do nothing for what that is. */
static bool lacks(const struct table *t, const struct row *row, const struct program *p,
		  uint32_t bits)
{
	uint32_t asked = 0;

	if (!p->has_now || !p->verified || !p->facts.inspected)
		return false;
	deny_may(t->policy, row->watch, p->path, NULL, &asked);
	return asked & ~bits;
}

static bool same_value(const struct permit_value *a, const struct permit_value *b)
{
	return a->may == b->may && a->before == b->before;
}

static void put_permit(struct deny *d, struct table *t, const struct inode_id *exe, uint16_t group,
		       uint32_t may, uint64_t before)
{
	struct permit_key key = {.ino = exe->ino, .dev = exe->dev, .gen = exe->gen, .group = group};
	const struct permit_value value = {.before = before, .may = may};
	struct permit *permit;
	int r = 0;

	HASH_FIND(hh, d->permits, &key, sizeof(key), permit);
	if (!permit && t->nr_permits >= PERMITS_ROOM)
		r = -E2BIG;
	else if (!permit || !same_value(&permit->value, &value))
		r = sensor_permit(d->app->sensor, &key, &value);
	if (!permit && !r) {
		permit = calloc(1, sizeof(*permit));
		r = permit ? 0 : -ENOMEM;
		if (permit) {
			permit->key = key;
			HASH_ADD(hh, d->permits, key, sizeof(permit->key), permit);
			t->nr_permits++;
		} else {
			sensor_unpermit(d->app->sensor, &key);
		}
	}
	if (permit) {
		if (!r)
			permit->value = value; /* else it is tried again */
		permit->turn = d->turn;
	}
	if (!r)
		return;
	d->full_now = true;
	if (d->full)
		return;
	d->full = true;
	log_line(SD_ERR,
		 "mode: deny: a program that the policy allows cannot be told to the "
		 "kernel and is refused: %s",
		 strerror(-r));
	feed_health(d->app, HEALTH_DEGRADED, "deny",
		    "a program that the policy allows cannot be told to the kernel and is refused: "
		    "there are too many");
}

void deny_permits_drop(struct deny *d, struct table *t, bool all)
{
	struct permit *permit, *tmp;

	HASH_ITER(hh, d->permits, permit, tmp)
	{
		if (permit->key.group < t->first || permit->key.group >= t->end ||
		    (!all && permit->turn == d->turn))
			continue;
		sensor_unpermit(d->app->sensor, &permit->key);
		HASH_DEL(d->permits, permit);
		free(permit);
		t->nr_permits--;
	}
}

/* Who stood there before, each by what was known of it: nothing more will be found out. */
static void permit_past(struct deny *d, struct table *t, const struct row *row,
			const struct program *p)
{
	uint32_t pending = 0;

	for (unsigned n = 0; n < p->nr_past; n++) {
		uint32_t bits =
			deny_may(t->policy, row->watch, p->path, &p->past[n].facts, &pending);

		if (bits && !(p->has_now && same_file(&p->past[n].id, &p->now)))
			put_permit(d, t, &p->past[n].id, row->group, bits | PERMIT_PAST,
				   p->past[n].until_ns);
	}
}

/* The row of the entry's name in the policy that `t` is to replace, if it is in force. */
static const struct row *row_before(const struct deny *d, const struct table *t,
				    const struct row *row)
{
	const char *name = policy_watch(t->policy, row->watch)->name;

	for (size_t i = 0; t == &d->next && i < d->now.nr; i++) {
		const struct row *before = &d->now.rows[i];

		if (before->live && !strcmp(policy_watch(d->now.policy, before->watch)->name, name))
			return before;
	}
	return NULL;
}

/*
 * Does the row wait for what is not known of the program? Not if nothing stands there, or cannot be
 * looked at: nothing will be known of that. Where the entry is in force already it stays so for all
 * that it did not let: who is new to it was refused until now.
 */
static bool waits_for(const struct deny *d, const struct row *before, const struct program *p)
{
	uint32_t pending = 0;

	return p->has_now && !p->error &&
	       (!before || (p->verified &&
			    deny_may(d->now.policy, before->watch, p->path, &p->facts, &pending)));
}

/* Puts permits in first and takes others out then, so that nobody is without his for a moment. */
static void permit_all(struct deny *d, struct table *t)
{
	const bool waited = app_boottime() - t->since_ns > WAIT_MAX;

	d->turn++;
	for (size_t i = 0; i < t->nr; i++) {
		struct row *row = &t->rows[i];
		const struct row *before = row_before(d, t, row);
		struct program *p, *tmp;
		bool pending = false;

		row->permitted = false;
		HASH_ITER(hh, d->programs, p, tmp)
		{
			uint32_t open = 0;
			uint32_t bits = deny_may(t->policy, row->watch, p->path, &p->facts, &open);

			pending |= open && waits_for(d, before, p);
			p->lacks |= lacks(t, row, p, bits);
			if (bits && p->has_now && p->verified) {
				/* By whatever name it goes on it is not started as that program. */
				put_permit(d, t, &p->now, row->group,
					   bits | (p->gone_ns ? PERMIT_PAST : 0), p->gone_ns);
				row->permitted = true;
			}
			permit_past(d, t, row, p);
		}
		if (!row->live && d->attached && (!pending || waited)) {
			row->live = true;
			sensor_deny_group(d->app->sensor, row->group, row->denied);
		}
	}
	deny_permits_drop(d, t, false);
}

void deny_permits_put(struct deny *d)
{
	struct program *p, *tmp;

	d->full_now = false;
	HASH_ITER(hh, d->programs, p, tmp)
	{
		p->lacks = false;
	}
	if (d->now.nr)
		permit_all(d, &d->now);
	if (d->preparing && d->next.nr)
		permit_all(d, &d->next);
	if (!d->full || d->full_now)
		return;
	d->full = false;
	d->full_ns = d->full_after = 0;
	feed_health(d->app, HEALTH_OK, "deny",
		    "all programs that the policy allows are known to the kernel again");
}

bool deny_permits_due(struct deny *d)
{
	const uint64_t now = app_boottime();

	if (!d->full || now < d->full_ns)
		return false;
	d->full_after = !d->full_after		    ? AGAIN_MIN
			: d->full_after < AGAIN_MAX ? 2 * d->full_after
						    : AGAIN_MAX;
	d->full_ns = now + d->full_after;
	return true;
}

void deny_permits_free(struct deny *d)
{
	struct permit *permit, *tmp;

	HASH_ITER(hh, d->permits, permit, tmp)
	{
		HASH_DEL(d->permits, permit);
		free(permit);
	}
}
