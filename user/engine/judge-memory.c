// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads of memory that may hold keys. */
#include "engine/engine-internal.h"

#include "base/hash.h"

struct memory_case {
	const struct event *ev;
	struct proc_ref proc;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_memory(struct engine *engine, const void *arg)
{
	const struct memory_case *c = arg;
	const struct report report = engine_report(engine);

	return report_memory(&report, c->ev, c->proc, engine->objects, engine->policy, c->entry,
			     c->answer);
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
		.subject = engine_subject(engine, &m->subject, m->exe, m->exe_trust, m->cgroup,
					  ev->flags),
		.time = engine_wall(engine, ev->time),
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

void engine_feed_memory(struct engine *engine, const struct event *ev)
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

	ev = engine_clean(engine, ev, &scratch);
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
	engine_record_memory(engine, ev, c.entry, &answer);
	engine_rules_memory(engine, m, answer.verdict == VERDICT_ALERT);
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
		.made_from = engine_image(engine, m->cgroup, ev->flags),
	};
	share = engine_share_of(engine, m->subject.loginuid, m->subject.uid,
				m->target.id.tgid ? m->target.uid : 0, key.object);
	engine_admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_memory, &c);
}
