// SPDX-License-Identifier: GPL-2.0-or-later
/* What puts keys into dumps, and what is known of keys in one. */
#include "engine/engine-internal.h"

#include "base/hash.h"

struct dump_case {
	const struct event *ev;
	struct proc_ref proc;
};

static struct alert *make_dump(struct engine *engine, const void *arg)
{
	const struct report report = engine_report(engine);
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

		if (!entry || (entry->on & 1U << ACTION_DUMP && entry->mode != MODE_RECORD))
			return true;
	}
	return false;
}

/* All crashes, dumps and settings come by here; told is what may put a key into a dump. */
void engine_feed_dump(struct engine *engine, const struct event *ev)
{
	struct fold_key key = {.type = ALERT_HOLDER_DUMPED};
	struct event_access who = {.exe_nlink = 1};
	struct dump_case c = {.ev = ev};
	uint32_t owner = UID_UNSET; /* who could be harmed */
	struct share_case share;
	struct clean scratch;
	bool told = false;

	c.ev = ev = engine_clean(engine, ev, &scratch);
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
		if (!(ev->written.how & WRITTEN_OTHER))
			who.parent = ev->written.parent;
		key.object = ev->written.object ? ev->written.object : UINT64_MAX;
		/* Who has read a dump as well may be copying it. What may be a copy of a key is no
		 * dump, and its writer's read of the key was judged. */
		told = !(ev->written.how & WRITTEN_COPY) && ev->written.held.nr &&
		       !ev->written.held.other && is_judged_in_dumps(engine, &ev->written.held);
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
	engine_rules_dump(engine, ev, c.proc);
	if (!told) {
		engine->st.recorded++;
		return;
	}
	key.image = who.subject.id;
	key.uid = who.subject.uid;
	key.exe = who.exe;
	key.made_from = engine_image(engine, who.cgroup, ev->flags);
	if (owner == UID_UNSET)
		owner = who.subject.uid;
	share = engine_share_of(engine, who.subject.loginuid, who.subject.uid, owner, key.object);
	engine_admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_dump, &c);
}

struct scan_case {
	const struct event *ev;
	const struct dump_scan *scan;
	struct proc_ref proc;
};

static struct alert *make_scan(struct engine *engine, const void *arg)
{
	const struct report report = engine_report(engine);
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

void engine_feed_scan(struct engine *engine, const struct event *ev)
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
	const struct object *object = objects_find(engine->objects, s->object);
	const bool known = object && dump_scan_found_same(c.scan, object->scan);
	struct share_case share;

	if (s->object)
		objects_scan(engine->objects, s->object, c.scan);
	/* Of a copy it is the trail that tells: who read the key was judged by that. */
	if (s->copy)
		engine->st.recorded++;
	if (s->copy || !scan_is_news(s))
		return;
	if (known) { /* scanned anew, since its mode was changed, say */
		engine_tell_early_readers(engine, ev);
		return;
	}
	if (s->subject.id.tgid)
		c.proc = proctab_access(engine->processes, ev->time, ev->flags, &who);
	/* Whose dump it is where nobody saw who wrote it. */
	share = s->subject.id.tgid
			? engine_share_of(engine, s->subject.loginuid, s->subject.uid, s->owner,
					  key.object)
			: engine_share_of(engine, UID_UNSET, s->owner, s->owner, key.object);
	engine_admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_scan, &c);
	if (s->state == SCANSTATE_KEY) {
		engine_tell_early_readers(engine, ev);
		engine_rules_scan(engine, ev, c.proc);
	}
}
