// SPDX-License-Identifier: GPL-2.0-or-later
/* Deeds that say something together only: brought to the rules, and told. */
#include "engine/engine-internal.h"

#include "base/hash.h"

struct rule_case {
	enum trail_rule rule;
	const struct subject *subject;
	struct proc_ref proc;
	struct span exe, args, cgroup;
	enum exe_trust exe_trust;
	uint32_t flags;
	uint64_t time;
};

static struct alert *make_rule(struct engine *engine, const void *arg)
{
	const struct rule_case *c = arg;
	const struct report report = engine_report(engine);

	return report_rule_alert(&report, c->rule, c->subject, c->proc, c->exe, c->cgroup,
				 c->exe_trust, c->flags, c->time);
}

static void tell(struct engine *engine, struct rule_case *c, uint32_t done, uint64_t now)
{
	const struct subject *s = c->subject;
	const struct share_case share =
		engine_share_of(engine, s->loginuid, s->uid, UID_UNSET, UINT64_MAX);

	for (int rule = 1; rule < RULE_NR; rule++) {
		const struct fold_key key = {
			.type = ALERT_TRAIL_RULE,
			.image = s->id,
			.uid = s->uid,
			.object = (uint64_t)rule,
			.exe = c->exe,
			.made_from = engine_image(engine, c->cgroup, c->flags),
		};

		if (!(done & 1U << rule))
			continue;
		c->rule = (enum trail_rule)rule;
		engine_admit(engine, &key, &share, 1, c->time, c->time, now, make_rule, c);
	}
}

static bool is_on(const struct engine *engine)
{
	return policy_settings(engine->policy)->trail_rules;
}

static struct rule_case case_of(const struct settled *s)
{
	const struct event_access *a = &s->access;

	return (struct rule_case){
		.subject = &a->subject,
		.proc = s->proc,
		.exe = a->exe,
		.args = a->args,
		.cgroup = a->cgroup,
		.exe_trust = a->exe_trust,
		.flags = s->flags,
		.time = s->time,
	};
}

void engine_rules_read(struct engine *engine, const struct settled *s, bool copy, uint64_t now)
{
	const struct event_access *a = &s->access;
	struct rule_case c = case_of(s);
	uint64_t group;
	uint32_t done;

	if (!is_on(engine))
		return;
	group = trail_rules_group(&a->subject,
				  a->cgroup.len ? hash_bytes(a->cgroup.p, a->cgroup.len) : 0);
	done = trail_rules_read(engine->rules, s->time, group, &a->subject.id,
				a->object ? a->object : a->inode.ino, copy);
	if (!copy && trail_graph_first_reader(engine->trail, &a->inode, &a->subject.id))
		done |= 1U << RULE_FIRST_READER;
	tell(engine, &c, done, now);
}

void engine_rules_early(struct engine *engine, const struct settled *s, uint64_t now)
{
	struct rule_case c = case_of(s);

	if (is_on(engine))
		tell(engine, &c, 1U << RULE_READ_BEFORE_VERDICT, now);
}

void engine_rules_net(struct engine *engine, const struct event *ev)
{
	const struct event_net *net = &ev->net;
	struct rule_case c = {
		.subject = &net->subject,
		.exe = net->exe,
		.cgroup = net->cgroup,
		.exe_trust = net->exe_trust,
		.flags = ev->flags,
		.time = ev->time,
	};
	uint32_t done;

	if (!is_on(engine) || (net->how != NET_CONNECT && net->how != NET_SEND) || !net->nr_keys)
		return;
	done = trail_rules_connect(engine->rules, ev->time, &net->subject.id);
	if (!done)
		return;
	c.proc = proctab_find(engine->processes, &net->subject.id);
	tell(engine, &c, done, ev->time);
}

/*
 * Another user is who logged in as another, whatever he is now: `sudo gcore` is his. Without a
 * login it is a service, of which uid 0 may look after all others. An environment is not all of a
 * process's memory.
 */
static bool is_others_memory(const struct event_memory *m)
{
	const struct subject *who = &m->subject, *target = &m->target;

	if (!target->id.tgid || !m->nr_keys || m->how == MEMORY_ENVIRON)
		return false;
	if (who->loginuid != UID_UNSET)
		return who->loginuid != target->uid && who->loginuid != target->loginuid;
	return who->uid && who->uid != target->uid;
}

void engine_rules_memory(struct engine *engine, const struct event_memory *m, bool alerted)
{
	if (is_on(engine) && m->how != MEMORY_GETFD && m->how != MEMORY_ENVIRON)
		trail_rules_memory(engine->rules, &m->subject.id, alerted && is_others_memory(m));
}

/* Of an event that does not bring them itself. Spans live until the table's next event. */
static void put_process(const struct engine *engine, struct rule_case *c)
{
	struct proc_info info;

	if (!proctab_info(engine->processes, c->proc, &info))
		return;
	c->exe = str_span(info.exe);
	c->cgroup = str_span(info.cgroup);
}

/* What is packed or text may be anything. */
static bool is_dump(enum dump_kind kind)
{
	return kind >= DUMPKIND_ELF_CORE && kind <= DUMPKIND_AVML;
}

void engine_rules_dump(struct engine *engine, const struct event *ev, struct proc_ref proc)
{
	const struct event_written *w = &ev->written;
	struct rule_case c = {.subject = &w->subject,
			      .proc = proc,
			      .flags = ev->flags,
			      .time = ev->time};

	if (!is_on(engine))
		return;
	if (ev->type == EVENT_DUMP) {
		if (ev->dump.how == DUMP_HELPER)
			trail_rules_memory(engine->rules, &ev->dump.subject.id, false);
		return;
	}
	if (ev->type != EVENT_WRITTEN)
		return;
	if (w->how & WRITTEN_HELPER)
		trail_rules_memory(engine->rules, &w->subject.id, false);
	if (!is_dump(w->kind) || w->how & WRITTEN_COPY)
		return;
	put_process(engine, &c);
	tell(engine, &c, trail_rules_dumped(engine->rules, &w->subject.id), ev->time);
}

/*
 * A dump in which keys were found. Who wrote it is known, so it was not there before; and neither
 * did a process crash into it, nor had who wrote it memory in hand, the keys, or his own process in
 * the dump. Whether memory was read is only seen with `memory: on`.
 */
void engine_rules_scan(struct engine *engine, const struct event *ev, struct proc_ref proc)
{
	const struct event_scan *s = &ev->scan;
	struct rule_case c = {.subject = &s->subject,
			      .proc = proc,
			      .flags = ev->flags,
			      .time = ev->time};

	if (!is_on(engine) || !policy_settings(engine->policy)->memory || !s->subject.id.tgid ||
	    s->dump_pid == s->subject.id.tgid || s->dump_pid == s->parent.tgid ||
	    verdicts_holder(engine->verdicts, s) ||
	    !trail_graph_is_foreign(engine->trail, &s->inode, &s->subject.id))
		return;
	put_process(engine, &c);
	tell(engine, &c, trail_rules_foreign(engine->rules, &s->subject.id), ev->time);
}

/* Only what may have hidden a read. */
void engine_rules_gap(struct engine *engine, const struct event *ev)
{
	if (ev->type == EVENT_HEALTH ? ev->health.level == HEALTH_BLIND
				     : report_gap_severity(ev->gap.cause) == SEV_HIGH)
		trail_rules_blind(engine->rules, ev->time);
}
