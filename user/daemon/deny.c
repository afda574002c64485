// SPDX-License-Identifier: GPL-2.0-or-later
/* `mode: deny`: its entries, the groups of their files, a reload of them, and what is told. */
#include "daemon/deny.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/deny-internal.h"
#include "daemon/log.h"
#include "watch/watcher.h"

#ifndef HARDLINKS /* its test has one of its own */
#define HARDLINKS "/proc/sys/fs/protected_hardlinks"
#endif

/* How often the marks are gone through at once; if they were never come by all, again in a second.
 */
#define REGROUP_TRIES 3

/* Of each policy a range of its own, so that the one before and the one to come have others. */
#define BASES	  (DENY_GROUPS / BASE_ROOM)
#define BASE_ROOM (DENY_ENTRIES_MAX + 1)

_Static_assert(BASES >= 3, "groups of three policies: a child may mark by one that has gone");

/* --- marks -------------------------------------------------------------------------------------
 */

static uint16_t group_of(const struct table *t, uint32_t watch)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->rows[i].watch == watch)
			return t->rows[i].group;
	return 0;
}

/* Of a long way through all files, or all marks. */
static void step(struct deny *d)
{
	if (++d->steps % WATCHER_ALIVE_NAMES == 0)
		app_alive(d->app);
}

/* What nobody knows is of no entry, unless it was just marked by these and is not told yet. */
static uint16_t group_of_mark(void *userdata, uint64_t object, uint16_t present)
{
	struct deny *d = userdata;
	const uint32_t watch = watcher_watch(d->app->watcher, object);

	step(d);
	if (watch)
		return group_of(&d->now, watch);
	return present >= d->now.first && present < d->now.end ? present : 0;
}

static void regroup_all(struct deny *d, unsigned tries)
{
	bool all = false;

	while (!all && tries--)
		all = sensor_regroup_all(d->app->sensor, group_of_mark, d);
	if (!all && !d->behind)
		log_line(SD_WARNING, "mode: deny: marks go as fast as they are gone through: files "
				     "may be judged by the policy before until that has been done");
	d->behind = d->regroup_all = !all;
}

uint32_t deny_flags(const struct deny *d, uint32_t watch)
{
	return d && watch ? mark_group(group_of(&d->now, watch)) : 0;
}

void deny_object(struct deny *d, const struct watched *watched)
{
	uint16_t group;
	int r;

	if (!d || !d->used || d->held || !watched->inode.ino)
		return;
	group = group_of(&d->now, watched->watch);
	r = sensor_regroup(d->app->sensor, &watched->inode, watched->object, group);
	/* An error: there is no such mark any more, but there may be one beneath. Of what has ended
	 * that keeps the group that it has: group_of_mark(). */
	if (watched->watch && (r > 0 || (r < 0 && group)))
		d->regroup_all = true;
}

static void regroup(void *userdata, const struct watched *watched)
{
	step(userdata);
	deny_object(userdata, watched);
}

void deny_hold(struct deny *d)
{
	d->held = true;
}

/*
 * Also what the walk did not come by again: its mark is of the policy before, or of none. Then what
 * no identity leads to: on overlayfs the inode beneath has a mark of its own, by which it would be
 * judged under the layer's own name. Only if some object's group is another one than it was.
 */
void deny_settle(struct deny *d)
{
	d->held = false;
	if (!d->used)
		return;
	watcher_each(d->app->watcher, regroup, d);
	if (d->regroup_all)
		regroup_all(d, REGROUP_TRIES);
}

/* --- policies ----------------------------------------------------------------------------------
 */

static uint8_t denied_by(const struct watch_entry *entry)
{
	uint8_t denied = 0;

	if (entry->mode != MODE_DENY)
		return 0;
	if (entry->on & 1U << ACTION_READ)
		denied |= DENY_READ;
	if (entry->on & 1U << ACTION_WRITE)
		denied |= DENY_WRITE;
	return denied;
}

static void table_end(struct deny *d, struct table *t)
{
	for (size_t i = 0; i < t->nr; i++)
		sensor_deny_group(d->app->sensor, t->rows[i].group, 0);
	deny_permits_drop(d, t, true);
	free(t->rows);
	*t = (struct table){};
}

static int table_new(struct deny *d, const struct policy *policy, struct table *t)
{
	const uint32_t nr = policy_nr_watches(policy);

	/* Never that of the policy in force: of those in between any number may have been
	 * abandoned, and the end of one with the same groups would be the end of what it denies. */
	do
		d->base = (d->base + 1) % BASES;
	while (d->now.rows && d->base * BASE_ROOM == d->now.first);
	*t = (struct table){
		.policy = policy,
		.rows = calloc(DENY_ENTRIES_MAX, sizeof(*t->rows)),
		.first = d->base * BASE_ROOM,
		.end = (d->base + 1) * BASE_ROOM,
		.since_ns = app_boottime(),
	};
	if (!t->rows)
		return -ENOMEM;
	for (uint32_t watch = 1; watch <= nr && t->nr < DENY_ENTRIES_MAX; watch++) {
		uint8_t denied = denied_by(policy_watch(policy, watch));

		if (denied) {
			t->rows[t->nr] = (struct row){
				.watch = watch,
				.group = (uint16_t)(t->first + 1 + t->nr),
				.denied = denied,
			};
			t->nr++;
		}
	}
	return 0;
}

/*
 * Whether nobody can link a file that is not his and that he may not write. Else any user who may
 * make a name that is denied can have libc by it, and all opens of that are refused to the host.
 */
static bool links_protected(void)
{
	_cleanup_fclose_ FILE *f = fopen(HARDLINKS, "re");

	return f && fgetc(f) == '1';
}

/* error: negative errno of sensor_deny(), or -EMLINK: hard links are not protected. */
static void cannot(struct deny *d, int error)
{
	const struct hook *hook = hooks_find(sensor_hooks(d->app->sensor), "on_deny_open");

	if (error == -ESTALE)
		snprintf(d->why, sizeof(d->why),
			 "opens cannot be refused again before keytraild is restarted");
	else if (error == -EMLINK)
		snprintf(d->why, sizeof(d->why),
			 "fs.protected_hardlinks is not 1, so any user can have others' files "
			 "refused to all, by a hard link of a name that is denied: set it, and "
			 "reload the policy");
	else
		snprintf(d->why, sizeof(d->why), "opens cannot be refused on this kernel: %s",
			 hook && hook->why[0] ? hook->why : strerror(-error));
	d->failed = true;
	log_line(SD_ERR, "mode: deny is not in force: %s", d->why);
}

/* Before the first file is marked for it; a program that has nothing to refuse lets all pass. */
static void attach(struct deny *d)
{
	int r = 0;

	if (!d->attached)
		r = links_protected() ? sensor_deny(d->app->sensor, true) : -EMLINK;
	if (r < 0) {
		cannot(d, r);
		return;
	}
	d->attached = true;
	d->failed = false;
	d->app->look_for_open = true; /* sensor_deny() */
}

static void detach(struct deny *d)
{
	d->failed = false;
	if (!d->attached)
		return;
	sensor_deny(d->app->sensor, false);
	d->attached = false;
	d->app->look_for_open = true;
}

static uint16_t next_group(void *userdata, uint32_t watch)
{
	const struct deny *d = userdata;

	return group_of(d->preparing ? &d->next : &d->now, watch);
}

int deny_new(struct app *app, struct deny **out_deny)
{
	struct deny *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->app = app;
	sensor_deny_watches(app->sensor, next_group, d);
	*out_deny = d;
	return 0;
}

void deny_free(struct deny *d)
{
	if (!d)
		return;
	deny_permits_free(d);
	deny_programs_drop(d, true);
	free(d->now.rows);
	free(d->next.rows);
	free(d);
}

int deny_prepare(struct deny *d, const struct policy *policy)
{
	struct program *p, *tmp;
	int r = table_new(d, policy, &d->next);

	if (r < 0)
		return r;
	d->preparing = true;
	if (d->used)
		sensor_deny_no_orders(d->app->sensor);
	d->used |= d->next.nr > 0;
	if (d->next.nr)
		attach(d);
	r = deny_programs_find(d, &d->next);
	if (r < 0) {
		deny_abandon(d);
		return r;
	}
	HASH_ITER(hh, d->programs, p, tmp)
	{
		if (p->named)
			deny_program_look(d, p);
	}
	deny_permits_put(d);
	return 0;
}

/* Whether it is in force, told when that changes. */
static void tell(struct deny *d)
{
	const bool failed_before = d->told_failed;
	char text[512];

	d->told_failed = d->now.nr && d->failed;
	if (d->told_failed) {
		snprintf(
			text, sizeof(text),
			"mode: deny is not in force: entries that say so work as with mode: alert: "
			"%s",
			d->why);
		feed_health(d->app, HEALTH_DEGRADED, "deny", text);
	} else if (failed_before) {
		feed_health(d->app, HEALTH_OK, "deny", "nothing that the policy denies is open");
	}
}

void deny_switch(struct deny *d)
{
	struct table old = d->now;

	d->now = d->next;
	d->next = old; /* until the marks are of the new one */
	d->preparing = false;
}

void deny_retire(struct deny *d)
{
	d->regroup_all = true;
	deny_settle(d);
	table_end(d, &d->next);
	deny_programs_drop(d, false);
	if (d->full) /* there is room now */
		deny_permits_put(d);
	if (!d->now.nr)
		detach(d);
	tell(d);
}

void deny_abandon(struct deny *d)
{
	d->preparing = false;
	table_end(d, &d->next);
	if (d->now.nr)
		return; /* programs that the present policy does not name get no permit by it */
	detach(d); /* before 5.13 for good: policy.md says so */
	deny_programs_drop(d, true);
}

void deny_second(struct deny *d)
{
	bool changed = deny_permits_due(d);
	struct program *p, *tmp;

	if (d->behind)
		regroup_all(d, 1);
	HASH_ITER(hh, d->programs, p, tmp)
	{
		changed |= deny_program_look(d, p);
	}
	for (size_t i = 0; i < d->now.nr; i++)
		changed |= d->attached && !d->now.rows[i].live;
	if (changed)
		deny_permits_put(d);
}

/* --- status ------------------------------------------------------------------------------------
 */

/* An entry that nobody may open: which programs its rules name, and what is wrong with them. */
static void warn_of_row(const struct deny *d, const struct row *row, json_t *warnings)
{
	struct program *p, *tmp;

	HASH_ITER(hh, d->programs, p, tmp)
	{
		uint32_t pending = 0;

		if (deny_may(d->now.policy, row->watch, p->path, NULL, &pending) || pending)
			json_array_append_new(
				warnings,
				json_sprintf("mode: deny: nobody may open files of '%s': %s: %s",
					     policy_watch(d->now.policy, row->watch)->name, p->path,
					     deny_program_why_not(p)));
	}
}

json_t *deny_json(const struct deny *d, json_t *warnings)
{
	size_t live = 0;

	for (size_t i = 0; i < d->now.nr; i++)
		live += d->now.rows[i].live;
	for (size_t i = 0; i < d->now.nr; i++)
		if (d->now.rows[i].live && !d->now.rows[i].permitted)
			warn_of_row(d, &d->now.rows[i], warnings);
	if (d->now.nr && !d->attached)
		json_array_append_new(warnings,
				      json_sprintf("mode: deny is not in force, entries that say "
						   "so work as with mode: alert: %s",
						   d->why));
	else if (live < d->now.nr)
		json_array_append_new(warnings,
				      json_string("mode: deny is not in force yet for all entries: "
						  "what programs are is still being looked at"));
	if (d->behind)
		json_array_append_new(
			warnings,
			json_string(
				"mode: deny: not all marks are of the policy in force yet: they "
				"go as fast as they are gone through"));
	return json_pack("{s:i, s:i, s:i, s:i, s:I, s:s}", "entries", (int)d->now.nr, "in_force",
			 (int)live, "programs", (int)HASH_COUNT(d->programs), "permits",
			 (int)HASH_COUNT(d->permits), "refused", (json_int_t)d->refused, "why",
			 d->failed ? d->why : "");
}
