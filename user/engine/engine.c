// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine: hands each event to the tables it concerns, and makes alerts of what settles. */
#include "engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "engine/fold.h"
#include "engine/objects.h"
#include "engine/report.h"
#include "engine/share.h"
#include "engine/verdicts.h"
#include "engine/users.h"
#include "proc/cgroup.h"
#include "proc/cmdline.h"

#define OBJECTS_DEFAULT 262144
#define STRINGS_MAX	(64U << 20) /* paths, arguments and cgroups of all processes */
/* Apart from those, so that nobody's command lines leave no room for the name of a key. */
#define OBJECT_STRINGS_MAX (128U << 20)

/* What a health event is about that says whether reads can be told. */
#define READS_EXACT_WORD "reads-exact"

struct engine {
	const struct policy *policy;
	char *host, *boot_id;
	int64_t wall_offset_ns;
	engine_alert_fn alert;
	void *ctx;

	struct strtab *strings, *object_strings;
	struct proctab *processes;
	struct settle *settle;
	struct objects *objects;
	struct users *users;
	struct verdicts *verdicts;
	struct fold *fold;
	bool no_reads; /* the kernel cannot tell reads, whatever the policy wants */
	struct share *share;
	uint64_t now; /* latest time that was told */
	uint64_t ended_until; /* CLOCK_REALTIME ns: rules that ended by then were told */
	struct engine_stats st;
};

static uint64_t window_ns(const struct engine *engine)
{
	return (uint64_t)policy_settings(engine->policy)->alert_window_s * 1000000000;
}

static struct report report_of(const struct engine *engine)
{
	return (struct report){
		.host = engine->host,
		.boot_id = engine->boot_id,
		.wall_offset_ns = engine->wall_offset_ns,
		.cmdline = policy_settings(engine->policy)->cmdline,
		.processes = engine->processes,
		.users = engine->users,
	};
}

/* --- alerts ---------------------------------------------------------------------------- */

static void send(struct engine *engine, const struct alert *alert)
{
	engine->st.alerts++;
	engine->alert(engine->ctx, alert);
}

/* Whose share an alert is of: who logged in, over sudo and su; the uid of what nobody began. */
static struct share_case share_of(const struct engine *engine, uint32_t loginuid, uint32_t uid,
				  uint32_t owner, uint64_t object)
{
	uint32_t user = loginuid != UID_UNSET ? loginuid : uid;

	return (struct share_case){
		.user = user,
		.owner = owner,
		/* Not uids of which nobody has heard: a user has a range of them for containers. */
		.others = owner == 0 || (owner != user && users_name(engine->users, owner)),
		.object = object,
	};
}

static void on_held_back(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			 uint64_t last)
{
	struct engine *engine = ctx;
	const struct report report = report_of(engine);
	struct alert *alert = report_held_back(&report, user, start, held, first, last);

	if (!alert) {
		engine->st.alerts_lost++;
		return;
	}
	send(engine, alert);
	alert_free(alert);
}

/* False: it was counted, and will be told by number. */
static bool may_go_out(struct engine *engine, const struct share_case *c, uint64_t count,
		       uint64_t first, uint64_t last, uint64_t now)
{
	if (share_admit(engine->share, c, count, first, last, now,
			policy_settings(engine->policy)->alert_share))
		return true;
	engine->st.held_back += count;
	return false;
}

static void on_summary(void *ctx, const struct alert *like, uint64_t count, uint64_t first,
		       uint64_t last)
{
	struct engine *engine = ctx;
	const struct report report = report_of(engine);
	_cleanup_free_ char *text = NULL;
	struct alert alert;

	if (like->nr_processes) {
		struct share_case c = share_of(engine, like->loginuid, like->processes[0].uid,
					       like->owner, like->object);

		c.others = false; /* it is not the first about anything */
		if (!may_go_out(engine, &c, count, first, last, engine->now))
			return;
	}
	if (report_summary(&report, like, count, first, last, &alert, &text) < 0) {
		engine->st.alerts_lost++;
		return;
	}
	engine->st.summaries++;
	send(engine, &alert);
}

/* Sends or counts what `make` would build. c: NULL = nobody's share. */
static void admit(struct engine *engine, const struct fold_key *key, const struct share_case *c,
		  uint64_t count, uint64_t first, uint64_t last, uint64_t now,
		  struct alert *(*make)(struct engine *, const void *), const void *arg)
{
	uint32_t burst = policy_settings(engine->policy)->alert_burst;
	enum fold_answer answer = fold_admit(engine->fold, key, count, first, last, now, burst);
	struct alert *alert;

	if (answer != FOLD_SEND)
		engine->st.folded++;
	if (answer == FOLD_COUNTED)
		return;
	if (answer == FOLD_SEND && c && !may_go_out(engine, c, count, first, last, now))
		return;
	alert = make(engine, arg);
	if (!alert) {
		engine->st.alerts_lost++;
		return;
	}
	if (answer == FOLD_SEND)
		send(engine, alert);
	fold_keep(engine->fold, key, alert);
}

struct access_case {
	const struct settled *settled;
	const struct object *object;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_access(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = report_of(engine);

	return report_access(&report, c->settled, c->object, c->entry, c->answer);
}

static struct alert *make_write(struct engine *engine, const void *arg)
{
	const struct access_case *c = arg;
	const struct report report = report_of(engine);

	return report_write(&report, c->settled, c->object, c->entry, c->answer);
}

struct memory_case {
	const struct event *ev;
	struct proc_ref proc;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_memory(struct engine *engine, const void *arg)
{
	const struct memory_case *c = arg;
	const struct report report = report_of(engine);

	return report_memory(&report, c->ev, c->proc, engine->objects, engine->policy, c->entry,
			     c->answer);
}

struct refused_case {
	const struct event *ev;
	struct proc_ref proc;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_refused(struct engine *engine, const void *arg)
{
	const struct refused_case *c = arg;
	const struct report report = report_of(engine);

	return report_refused(&report, engine->objects, c->ev, c->proc, c->entry, c->answer);
}

static struct alert *make_gap(struct engine *engine, const void *arg)
{
	const struct report report = report_of(engine);

	return report_gap(&report, arg);
}

/* --- verdicts -------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
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
		if (object->key_known || report_type(entry->object_class) != ALERT_KEY_READ)
			return 0;
		if (!at_start)
			until = earlier(until, object->told_at + ENGINE_KEY_LATE_NS);
	}
	return now < until ? until : 0;
}

static uint64_t wall_of(const struct engine *engine, uint64_t time)
{
	return time + (uint64_t)engine->wall_offset_ns;
}

/* What the policy asks of a subject. A name that is cut is not told: it would be another one. */
static struct policy_subject subject_of(const struct engine *engine, const struct subject *subject,
					struct span exe, enum exe_trust trust, struct span cgroup,
					uint32_t flags)
{
	const bool cut = flags & EVENT_CGROUP_TRUNCATED;

	return (struct policy_subject){
		.exe = exe,
		.exe_trust = trust,
		.uid = subject->uid,
		.loginuid = subject->loginuid,
		.user = span_of(users_name(engine->users, subject->uid)),
		.unit = cut ? (struct span){NULL, 0} : cgroup_system_unit(cgroup),
		.container = cut ? (struct span){NULL, 0} : cgroup_system_container(cgroup),
	};
}

/* Where the object is, for zones: as its owner knows it, else as it was reached. */
static struct span path_of(const struct object *object, const struct event_access *a,
			   uint32_t flags)
{
	if (object->told && object->path)
		return str_span(object->path);
	return flags & (EVENT_PATH_TRUNCATED | EVENT_PATH_FAILED) ? (struct span){NULL, 0}
								  : a->path;
}

/* Of a dump it also matters what is known of keys in it. */
static void judge_dump(const struct dump_scan *scan, struct watch_entry *entry,
		       struct policy_answer *answer)
{
	enum severity severity =
		watch_entry_severity(entry, scan ? scan->state : SCANSTATE_UNSCANNED);

	for (uint32_t i = 0; scan && severity && i < scan->nr; i++)
		if (!entry->verdict[SCANSTATE_KEY] && scan->items[i].severity > severity)
			severity = (enum severity)scan->items[i].severity;
	if (severity)
		entry->severity = severity;
	else
		answer->verdict = VERDICT_RECORD;
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
	struct access_case c = {s, object, NULL, &answer};
	struct share_case share;
	struct fold_key key;
	uint64_t later;

	/* Watched, but by which entry there was no room to keep: as one of which nothing is known.
	 */
	if (object && !object->watch_number && object->watch_lost)
		object = c.object = NULL;
	if (object) {
		struct policy_query query = {
			.watch = object->watch_number,
			.action = ACTION_READ,
			.subject = subject_of(engine, &a->subject, a->exe, a->exe_trust, a->cgroup,
					      s->flags),
			.path = path_of(object, a, s->flags),
			.time = wall_of(engine, s->time),
		};

		if (!object->watch_number)
			return 0; /* not watched any longer: the policy has changed */
		entry = c.entry = policy_watch(engine->policy, object->watch_number);
		policy_judge(engine->policy, &query, &answer);
	}
	if (entry && entry->object_class == CLASS_DUMP && answer.verdict == VERDICT_ALERT) {
		of_dump = *entry;
		entry = c.entry = &of_dump;
		judge_dump(object->scan, &of_dump, &answer);
	}
	if (answer.verdict == VERDICT_ALLOW) {
		engine->st.allowed++;
		return 0;
	}
	if (answer.verdict == VERDICT_RECORD) {
		engine->st.recorded++;
		return 0;
	}
	later = wait_until(s, object, entry, now);
	if (later)
		return later;
	key = (struct fold_key){
		.type = report_type(entry ? entry->object_class : CLASS_KEY),
		.image = a->subject.id,
		.uid = a->subject.uid,
		.object = a->object,
		.exe = a->exe,
	};
	share = share_of(engine, a->subject.loginuid, a->subject.uid, a->owner, a->object);
	admit(engine, &key, &share, 1, s->time, s->last_time, now, make_access, &c);
	return 0;
}

static enum settle_permit on_permit(void *ctx, const struct event *ev)
{
	const struct event_access *a = &ev->access;
	const struct engine *engine = ctx;
	const struct object *object = objects_find(engine->objects, a->object);
	struct policy_answer answer;

	if (!object)
		return PERMIT_UNKNOWN;
	policy_judge(engine->policy,
		     &(struct policy_query){
			     .watch = object->watch_number,
			     .action = ACTION_READ,
			     .subject = subject_of(engine, &a->subject, a->exe, a->exe_trust,
						   a->cgroup, ev->flags),
			     .path = path_of(object, a, ev->flags),
			     .time = wall_of(engine, ev->time),
		     },
		     &answer);
	return answer.reason == REASON_ALLOWED || answer.reason == REASON_EXPECTED ? PERMIT_YES
										   : PERMIT_NO;
}

static uint64_t on_settled(void *ctx, const struct settled *settled, uint64_t now)
{
	struct engine *engine = ctx;
	uint64_t later = judge(engine, settled, now);

	if (!later || settled->final)
		proctab_unpin(engine->processes, settled->proc);
	return later;
}

static void on_drop(void *ctx, const struct settled *settled)
{
	struct engine *engine = ctx;

	proctab_unpin(engine->processes, settled->proc);
}

/* --- events ---------------------------------------------------------------------------- */

struct clean {
	struct event event;
	char args[CMDLINE_ARGS_MAX];
};

/* What a policy says must not be shown is not stored either. */
static struct span keep_args(const struct engine *engine, struct span args, uint32_t *flags,
			     char buf[static CMDLINE_ARGS_MAX])
{
	bool truncated = *flags & EVENT_ARGS_TRUNCATED;

	switch (policy_settings(engine->policy)->cmdline) {
	case CMDLINE_FULL:
		return args;
	case CMDLINE_REDACTED:
		if (!args.len)
			return args;
		args.len = cmdline_redact(args, truncated, buf, CMDLINE_ARGS_MAX, &truncated);
		args.p = buf;
		if (truncated)
			*flags |= EVENT_ARGS_TRUNCATED;
		return args;
	default:
		return (struct span){NULL, 0};
	}
}

/* The event as the policy lets it be kept: `ev` itself, or scratch->event. */
static const struct event *clean_event(const struct engine *engine, const struct event *ev,
				       struct clean *scratch)
{
	struct event *copy = &scratch->event;

	switch (ev->type) {
	case EVENT_EXEC:
	case EVENT_PROC:
		if (!ev->exec.args.len)
			return ev;
		*copy = *ev;
		copy->exec.args = keep_args(engine, ev->exec.args, &copy->flags, scratch->args);
		return copy;
	case EVENT_ACCESS:
		if (!ev->access.args.len)
			return ev;
		*copy = *ev;
		copy->access.args = keep_args(engine, ev->access.args, &copy->flags, scratch->args);
		return copy;
	case EVENT_DUMP:
		*copy = *ev;
		copy->dump.args = keep_args(engine, ev->dump.args, &copy->flags, scratch->args);
		return copy;
	case EVENT_SETTING:
		*copy = *ev;
		copy->setting.args =
			keep_args(engine, ev->setting.args, &copy->flags, scratch->args);
		return copy;
	case EVENT_MEMORY:
		if (!ev->memory.args.len)
			return ev;
		*copy = *ev;
		copy->memory.args = keep_args(engine, ev->memory.args, &copy->flags, scratch->args);
		return copy;
	case EVENT_REFUSED:
		if (!ev->refused.args.len)
			return ev;
		*copy = *ev;
		copy->refused.args =
			keep_args(engine, ev->refused.args, &copy->flags, scratch->args);
		return copy;
	default:
		return ev;
	}
}

static void feed_exec(struct engine *engine, const struct event *ev)
{
	struct clean scratch;
	const struct event_exec *exec;
	bool at_start = ev->type == EVENT_PROC;

	ev = clean_event(engine, ev, &scratch);
	exec = &ev->exec;
	proctab_exec(engine->processes, ev->time, ev->flags, at_start, exec);
	if (!at_start)
		settle_exec(engine->settle, &exec->subject.id, ev->time);
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

/* An access that may write, of an entry that judges writing. Told at once: whoever opened it so has
 * the means, and there is nobody to make way for. */
static void judge_write(struct engine *engine, const struct event *ev, struct proc_ref proc)
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
	struct access_case c = {&s, object, NULL, &answer};
	struct policy_query query = {.action = ACTION_WRITE, .time = wall_of(engine, ev->time)};

	c.entry = object ? policy_watch(engine->policy, object->watch_number) : NULL;
	if (!c.entry || !(c.entry->on & 1U << ACTION_WRITE))
		return;
	query.watch = object->watch_number;
	query.subject = subject_of(engine, &a->subject, a->exe, a->exe_trust, a->cgroup, ev->flags);
	query.path = path_of(object, a, ev->flags);
	policy_judge(engine->policy, &query, &answer);
	if (answer.verdict == VERDICT_ALERT) {
		const struct fold_key key = {
			.type = ALERT_OBJECT_WRITTEN,
			.image = a->subject.id,
			.uid = a->subject.uid,
			.object = a->object,
			.exe = a->exe,
		};
		const struct share_case share =
			share_of(engine, a->subject.loginuid, a->subject.uid, a->owner, a->object);

		admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_write, &c);
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

static void feed_access(struct engine *engine, const struct event *ev)
{
	struct clean scratch;
	struct proc_info info;
	struct proc_ref ref;
	bool over;

	ev = clean_event(engine, ev, &scratch);
	ref = proctab_access(engine->processes, ev->time, ev->flags, &ev->access);
	if (may_write(&ev->access))
		judge_write(engine, ev, ref);
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

struct dump_case {
	const struct event *ev;
	struct proc_ref proc;
};

static struct alert *make_dump(struct engine *engine, const void *arg)
{
	const struct report report = report_of(engine);
	const struct dump_case *c = arg;

	switch (c->ev->type) {
	case EVENT_WRITTEN:
		return report_written(&report, engine->policy, engine->objects, c->ev, c->proc);
	case EVENT_SETTING:
		return report_setting(&report, engine->policy, engine->objects, c->ev, c->proc);
	default:
		return report_dump(&report, engine->policy, engine->objects, c->ev, c->proc);
	}
}

/* What tells two settings of one process apart: which, and to what. */
static uint64_t setting_number(const struct event_setting *s)
{
	return hash_bytes(s->text.p, s->text.len) ^
	       hash_u64(s->value * SETTING_WHAT_NR + (unsigned)s->what);
}

/* Is any of what a process has read judged when it goes into a dump? What is not known is. */
static bool is_judged_in_dumps(const struct engine *engine, const struct held *held)
{
	if (held->nr > HELD_MAX)
		return true;
	for (uint32_t i = 0; i < held->nr; i++) {
		const struct object *object = objects_find(engine->objects, held->key[i]);
		const struct watch_entry *entry =
			object ? policy_watch(engine->policy, object->watch_number) : NULL;

		if (!entry || (entry->on & 1U << ACTION_DUMP && entry->mode == MODE_ALERT))
			return true;
	}
	return false;
}

/* All crashes, dumps and settings come by here; told is what may put a key into a dump. */
static void feed_dump(struct engine *engine, const struct event *ev)
{
	struct fold_key key = {.type = ALERT_HOLDER_DUMPED};
	struct event_access who = {.exe_nlink = 1};
	struct dump_case c = {.ev = ev};
	uint32_t owner = UID_UNSET; /* who could be harmed */
	struct share_case share;
	struct clean scratch;
	bool told = false;

	c.ev = ev = clean_event(engine, ev, &scratch);
	switch (ev->type) {
	case EVENT_DUMP:
		who.subject = ev->dump.subject;
		who.parent = ev->dump.parent;
		who.exe = ev->dump.exe;
		who.cgroup = ev->dump.cgroup;
		who.args = ev->dump.args;
		key.object = ev->dump.object ? ev->dump.object : UINT64_MAX;
		verdicts_crash(engine->verdicts, &ev->dump);
		told = ev->dump.held.nr && ev->dump.how != DUMP_NONE &&
		       ev->dump.how != DUMP_HELPER && is_judged_in_dumps(engine, &ev->dump.held);
		break;
	case EVENT_WRITTEN:
		who.subject = ev->written.subject;
		who.parent = ev->written.parent;
		key.object = ev->written.object ? ev->written.object : UINT64_MAX;
		/* Who has read a dump as well may be copying it. */
		told = ev->written.held.nr && !ev->written.held.other &&
		       is_judged_in_dumps(engine, &ev->written.held);
		break;
	default:
		who.subject = ev->setting.subject;
		who.parent = ev->setting.parent;
		who.exe = ev->setting.exe;
		who.cgroup = ev->setting.cgroup;
		who.args = ev->setting.args;
		key.type = ALERT_DUMP_SETTING;
		key.object = setting_number(&ev->setting);
		if (!ev->setting.target_tgid)
			owner = 0;
		/* Of a process: what closes it up, as ssh-agent and gpg-agent do, is no news. */
		told = !ev->setting.target_tgid || ev->setting.value > ev->setting.old_value;
	}
	if (who.subject.id.tgid)
		c.proc = proctab_access(engine->processes, ev->time, ev->flags, &who);
	if (!told) {
		engine->st.recorded++;
		return;
	}
	key.image = who.subject.id;
	key.uid = who.subject.uid;
	key.exe = who.exe;
	if (owner == UID_UNSET)
		owner = who.subject.uid;
	share = share_of(engine, who.subject.loginuid, who.subject.uid, owner, key.object);
	admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_dump, &c);
}

struct scan_case {
	const struct event *ev;
	const struct dump_scan *scan;
	struct proc_ref proc;
};

static struct alert *make_scan(struct engine *engine, const void *arg)
{
	const struct report report = report_of(engine);
	const struct scan_case *c = arg;

	return report_scan(&report, c->ev, c->scan, verdicts_holder(engine->verdicts, &c->ev->scan),
			   c->proc);
}

/* That no scan was wanted, or that one is still to come, is no news. */
static bool scan_is_news(const struct event_scan *scan)
{
	return scan->state == SCANSTATE_KEY ||
	       (scan->state == SCANSTATE_UNSCANNED && scan->cause != SCANCAUSE_WAITING &&
		scan->cause != SCANCAUSE_OFF && scan->cause != SCANCAUSE_STOPPED);
}

static void feed_scan(struct engine *engine, const struct event *ev)
{
	const struct event_scan *s = &ev->scan;
	struct scan_case c = {.ev = ev, .scan = verdicts_take(engine->verdicts, s)};
	const struct event_access who = {
		.subject = s->subject,
		.parent = s->parent,
		.exe_nlink = 1,
	};
	const struct fold_key key = {
		.type = s->state == SCANSTATE_KEY ? ALERT_DUMP_WITH_KEY : ALERT_DUMP_UNSCANNED,
		.image = s->subject.id,
		.uid = s->subject.uid,
		.object = s->object ? s->object : s->inode.ino,
		.exe = s->path,
	};
	struct share_case share;

	if (s->object)
		objects_scan(engine->objects, s->object, c.scan);
	if (!scan_is_news(s))
		return;
	if (s->subject.id.tgid)
		c.proc = proctab_access(engine->processes, ev->time, ev->flags, &who);
	/* Whose dump it is where nobody saw who wrote it. */
	share = s->subject.id.tgid ? share_of(engine, s->subject.loginuid, s->subject.uid, s->owner,
					      key.object)
				   : share_of(engine, UID_UNSET, s->owner, s->owner, key.object);
	admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_scan, &c);
}

/* One image, and a child that it forked and that is still the same program: one memory, as to who
 * may know what. Crash handlers and privilege separation work so. */
static bool is_own_fork(const struct subject *one, const struct subject *other,
			const struct proc_id *others_parent)
{
	return others_parent->tgid == one->id.tgid && others_parent->start == one->id.start &&
	       other->id.exec_id == one->id.exec_id && inode_id_same(&one->exe, &other->exe);
}

static void judge_memory(const struct engine *engine, const struct event *ev, uint32_t watch,
			 struct policy_answer *out_answer)
{
	const struct event_memory *m = &ev->memory;
	const struct policy_query query = {
		.watch = watch,
		.action = ACTION_READ,
		.subject =
			subject_of(engine, &m->subject, m->exe, m->exe_trust, m->cgroup, ev->flags),
		.time = wall_of(engine, ev->time),
	};

	policy_judge(engine->policy, &query, out_answer);
	/* What it took is told if it is watched; the rest is no key. */
	if (m->how == MEMORY_GETFD && out_answer->verdict == VERDICT_ALERT)
		out_answer->verdict = VERDICT_RECORD;
	if (m->target.id.tgid && out_answer->verdict == VERDICT_ALERT &&
	    (is_own_fork(&m->subject, &m->target, &m->target_parent) ||
	     is_own_fork(&m->target, &m->subject, &m->parent)))
		out_answer->verdict = VERDICT_RECORD;
}

/* What repeats are counted by: the target and what it held, by whichever ways but for its
 * environment, which is not all of its memory. */
static uint64_t memory_object(const struct event_memory *m)
{
	const uint64_t parts[] = {
		m->target.id.tgid,    m->target.id.start,
		m->target.id.exec_id, m->how >= MEMORY_ENVIRON ? m->how : 0,
		m->keys[0],	      m->keys[1],
		m->keys[2],	      m->keys[3],
	};

	return hash_bytes(parts, sizeof(parts));
}

static void feed_memory(struct engine *engine, const struct event *ev)
{
	const struct event_memory *m = &ev->memory;
	const enum object_class object_class =
		m->target.id.tgid ? CLASS_PROCESS_MEMORY : CLASS_SYSTEM_MEMORY;
	const uint32_t watch = policy_find_class(engine->policy, object_class);
	struct policy_answer answer;
	struct memory_case c = {.entry = policy_watch(engine->policy, watch), .answer = &answer};
	struct event_access access;
	struct share_case share;
	struct clean scratch;
	struct fold_key key;

	ev = clean_event(engine, ev, &scratch);
	m = &ev->memory;
	access = (struct event_access){
		.subject = m->subject,
		.parent = m->parent,
		.exe = m->exe,
		.cgroup = m->cgroup,
		.args = m->args,
	};
	c.ev = ev;
	c.proc = proctab_access(engine->processes, ev->time, ev->flags, &access);
	judge_memory(engine, ev, watch, &answer);
	if (answer.verdict == VERDICT_ALLOW) {
		engine->st.allowed++;
		return;
	}
	if (answer.verdict == VERDICT_RECORD) {
		engine->st.recorded++;
		return;
	}
	key = (struct fold_key){
		.type = ALERT_MEMORY_READ,
		.image = m->subject.id,
		.uid = m->subject.uid,
		.object = memory_object(m),
		.exe = m->exe,
	};
	share = share_of(engine, m->subject.loginuid, m->subject.uid,
			 m->target.id.tgid ? m->target.uid : 0, key.object);
	admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_memory, &c);
}

/*
 * Repeats are counted by watch entry and not by name: who looks for keys in a thousand homes is one
 * case. What the program may read it may look for.
 */
static void feed_refused(struct engine *engine, const struct event *ev)
{
	const struct event_refused *r = &ev->refused;
	const uint32_t watch = policy_find_watch(engine->policy, r->watch);
	struct policy_answer answer;
	struct refused_case c = {.entry = policy_watch(engine->policy, watch), .answer = &answer};
	struct event_access access;
	struct share_case share;
	struct clean scratch;
	struct fold_key key;

	if (!watch)
		return; /* not watched any longer: the policy has changed */
	c.ev = ev = clean_event(engine, ev, &scratch);
	r = &ev->refused;
	access = (struct event_access){
		.subject = r->subject,
		.parent = r->parent,
		.exe = r->exe,
		.cgroup = r->cgroup,
		.args = r->args,
	};
	c.proc = proctab_access(engine->processes, ev->time, ev->flags, &access);
	policy_judge(engine->policy,
		     &(struct policy_query){
			     .watch = watch,
			     .action = ACTION_READ,
			     .subject = subject_of(engine, &r->subject, r->exe, r->exe_trust,
						   r->cgroup, ev->flags),
			     .path = r->path,
			     .time = wall_of(engine, ev->time),
		     },
		     &answer);
	if (answer.verdict != VERDICT_ALERT) {
		if (answer.verdict == VERDICT_ALLOW)
			engine->st.allowed++;
		else
			engine->st.recorded++;
		return;
	}
	key = (struct fold_key){
		.type = ALERT_ACCESS_REFUSED,
		.image = r->subject.id,
		.uid = r->subject.uid,
		.object = (uint64_t)watch << 1 | (r->error == ENOENT),
		.exe = r->exe,
	};
	/* Whoever likes can try: it never counts as an access to what is another's. */
	share = share_of(engine, r->subject.loginuid, r->subject.uid, r->subject.uid, key.object);
	share.others = false;
	admit(engine, &key, &share, 1 + (uint64_t)r->more, ev->time, ev->time, ev->time,
	      make_refused, &c);
}

static void feed_gap(struct engine *engine, const struct event *ev)
{
	const struct event_gap *gap = &ev->gap;
	const struct fold_key key = {.type = ALERT_EVENTS_LOST, .exe = gap->cause};

	admit(engine, &key, NULL, gap->count, gap->from, gap->to, ev->time, make_gap, ev);
}

static void feed_health(struct engine *engine, const struct event *ev)
{
	const struct report report = report_of(engine);
	struct alert *alert = report_health(&report, ev);

	if (ev->health.what.len == strlen(READS_EXACT_WORD) &&
	    !memcmp(ev->health.what.p, READS_EXACT_WORD, ev->health.what.len))
		engine->no_reads = ev->health.level != HEALTH_OK;
	if (!alert) {
		engine->st.alerts_lost++;
		return;
	}
	send(engine, alert);
	alert_free(alert);
}

void engine_feed(struct engine *engine, const struct event *ev)
{
	if (ev->type > 0 && ev->type < EVENT_TYPE_NR)
		engine->st.events[ev->type]++;
	if (ev->time > engine->now)
		engine->now = ev->time;
	switch (ev->type) {
	case EVENT_FORK:
		proctab_fork(engine->processes, ev->time, &ev->fork);
		break;
	case EVENT_EXEC:
	case EVENT_PROC:
		feed_exec(engine, ev);
		break;
	case EVENT_EXIT:
		proctab_exit(engine->processes, ev->time, &ev->exit);
		settle_exit(engine->settle, &ev->exit.subject.id, ev->time);
		break;
	case EVENT_ACCESS:
		feed_access(engine, ev);
		break;
	case EVENT_MARK:
		objects_mark(engine->objects, ev->time, &ev->mark, engine->policy);
		settle_poke(engine->settle, ev->mark.object);
		break;
	case EVENT_OBJECT:
		objects_tell(engine->objects, ev->time, &ev->object, engine->policy);
		settle_poke(engine->settle, ev->object.object);
		break;
	case EVENT_USER:
		users_set(engine->users, ev->user.uid, ev->user.name);
		break;
	case EVENT_GAP:
		feed_gap(engine, ev);
		break;
	case EVENT_HEALTH:
		feed_health(engine, ev);
		break;
	case EVENT_DUMP:
	case EVENT_WRITTEN:
	case EVENT_SETTING:
		feed_dump(engine, ev);
		break;
	case EVENT_MEMORY:
		feed_memory(engine, ev);
		break;
	case EVENT_SCAN_KEY:
		verdicts_key(engine->verdicts, &ev->scan_key);
		break;
	case EVENT_SCAN:
		feed_scan(engine, ev);
		break;
	case EVENT_REFUSED:
		feed_refused(engine, ev);
		break;
	case EVENT_NET: /* judged by nobody: it is there to be found in a trace */
		if (ev->net.how < NET_HOW_NR)
			engine->st.net[ev->net.how]++;
		break;
	default:
		break;
	}
}

/* Rules and exceptions that have ended are told, each once. */
static void tell_ended(struct engine *engine, uint64_t now)
{
	const uint64_t wall = wall_of(engine, now);
	const char *text;

	if (wall <= engine->ended_until)
		return;
	for (size_t i = 0; policy_ended(engine->policy, engine->ended_until, wall, i, &text); i++) {
		const struct event ev = {
			.type = EVENT_HEALTH,
			.time = now,
			.health = {.level = HEALTH_DEGRADED,
				   .what = span_of("exception-ended"),
				   .text = span_of(text)},
		};

		feed_health(engine, &ev);
	}
	engine->ended_until = wall;
}

void engine_tick(struct engine *engine, uint64_t now)
{
	if (now < engine->now)
		now = engine->now; /* events of other CPUs may be a little ahead of the caller */
	engine->now = now;
	tell_ended(engine, now);
	settle_tick(engine->settle, now);
	fold_tick(engine->fold, now, window_ns(engine));
	share_tick(engine->share, now, window_ns(engine));
	proctab_tick(engine->processes, now);
	objects_tick(engine->objects, now);
}

uint64_t engine_next(const struct engine *engine)
{
	uint64_t next =
		earlier(settle_next(engine->settle), fold_next(engine->fold, window_ns(engine)));

	return earlier(next, share_next(engine->share, window_ns(engine)));
}

void engine_flush(struct engine *engine, uint64_t now)
{
	if (now < engine->now)
		now = engine->now;
	settle_flush(engine->settle, now);
	fold_flush(engine->fold);
	share_flush(engine->share);
}

void engine_set_policy(struct engine *engine, const struct policy *policy)
{
	engine->policy = policy;
	engine->ended_until = 0;
	objects_set_policy(engine->objects, policy);
}

void engine_set_wall_offset(struct engine *engine, int64_t wall_offset_ns)
{
	engine->wall_offset_ns = wall_offset_ns;
}

struct engine *engine_new(const struct engine_config *config)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	engine->policy = config->policy;
	engine->wall_offset_ns = config->wall_offset_ns;
	engine->alert = config->alert;
	engine->ctx = config->ctx;
	engine->host = strdup(config->host);
	engine->boot_id = strdup(config->boot_id);
	engine->strings = strtab_new(STRINGS_MAX);
	engine->object_strings = strtab_new(OBJECT_STRINGS_MAX);
	if (engine->strings && engine->object_strings) {
		engine->processes = proctab_new(config->max_processes ? config->max_processes
								      : PROCTAB_NODES_DEFAULT,
						engine->strings);
		engine->objects =
			objects_new(config->max_objects ? config->max_objects : OBJECTS_DEFAULT,
				    engine->object_strings);
	}
	engine->settle =
		settle_new(config->max_pending ? config->max_pending : SETTLE_SLOTS_DEFAULT,
			   on_settled, on_drop, on_permit, engine);
	engine->users = users_new();
	engine->verdicts = verdicts_new();
	engine->fold = fold_new(on_summary, engine);
	engine->share = share_new(on_held_back, engine);
	engine->st.objects_max = config->max_objects ? config->max_objects : OBJECTS_DEFAULT;
	if (!engine->host || !engine->boot_id || !engine->processes || !engine->objects ||
	    !engine->settle || !engine->users || !engine->verdicts || !engine->fold ||
	    !engine->share) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	fold_free(engine->fold);
	share_free(engine->share);
	settle_free(engine->settle);
	users_free(engine->users);
	verdicts_free(engine->verdicts);
	objects_free(engine->objects);
	proctab_free(engine->processes);
	strtab_free(engine->strings);
	strtab_free(engine->object_strings);
	free(engine->host);
	free(engine->boot_id);
	free(engine);
}

void engine_stats(const struct engine *engine, struct engine_stats *out_stats)
{
	struct engine_stats st = engine->st;

	proctab_stats(engine->processes, &st.processes);
	settle_stats(engine->settle, &st.pending);
	st.writes = st.pending.not_read;
	st.objects = objects_count(engine->objects);
	st.objects_refused = objects_refused(engine->objects);
	st.users = users_count(engine->users);
	st.folds = fold_count(engine->fold);
	st.bytes = st.processes.bytes + st.pending.bytes + objects_bytes(engine->objects) +
		   users_bytes(engine->users) + fold_bytes(engine->fold) +
		   share_bytes(engine->share) + strtab_bytes(engine->object_strings);
	*out_stats = st;
}
