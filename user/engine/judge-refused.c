// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens of watched names that failed, and those that keytrail itself refused. */
#include "engine/engine-internal.h"

#include <errno.h>
#include <fcntl.h>

struct refused_case {
	const struct event *ev;
	struct proc_ref proc;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_refused(struct engine *engine, const void *arg)
{
	const struct refused_case *c = arg;
	const struct report report = engine_report(engine);

	return report_refused(&report, engine->objects, c->ev, c->proc, c->entry, c->answer);
}

/* What the open was for; of one that asked for both, what the policy does not let it do. */
static void judge(struct engine *engine, struct policy_query *query, const struct event *ev,
		  const struct watch_entry *entry, struct policy_answer *out_answer)
{
	const uint32_t mode = ev->refused.open_flags & O_ACCMODE;
	const bool writes = ev->flags & EVENT_DENIED &&
			    (mode != O_RDONLY || ev->refused.open_flags & O_TRUNC) &&
			    entry->on & 1U << ACTION_WRITE;

	query->action = writes && mode == O_WRONLY ? ACTION_WRITE : ACTION_READ;
	policy_judge(engine->policy, query, out_answer);
	if (!writes || query->action == ACTION_WRITE ||
	    !(out_answer->reason == REASON_ALLOWED || out_answer->reason == REASON_EXPECTED ||
	      out_answer->reason == REASON_NOT_ON))
		return;
	query->action = ACTION_WRITE;
	policy_judge(engine->policy, query, out_answer);
}

/*
 * It was refused, so it is told, whatever the policy says of this program: one that it allows was
 * not known to be itself (docs/policy.md), and whoever wonders why it failed finds it here.
 */
static void feed_denied(struct engine *engine, const struct event *ev, struct refused_case *c)
{
	const struct event_refused *r = &ev->refused;
	const struct fold_key key = {
		.type = ALERT_ACCESS_DENIED,
		.image = r->subject.id,
		.uid = r->subject.uid,
		.object = r->object,
		.exe = r->exe,
		.made_from = engine_image(engine, r->cgroup, ev->flags),
	};
	const struct share_case share =
		engine_share_of(engine, r->subject.loginuid, r->subject.uid, r->owner, r->object);

	engine_admit(engine, &key, &share, 1 + (uint64_t)r->more, ev->time, ev->time, ev->time,
		     make_refused, c);
}

/*
 * Repeats are counted by watch entry and not by name: who looks for keys in a thousand homes is one
 * case. What the program may read it may look for.
 */
void engine_feed_refused(struct engine *engine, const struct event *ev)
{
	const struct event_refused *r = &ev->refused;
	const uint32_t watch = policy_find_watch(engine->policy, r->watch);
	struct policy_answer answer;
	struct refused_case c = {.entry = policy_watch(engine->policy, watch), .answer = &answer};
	struct event_access access;
	struct policy_query query;
	struct share_case share;
	struct clean scratch;
	struct fold_key key;

	if (!watch)
		return; /* not watched any longer: the policy has changed */
	c.ev = ev = engine_clean(engine, ev, &scratch);
	r = &ev->refused;
	access = (struct event_access){
		.subject = r->subject,
		.parent = r->parent,
		.exe = r->exe,
		.cgroup = r->cgroup,
		.args = r->args,
	};
	c.proc = proctab_access(engine->processes, ev->time, ev->flags, &access);
	query = (struct policy_query){
		.watch = watch,
		.subject = engine_subject(engine, &r->subject, r->exe, r->exe_trust, r->cgroup,
					  ev->flags),
		.path = r->path,
		.time = engine_wall(engine, ev->time),
	};
	judge(engine, &query, ev, c.entry, &answer);
	if (ev->flags & EVENT_DENIED) {
		feed_denied(engine, ev, &c);
		return;
	}
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
		.made_from = engine_image(engine, r->cgroup, ev->flags),
	};
	/* Whoever likes can try: it never counts as an access to what is another's. */
	share = engine_share_of(engine, r->subject.loginuid, r->subject.uid, r->subject.uid,
				key.object);
	share.others = false;
	engine_admit(engine, &key, &share, 1 + (uint64_t)r->more, ev->time, ev->time, ev->time,
		     make_refused, &c);
}
