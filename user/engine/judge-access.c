// SPDX-License-Identifier: GPL-2.0-or-later
/* Accesses to watched files: settled, judged, told. */
#include "engine/engine-internal.h"

struct access_case {
	const struct settled *settled;
	const struct object *object;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
	const struct breach *breach;
};

static struct alert *make_access(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = engine_report(engine);

	return report_access(&report, c->settled, c->object, c->entry, c->answer);
}

/* Where the object is, for zones: as its owner knows it, else as it was reached. */
static struct span path_of(const struct object *object, const struct event_access *a,
			   uint32_t flags)
{
	if (object->told && object->path)
		return str_span(object->path);
	/* Two names, neither of which says where its file system is mounted. */
	if (a->from.len)
		return (struct span){NULL, 0};
	return flags & (EVENT_PATH_TRUNCATED | EVENT_PATH_FAILED) ? (struct span){NULL, 0}
								  : a->path;
}

static struct alert *make_breach(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = engine_report(engine);
	struct alert_breach words = {0};

	if (!engine_tell_breach(engine, c->breach, c->settled,
				object_class_is_scanned(c->entry->object_class),
				path_of(c->object, &c->settled->access, c->settled->flags), &words))
		return NULL;
	return report_breach(&report, c->settled, c->object, c->entry, c->answer, &words);
}

static struct alert *make_write(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = engine_report(engine);

	return report_write(&report, c->settled, c->object, c->entry, c->answer);
}

static struct alert *make_name(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = engine_report(engine);

	return report_name(&report, c->settled, c->object, c->entry, c->answer);
}

/*
 * When to ask again, 0 = now is the time. An object of which nothing is known may be told of in a
 * moment; a key whose identity is being found out is worth some time, once.
 */
static uint64_t wait_until(const struct settled *s, const struct object *object,
			   const struct watch_entry *entry, uint64_t now)
{
	const bool at_start = s->access.how == ACCESS_FOUND;
	uint64_t until = s->settled_at + (at_start ? ENGINE_KEY_WAIT_START_NS : ENGINE_KEY_WAIT_NS);

	if (s->final)
		return 0;
	if (object) {
		if (object_key(object, s->time) || entry->object_class == CLASS_KEY_COPY ||
		    report_type(entry->object_class) != ALERT_KEY_READ)
			return 0;
		if (!at_start)
			until = engine_earlier(until, object->told_at + ENGINE_KEY_LATE_NS);
	}
	return now < until ? until : 0;
}

/* What the policy asks of the executable is being found out: likewise, but it is the verdict that
 * waits for it, and not only its words. */
static uint64_t wait_inspected(const struct settled *s, uint64_t now)
{
	return s->final || now >= s->settled_at + ENGINE_PROGRAM_WAIT_NS
		       ? 0
		       : now + ENGINE_PROGRAM_AGAIN_NS;
}

/* Of a dump it also matters what is known of keys in it. */
static void judge_dump(const struct dump_scan *scan, struct watch_entry *entry,
		       struct policy_answer *answer)
{
	enum scan_state state = scan ? scan->state : SCANSTATE_UNSCANNED;
	enum severity severity = watch_entry_severity(entry, state);

	/* A key may have been in that memory. That a scan finds none takes nothing back. */
	if (state == SCANSTATE_CLEAN && !scan->of_stranger && severity < entry->severity)
		severity = entry->severity;
	for (uint32_t i = 0; scan && severity && i < scan->nr; i++)
		if (!entry->verdict[SCANSTATE_KEY] && scan->items[i].severity > severity)
			severity = (enum severity)scan->items[i].severity;
	if (severity)
		entry->severity = severity;
	else
		answer->verdict = VERDICT_RECORD;
}

/*
 * A dump is being scanned that may turn out to be of a program that held no key: `coredumpctl
 * debug` starts the debugger on what it has just unpacked. Nobody is let off by that, since who
 * reads it is told of in any case, and with what is known then; and only where that may be less:
 * see judge_dump().
 */
static uint64_t wait_scanned(const struct settled *s, const struct object *object,
			     const struct watch_entry *entry, const struct policy_answer *answer,
			     uint64_t now)
{
	const struct dump_scan *scan = object ? object->scan : NULL;
	const uint64_t until = s->settled_at + ENGINE_SCAN_WAIT_NS;

	if (!dump_scan_goes_on(scan) || !scan->may_be_stranger ||
	    entry->object_class != CLASS_DUMP || answer->reason != REASON_NO_RULE || s->final ||
	    now >= until)
		return 0;
	return watch_entry_severity(entry, SCANSTATE_CLEAN) <
			       watch_entry_severity(entry, scan->state)
		       ? until
		       : 0;
}

static uint64_t judge(struct engine *engine, const struct settled *s, uint64_t now)
{
	static const struct policy_answer unknown = {
		.verdict = VERDICT_ALERT,
		.why = "the file is marked as watched, but the daemon has not said why",
	};
	const struct event_access *a = &s->access;
	const struct object *object = objects_find(engine->objects, a->object);
	const struct watch_entry *entry = NULL;
	struct watch_entry of_dump;
	struct policy_answer answer = unknown;
	struct breach breach = {0};
	struct access_case c = {s, object, NULL, &answer, &breach};
	struct share_case share;
	struct fold_key key;
	uint64_t later;

	/* Watched, but by which entry there was no room to keep: as one of which nothing is known.
	 */
	if (object && object_watch_lost(object, s->time))
		object = c.object = NULL;
	if (object) {
		struct policy_query query = {
			.watch = object_watch(object, s->time),
			.action = ACTION_READ,
			.subject = engine_subject(engine, &a->subject, a->exe, a->exe_trust,
						  a->cgroup, s->flags),
			.path = path_of(object, a, s->flags),
			.time = engine_wall(engine, s->time),
		};

		if (!query.watch)
			return 0; /* not watched then, or not by the policy that is now in force */
		entry = c.entry = policy_watch(engine->policy, query.watch);
		policy_judge(engine->policy, &query, &answer);
		engine_find_breach(engine, object, entry, &query.subject, query.path, &a->inode,
				   &a->subject.id, s->time, &answer, &breach);
		if (breach.zone)
			answer.verdict = VERDICT_ALERT;
		else if (entry->object_class == CLASS_KEY_COPY && object->scan &&
			 object->scan->keys <= TRAIL_KEYS_MAX &&
			 trail_graph_wrote_all(engine->trail, &a->inode, &a->subject.id))
			answer.verdict = VERDICT_RECORD; /* it reads what it wrote */
	}
	later = entry && answer.verdict == VERDICT_ALERT && !breach.zone
			? wait_scanned(s, object, entry, &answer, now)
			: 0;
	if (later) {
		/* Whoever ends the daemon meanwhile does not end that. */
		if (!*s->noted)
			engine_record_access(engine, s, object, ACTION_READ, &answer);
		*s->noted = true;
		return later;
	}
	if (entry && entry->object_class == CLASS_DUMP && answer.verdict == VERDICT_ALERT &&
	    !breach.zone) {
		of_dump = *entry;
		entry = c.entry = &of_dump;
		judge_dump(object->scan, &of_dump, &answer);
	}
	if (answer.verdict != VERDICT_ALERT) {
		/* Once more if it stands there as what it was before its scan. */
		engine_record_access(engine, s, object, ACTION_READ, &answer);
		if (answer.verdict == VERDICT_ALLOW)
			engine->st.allowed++;
		else
			engine->st.recorded++;
		return 0;
	}
	later = wait_until(s, object, entry, now);
	if (!later && answer.pending)
		later = wait_inspected(s, now);
	if (later)
		return later;
	if (!*s->noted)
		engine_record_access(engine, s, object, ACTION_READ, &answer);
	key = (struct fold_key){
		.type = breach.zone ? ALERT_ISOLATION_BREACH
				    : report_type(entry ? entry->object_class : CLASS_KEY),
		.image = a->subject.id,
		.uid = a->subject.uid,
		.object = a->object,
		.exe = a->exe,
		.made_from = engine_image(engine, a->cgroup, s->flags),
	};
	share = engine_share_of(engine, a->subject.loginuid, a->subject.uid, a->owner, a->object);
	engine_admit(engine, &key, &share, 1, s->time, s->last_time, now,
		     breach.zone ? make_breach : make_access, &c);
	if (!entry || object_class_gives_keys(entry->object_class))
		engine_rules_read(engine, s, entry && entry->object_class == CLASS_KEY_COPY, now);
	return 0;
}

enum settle_permit engine_on_permit(void *ctx, const struct event *ev)
{
	const struct event_access *a = &ev->access;
	const struct engine *engine = ctx;
	const struct object *object = objects_find(engine->objects, a->object);
	struct policy_answer answer;

	if (!object)
		return PERMIT_UNKNOWN;
	policy_judge(engine->policy,
		     &(struct policy_query){
			     .watch = object_watch(object, ev->time),
			     .action = ACTION_READ,
			     .subject = engine_subject(engine, &a->subject, a->exe, a->exe_trust,
						       a->cgroup, ev->flags),
			     .path = path_of(object, a, ev->flags),
			     .time = engine_wall(engine, ev->time),
		     },
		     &answer);
	if (answer.pending)
		return PERMIT_UNKNOWN;
	return answer.reason == REASON_ALLOWED || answer.reason == REASON_EXPECTED ? PERMIT_YES
										   : PERMIT_NO;
}

uint64_t engine_on_settled(void *ctx, const struct settled *settled, uint64_t now)
{
	struct engine *engine = ctx;
	uint64_t later = judge(engine, settled, now);

	if (!later || settled->final)
		proctab_unpin(engine->processes, settled->proc);
	return later;
}

void engine_on_drop(void *ctx, const struct settled *settled)
{
	struct engine *engine = ctx;

	proctab_unpin(engine->processes, settled->proc);
}

/* With `reads: exact` to have a file open is not to have read it: the read itself will be told. */
static bool only_means(const struct engine *engine, const struct event_access *a)
{
	const struct object *object;

	if (policy_settings(engine->policy)->reads != READS_EXACT || engine->no_reads)
		return false;
	/* Reads of a raw device are not followed: it is one file for all that is on it. */
	object = objects_find(engine->objects, a->object);
	if (object && object->watch_number &&
	    policy_watch(engine->policy, object->watch_number)->object_class == CLASS_DEVICE)
		return false;
	switch (a->how) {
	case ACCESS_OPEN:
		/* What was just created by a process is not told when it reads it. */
		return !(a->mode & ACCESS_M_CREATED);
	case ACCESS_RECEIVE:
	case ACCESS_EXEC_FD:
		return true;
	case ACCESS_FOUND:
		return a->fd != UINT32_MAX; /* else it is mapped, and no read is needed */
	default:
		return false;
	}
}

/*
 * What is done to an object without reading it: it is written to, or given another name. Told if
 * its entry judges that, recorded in any case. At once: whoever does it so has the means, and there
 * is nobody to make way for.
 */
static void judge_deed(struct engine *engine, const struct event *ev, struct proc_ref proc,
		       enum policy_action action)
{
	const struct event_access *a = &ev->access;
	const struct object *object = objects_find(engine->objects, a->object);
	const struct settled s = {
		.access = *a,
		.time = ev->time,
		.last_time = ev->time,
		.flags = ev->flags,
		.cpu = ev->cpu,
		.count = 1,
		.hows = 1U << a->how,
		.proc = proc,
		.final = true,
	};
	struct policy_answer answer;
	struct access_case c = {&s, object, NULL, &answer, NULL};
	struct policy_query query = {.action = action, .time = engine_wall(engine, ev->time)};

	query.watch = object ? object_watch(object, ev->time) : 0;
	c.entry = query.watch ? policy_watch(engine->policy, query.watch) : NULL;
	if (!c.entry)
		return;
	query.subject =
		engine_subject(engine, &a->subject, a->exe, a->exe_trust, a->cgroup, ev->flags);
	query.path = path_of(object, a, ev->flags);
	policy_judge(engine->policy, &query, &answer);
	engine_record_access(engine, &s, object, action, &answer);
	if (!(c.entry->on & 1U << action))
		return;
	if (answer.verdict == VERDICT_ALERT) {
		const struct fold_key key = {
			.type = action == ACTION_LINK ? ALERT_OBJECT_LINKED : ALERT_OBJECT_WRITTEN,
			.image = a->subject.id,
			.uid = a->subject.uid,
			.object = a->object,
			.exe = a->exe,
			.made_from = engine_image(engine, a->cgroup, ev->flags),
		};
		const struct share_case share =
			engine_share_of(engine, a->subject.loginuid, a->subject.uid, a->owner,
					a->object);

		engine_admit(engine, &key, &share, 1, ev->time, ev->time, ev->time,
			     action == ACTION_LINK ? make_name : make_write, &c);
	} else if (answer.verdict == VERDICT_ALLOW) {
		engine->st.allowed++;
	} else {
		engine->st.recorded++;
	}
}

/* Writing is told as it is opened; the close afterwards is the same once more. */
static bool may_write(const struct event_access *a)
{
	return a->mode & ACCESS_M_WRITE &&
	       (a->how == ACCESS_OPEN || a->how == ACCESS_RECEIVE || a->how == ACCESS_FOUND);
}

void engine_feed_access(struct engine *engine, const struct event *ev)
{
	struct clean scratch;
	struct proc_info info;
	struct proc_ref ref;
	bool over;

	ev = engine_clean(engine, ev, &scratch);
	objects_owned(engine->objects, ev->access.object, ev->access.owner);
	if (ev->access.how == ACCESS_CLOSE_WRITE)
		objects_written(engine->objects, ev->access.object, ev->time);
	ref = proctab_access(engine->processes, ev->time, ev->flags, &ev->access);
	if (ev->access.how == ACCESS_LINK || ev->access.how == ACCESS_RENAME) {
		judge_deed(engine, ev, ref, ACTION_LINK);
		return;
	}
	if (may_write(&ev->access))
		judge_deed(engine, ev, ref, ACTION_WRITE);
	if (only_means(engine, &ev->access)) {
		if (ev->access.how == ACCESS_OPEN)
			settle_reopened(engine->settle, &ev->access.subject.id, ev->access.object);
		return;
	}
	over = proctab_info(engine->processes, ref, &info) && info.ended;
	/* Pinned first: settling may have to make room, and then looks at other processes. */
	proctab_pin(engine->processes, ref);
	if (!settle_access(engine->settle, ev, ref, over))
		proctab_unpin(engine->processes, ref);
}
