// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has read a watched file talks to another host: judged where the file's entry has `on: send`.
 */
#include "engine/engine-internal.h"

#include <string.h>
#include <sys/socket.h>

struct sent_case {
	const struct settled *settled;
	const struct event_net *net;
	const struct object *object;
	const struct watch_entry *entry;
	const struct policy_answer *answer;
};

static struct alert *make_sent(struct engine *engine, const void *arg)
{
	const struct sent_case *c = arg;
	const struct report report = engine_report(engine);

	return report_sent(&report, c->settled, c->net, c->object, c->entry, c->answer);
}

/* A connection to no address (0.0.0.0, ::) is one to this host. */
static bool is_local4(const uint8_t addr[static 4])
{
	return addr[0] == 127 || !(addr[0] | addr[1] | addr[2] | addr[3]);
}

static bool is_local6(const uint8_t addr[static 16])
{
	static const uint8_t zero[15], mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!memcmp(addr, mapped, sizeof(mapped)))
		return is_local4(addr + 12);
	return !memcmp(addr, zero, sizeof(zero)) && addr[15] <= 1;
}

static bool is_other_host(const struct event_net *net)
{
	uint32_t cid;

	if (net->how != NET_CONNECT && net->how != NET_SEND)
		return false;
	switch (net->family) {
	case AF_INET:
		return !is_local4(net->addr);
	case AF_INET6:
		return !is_local6(net->addr);
	case AF_VSOCK:
		memcpy(&cid, net->addr, sizeof(cid));
		/* Of what is connected already the address is not read: it is not known. */
		if (net->how == NET_SEND && !cid && !net->port)
			return false;
		return cid != 1; /* VMADDR_CID_LOCAL */
	default:
		return false;
	}
}

/* As what was read before: at once, since nobody makes way for anybody by sending. Returns whether
 * it was judged and let pass. */
static bool judge_sent(struct engine *engine, const struct event *ev, struct settled *s,
		       uint64_t number)
{
	const struct object *object = objects_find(engine->objects, number);
	const uint32_t watch = object ? object_watch(object, ev->time) : 0;
	const struct watch_entry *entry = watch ? policy_watch(engine->policy, watch) : NULL;
	const struct event_net *net = &ev->net;
	struct policy_answer answer;
	struct sent_case c = {s, net, object, entry, &answer};
	struct share_case share;
	struct fold_key key;

	if (!entry || !(entry->on & 1U << ACTION_SEND))
		return false;
	s->access.object = number;
	s->access.inode = object->inode;
	policy_judge(engine->policy,
		     &(struct policy_query){
			     .watch = watch,
			     .action = ACTION_SEND,
			     .subject = engine_subject(engine, &net->subject, net->exe,
						       net->exe_trust, net->cgroup, ev->flags),
			     .path = object->told ? str_span(object->path) : (struct span){NULL, 0},
			     .time = engine_wall(engine, ev->time),
		     },
		     &answer);
	engine_record_sent(engine, s, net->how, object, &answer);
	if (answer.verdict != VERDICT_ALERT) {
		if (answer.verdict == VERDICT_ALLOW)
			engine->st.allowed++;
		else
			engine->st.recorded++;
		return true;
	}
	key = (struct fold_key){
		.type = ALERT_HOLDER_SENT,
		.image = net->subject.id,
		.uid = net->subject.uid,
		.object = number,
		.exe = net->exe,
		.made_from = engine_image(engine, net->cgroup, ev->flags),
	};
	share = engine_share_of(engine, net->subject.loginuid, net->subject.uid, object->owner,
				number);
	/* Who has it was read before anybody looked: not to be held back for what the sender owns.
	 */
	share.others |= object->owner == UID_UNSET;
	engine_admit(engine, &key, &share, 1, ev->time, ev->time, ev->time, make_sent, &c);
	return false;
}

void engine_feed_net(struct engine *engine, const struct event *ev)
{
	struct settled s = {.time = ev->time, .last_time = ev->time, .count = 1, .final = true};
	const struct event_net *net = &ev->net;
	unsigned passed = 0;
	struct clean scratch;

	if (!is_other_host(net) || !policy_judges(engine->policy, ACTION_SEND))
		return;
	ev = engine_clean(engine, ev, &scratch);
	net = &ev->net;
	s.flags = ev->flags;
	s.cpu = ev->cpu;
	s.access = (struct event_access){
		.subject = net->subject,
		.parent = net->parent,
		.owner = UID_UNSET,
		.fd = UINT32_MAX,
		.exe_trust = net->exe_trust,
		.exe = net->exe,
		.cgroup = net->cgroup,
		.args = net->args,
	};
	s.proc = proctab_access(engine->processes, ev->time, ev->flags, &s.access);
	for (size_t i = 0; i < EVENT_KEYS_MAX; i++)
		if (net->keys[i])
			passed += judge_sent(engine, ev, &s, net->keys[i]);
	/*
	 * There may be one that it may not send. No alert: it may as well be one that no entry asks
	 * about, or a backup's, which may send all.
	 */
	engine->st.unjudged += passed == EVENT_KEYS_MAX && net->nr_keys > EVENT_KEYS_MAX;
	if (net->other)
		judge_sent(engine, ev, &s, net->other);
}
