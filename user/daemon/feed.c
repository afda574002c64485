// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between the sensor and the engine: adds to an event what only this host can know at this moment,
 * writes it into the trace, hands it on. Behind this point nothing looks at the host any more.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/canary.h"
#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/evidence.h"
#include "daemon/homes.h"
#include "daemon/identify.h"
#include "daemon/images.h"
#include "daemon/logins.h"
#include "daemon/mounts.h"
#include "daemon/programs.h"
#include "daemon/refused.h"
#include "daemon/search.h"
#include "trust/trust.h"
#include "engine/engine.h"
#include "proc/cmdline.h"
#include "trace/trace.h"
#include "watch/watcher.h"

/* Arguments go into a trace as the policy lets them go into an alert. */
static int record(struct app *app, const struct event *event)
{
	struct event copy = *event;
	char args[CMDLINE_ARGS_MAX];
	struct span *span = NULL;
	bool truncated = false;

	if (event->type == EVENT_EXEC || event->type == EVENT_PROC)
		span = &copy.exec.args;
	else if (event->type == EVENT_ACCESS)
		span = &copy.access.args;
	else if (event->type == EVENT_DUMP)
		span = &copy.dump.args;
	else if (event->type == EVENT_SETTING)
		span = &copy.setting.args;
	else if (event->type == EVENT_MEMORY)
		span = &copy.memory.args;
	else if (event->type == EVENT_REFUSED)
		span = &copy.refused.args;
	else if (event->type == EVENT_NET)
		span = &copy.net.args;
	if (span && policy_settings(app->policy)->cmdline == CMDLINE_NONE) {
		*span = (struct span){};
	} else if (span && policy_settings(app->policy)->cmdline == CMDLINE_REDACTED) {
		size_t len = cmdline_redact(*span, copy.flags & EVENT_ARGS_TRUNCATED, args,
					    sizeof(args), &truncated);

		*span = (struct span){args, len};
		if (truncated)
			copy.flags |= EVENT_ARGS_TRUNCATED;
	}
	return trace_write(app->record, &copy);
}

void feed(struct app *app, const struct event *event)
{
	app->events++;
	if (app->record && record(app, event) < 0)
		app->record_errors++;
	engine_feed(app->engine, event);
}

void feed_tick(struct app *app, uint64_t now)
{
	if (app->record && trace_write_tick(app->record, now) < 0)
		app->record_errors++;
	engine_tick(app->engine, now);
}

void feed_clock(struct app *app)
{
	int64_t offset = app_wall_offset();

	/* NTP slews by less than this a second: only a step is news. */
	if (llabs(offset - app->wall_offset) < 10000000)
		return;
	evidence_clock(app, offset);
	app->wall_offset = offset;
	if (app->record && trace_write_clock(app->record, offset) < 0)
		app->record_errors++;
	engine_set_wall_offset(app->engine, offset);
}

void feed_health(struct app *app, enum health_level level, const char *what, const char *text)
{
	struct event event = {
		.type = EVENT_HEALTH,
		.time = app_boottime(),
		.health = {.level = level, .what = span_of(what), .text = span_of(text)},
	};

	feed(app, &event);
}

static void feed_gap(struct app *app, const char *cause, uint64_t count, uint64_t now)
{
	struct event event = {
		.type = EVENT_GAP,
		.time = now,
		.gap = {.from = app->stats_time,
			.to = now,
			.count = count,
			.cause = span_of(cause)},
	};

	if (count)
		feed(app, &event);
}

void feed_gaps(struct app *app)
{
	uint64_t now = app_boottime();
	struct sensor_stats s;

	if (sensor_stats(app->sensor, &s) < 0)
		return;
	for (unsigned i = 0; i < WIRE_DROP_NR; i++)
		feed_gap(app, sensor_drop_str(i), s.drops[i] - app->stats.drops[i], now);
	feed_gap(app, "recursion", s.recursion_misses - app->stats.recursion_misses, now);
	feed_gap(app, "repeats", s.repeats_kind - app->stats.repeats_kind, now);
	feed_gap(app, "recursion-lifecycle", s.recursion_lifecycle - app->stats.recursion_lifecycle,
		 now);
	/* Also for what was left out while it paused, before the last count. */
	sensor_mend_processes(app->sensor);
	feed_gap(app, "undecodable", s.undecodable - app->stats.undecodable, now);
	/* An insert that was refused for the moment, a rename that was not seen, could not be told
	 * or brought more than is marked at once: what it was about is found by walking. */
	if (s.drops[WIRE_DROP_MARK_BUSY] != app->stats.drops[WIRE_DROP_MARK_BUSY] ||
	    s.drops[WIRE_DROP_TREE] != app->stats.drops[WIRE_DROP_TREE] ||
	    s.drops[WIRE_DROP_RING_CRITICAL] != app->stats.drops[WIRE_DROP_RING_CRITICAL] ||
	    s.recursion_names != app->stats.recursion_names)
		app_walk_for_lost(app);
	app->stats = s;
	app->stats_time = now;
}

/*
 * The inode's generation is not the one that was marked. Either the object's owner changed it (ext4
 * lets him), or this is another file with the same number (btrfs has one count of numbers in each
 * subvolume). It is another file only if the object still stands, unchanged, where it is known: in
 * any other case the access is judged, marked as what it is.
 */
static bool is_stranger(struct app *app, const struct event_access *access)
{
	_cleanup_close_ int fd = watcher_open(app->watcher, access->object, NULL, NULL);
	struct watched known;
	char path[PATH_MAX];

	if (fd < 0 || watcher_lookup(app->watcher, access->object, &known, path, sizeof(path)) < 0)
		return false;
	return inode_id_same(&known.inode, &access->inode) && known.inode.gen != access->inode.gen;
}

/* What stood in the file is not what stands there now: until that is known, it has no name. */
static void rewritten(struct app *app, uint64_t object)
{
	struct watched watched;
	char path[PATH_MAX];

	if (watcher_lookup(app->watcher, object, &watched, path, sizeof(path)) < 0 ||
	    !watched.watch ||
	    !object_class_holds_keys(policy_watch_class(app->policy, watched.watch)))
		return;
	identify_again(app->identify, object);
	app_retell(app, &watched);
}

/* Two names that begin at the root of their file system, as they are on this host. */
static void whole_names(struct app *app, const struct event *event, struct event_access *out,
			char from[static PATH_MAX], char to[static PATH_MAX])
{
	const struct event_access *a = &event->access;
	struct watched watched;
	char known[PATH_MAX] = "";

	if (event->flags & (EVENT_PATH_TRUNCATED | EVENT_PATH_FAILED))
		return;
	if (watcher_lookup(app->watcher, a->object, &watched, known, sizeof(known)) < 0)
		known[0] = '\0';
	if (!mounts_whole_paths(app->mounts, a->inode.dev, span_of(known), a->from, a->path, from,
				to, PATH_MAX))
		return;
	out->from = span_of(from);
	out->path = span_of(to);
}

/* For what is judged at once: its process may have been made since the bulk ring was read, or the
 * record of that left out. */
static void know_processes(struct app *app)
{
	sensor_drain_lifecycle(app->sensor);
	sensor_mend_processes(app->sensor);
}

void feed_sensor_event(const struct event *event, void *userdata)
{
	struct app *app = userdata;
	char from[PATH_MAX], to[PATH_MAX];
	struct event copy;

	switch (event->type) {
	case EVENT_MARK:
		/* Comes out again as EVENT_OBJECT, with the path as its owner knows it. */
		watcher_mark_event(app->watcher, event);
		if (event->mark.op == MARK_SUPER_GONE)
			devices_forget(app->devices, event->mark.inode.dev);
		else if (event->mark.watch)
			devices_note(app->devices, event->mark.inode.dev);
		/* It may have been opened under the name that it had before. */
		if (event->mark.op == MARK_MOVED || event->mark.op == MARK_MOVED_TREE)
			app->look_for_open = true;
		return;
	case EVENT_EXEC:
	case EVENT_PROC:
		homes_seen(app->homes, event->exec.subject.uid);
		homes_seen(app->homes, event->exec.subject.loginuid);
		/* Asked now so that the answer holds when a package upgrade has replaced the file.
		 */
		trust_ask(app->trust, event->exec.exe, &event->exec.subject.exe,
			  event->exec.exe_nlink);
		programs_watch_exec(app->programs, &event->exec);
		deny_exec(app->deny, &event->exec);
		logins_seen(app->logins, &event->exec.subject, event->exec.cgroup);
		images_seen(app->images, event->exec.cgroup, event->flags);
		break;
	case EVENT_SCRIPT:
		copy = *event;
		/* Asked of those that matter: a build starts scripts by the thousand. And of what
		 * root runs, which is what rules ask for: the name is looked up by this loop, and a
		 * user could choose one that leads to a file system that does not answer. */
		if (!event->script.by && !(event->flags & EVENT_PATH_TRUNCATED) &&
		    policy_names_script(app->policy, event->script.path))
			copy.script.trust = trust_script(app->trust, &event->script);
		feed(app, &copy);
		return;
	case EVENT_ACCESS:
		if (event->access.object == MARK_OBJECT_CANARY) {
			/* Whoever else reads it learns nothing, and that is no concern of the
			 * engine. */
			if (app->canary)
				canary_seen(app->canary, &event->access);
			return;
		}
		/* A read, where each is told (`reads: exact`); its opens come by no event. */
		if (search_watch_is(app->search, &event->access.subject))
			return;
		if ((event->flags & EVENT_GENERATION) && is_stranger(app, &event->access)) {
			app->strangers++;
			return;
		}
		dumps_access(app->dumps, event);
		if (event->access.how == ACCESS_CLOSE_WRITE)
			rewritten(app, event->access.object);
		if (event->access.from.len)
			know_processes(app); /* judged at once, as below */
		homes_seen(app->homes, event->access.subject.uid);
		homes_seen(app->homes, event->access.subject.loginuid);
		homes_seen(app->homes, event->access.owner);
		logins_seen(app->logins, &event->access.subject, event->access.cgroup);
		images_seen(app->images, event->access.cgroup, event->flags);
		copy = *event;
		if (event->access.from.len)
			whole_names(app, event, &copy.access, from, to);
		copy.access.exe_trust = trust_subject(app->trust, copy.access.exe,
						      copy.access.exe_nlink, copy.access.exe_mode,
						      copy.access.exe_uid, &copy.access.subject);
		programs_watch_subject(app->programs, &copy.access.subject, copy.access.exe);
		feed(app, &copy);
		return;
	case EVENT_DUMP:
	case EVENT_SETTING:
		/* Told at once, with the ancestry: a process that forks, execs and crashes may have
		 * done all of it since the bulk ring was read. */
		know_processes(app);
		dumps_event(app->dumps, event);
		return;
	case EVENT_WRITTEN:
		dumps_event(app->dumps, event);
		return;
	case EVENT_MEMORY:
		know_processes(app); /* as above */
		homes_seen(app->homes, event->memory.subject.uid);
		homes_seen(app->homes, event->memory.subject.loginuid);
		homes_seen(app->homes, event->memory.target.uid);
		images_seen(app->images, event->memory.cgroup, event->flags);
		copy = *event;
		copy.memory.exe_trust = trust_subject(app->trust, copy.memory.exe,
						      copy.memory.exe_nlink, copy.memory.exe_mode,
						      copy.memory.exe_uid, &copy.memory.subject);
		programs_watch_subject(app->programs, &copy.memory.subject, copy.memory.exe);
		feed(app, &copy);
		return;
	case EVENT_NET:
		/* Evidence, if nobody judges it: holders send much. */
		if (!policy_judges(app->policy, ACTION_SEND))
			break;
		know_processes(app); /* as above */
		homes_seen(app->homes, event->net.subject.uid);
		homes_seen(app->homes, event->net.subject.loginuid);
		logins_seen(app->logins, &event->net.subject, event->net.cgroup);
		images_seen(app->images, event->net.cgroup, event->flags);
		copy = *event;
		copy.net.exe_trust =
			trust_subject(app->trust, copy.net.exe, copy.net.exe_nlink,
				      copy.net.exe_mode, copy.net.exe_uid, &copy.net.subject);
		programs_watch_subject(app->programs, &copy.net.subject, copy.net.exe);
		feed(app, &copy);
		return;
	case EVENT_REFUSED:
		if (search_watch_is(app->search, &event->refused.subject))
			return;
		refused_event(app, event);
		return;
	default:
		break;
	}
	feed(app, event);
}
