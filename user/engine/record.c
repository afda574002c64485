// SPDX-License-Identifier: GPL-2.0-or-later
/* What the engine hands over for the evidence log. */
#include "engine/engine-internal.h"

#include <string.h>

#include "base/hash.h"
#include "proc/cgroup.h"
#include "proc/claim.h"

static void add(struct engine *engine, const struct record *record, uint32_t owner)
{
	const struct subject *s = record->subject;
	struct record whole = *record;
	struct proc_info info;
	const struct share_case share =
		engine_share_of(engine, s->loginuid, s->uid, owner, record->object);

	if (proctab_info(engine->processes, proctab_find(engine->processes, &s->id), &info)) {
		whole.script = str_span(info.script);
		whole.script_trust = info.script_trust;
	}
	records_add(engine->records, &whole, &share, engine->now);
}

static void record_deed(struct engine *engine, const struct settled *settled,
			const struct object *object, enum policy_action action, const char *how,
			const struct policy_answer *answer)
{
	const struct event_access *a = &settled->access;
	struct record record = {
		.subject = &a->subject,
		.object = a->object,
		.inode = a->inode,
		.action = action,
		.verdict = answer->verdict,
		.exe_trust = a->exe_trust,
		.untrusted = a->subject.untrusted,
		.answer = answer,
		.entry = object ? policy_watch(engine->policy, object->watch_number) : NULL,
		.how = how,
		.exe = a->exe,
		.args = a->args,
		.cgroup = a->cgroup,
		.path = a->from.len ? a->from : a->path,
		.args_cut = settled->flags & EVENT_ARGS_TRUNCATED,
		.cgroup_cut = settled->flags & EVENT_CGROUP_TRUNCATED,
		.count = 1,
		.first = settled->time,
		.last = settled->last_time,
	};

	if (!engine->records)
		return;
	if (object && object->path)
		record.path = str_span(object->path);
	add(engine, &record, a->owner);
}

void engine_record_access(struct engine *engine, const struct settled *settled,
			  const struct object *object, enum policy_action action,
			  const struct policy_answer *answer)
{
	record_deed(engine, settled, object, action, access_how_str(settled->access.how), answer);
}

void engine_record_sent(struct engine *engine, const struct settled *settled, enum net_how how,
			const struct object *object, const struct policy_answer *answer)
{
	record_deed(engine, settled, object, ACTION_SEND, net_how_str(how), answer);
}

void engine_record_memory(struct engine *engine, const struct event *ev,
			  const struct watch_entry *entry, const struct policy_answer *answer)
{
	const struct event_memory *m = &ev->memory;
	const uint64_t target[] = {m->target.id.tgid, m->target.id.start, m->target.id.exec_id};
	const struct record record = {
		.subject = &m->subject,
		.object = hash_bytes(target, sizeof(target)),
		.action = ACTION_READ,
		.verdict = answer->verdict,
		.exe_trust = m->exe_trust,
		.untrusted = m->subject.untrusted,
		.answer = answer,
		.entry = entry,
		.how = memory_how_str(m->how),
		.exe = m->exe,
		.args = m->args,
		.cgroup = m->cgroup,
		.args_cut = ev->flags & EVENT_ARGS_TRUNCATED,
		.cgroup_cut = ev->flags & EVENT_CGROUP_TRUNCATED,
		.memory = true,
		.target = m->target.id,
		.count = 1,
		.first = ev->time,
		.last = ev->time,
	};

	if (engine->records)
		add(engine, &record, m->target.id.tgid ? m->target.uid : 0);
}

void engine_record_gap(struct engine *engine, const struct event *ev)
{
	const struct event_gap *g = &ev->gap;

	if (!engine->records)
		return;
	engine->evidence->gap(engine->ctx, &(struct evidence_gap){
						   .now_ns = engine_wall(engine, ev->time),
						   .from_ns = engine_wall(engine, g->from),
						   .to_ns = engine_wall(engine, g->to),
						   .count = g->count,
						   .cause = g->cause,
					   });
}

void engine_on_unrecorded(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			  uint64_t last)
{
	struct engine *engine = ctx;
	const char *name = users_name(engine->users, user);
	char number[16];

	if (!held)
		return; /* it begins: told by number when the window ends */
	snprintf(number, sizeof(number), "%u", user);
	engine->evidence->gap(engine->ctx, &(struct evidence_gap){
						   .now_ns = engine_wall(engine, engine->now),
						   .from_ns = engine_wall(engine, first),
						   .to_ns = engine_wall(engine, last),
						   .count = held,
						   .cause = span_of("evidence-share"),
						   .user = name ? name : number,
					   });
}

bool engine_on_record(void *ctx, const struct record_kind *k, bool again, bool late, uint64_t now)
{
	struct engine *engine = ctx;
	const struct object *object = k->memory ? NULL : objects_find(engine->objects, k->object);
	const struct key_identity *key = object ? object_key(object, k->first) : NULL;
	const enum cmdline_mode cmdline = policy_settings(engine->policy)->cmdline;
	char args[CMDLINE_TEXT_MAX + 1] = "";
	const struct session *session = sessions_find(engine->sessions, k->subject.session);
	const struct container_image *image =
		engine_image(engine, k->cgroup, k->cgroup_cut ? EVENT_CGROUP_TRUNCATED : 0);
	struct cgroup_name group;
	struct span claimed = {NULL, 0};
	struct evidence e;

	/* Whose key it is may be found out in a moment. */
	if (!late && object && !key && k->entry && object_class_holds_keys(k->entry->object_class))
		return false;
	if (cmdline != CMDLINE_NONE)
		cmdline_text(k->args, k->args_cut, cmdline == CMDLINE_REDACTED, args);
	if (!k->script.len && cmdline != CMDLINE_NONE)
		claimed = script_claimed(k->exe, k->args, k->args_cut);
	cgroup_parse(k->cgroup, &group);
	e = (struct evidence){
		.now_ns = engine_wall(engine, now),
		.count = k->count,
		.first_ns = engine_wall(engine, k->first),
		.last_ns = engine_wall(engine, k->last),
		.repeat = again,
		.action = k->action,
		.how = k->how,
		.verdict = k->verdict,
		.why = k->why,
		.file = k->file,
		.line = k->line,
		.process = k->subject.id,
		.uid = k->subject.uid,
		.euid = k->subject.euid,
		.loginuid = k->subject.loginuid,
		.session = k->subject.session,
		.user = users_name(engine->users, k->subject.uid),
		.login_user = users_name(engine->users, k->subject.loginuid),
		.exe = k->exe,
		.exe_trust = k->exe_trust,
		.untrusted = k->untrusted,
		.args = args,
		.script = k->script.len ? k->script : claimed,
		.script_evidence = k->script.len ? "observed"
				   : claimed.len ? "claimed"
						 : "",
		.script_trust = k->script_trust,
		.session_type = session ? session->type : SESSION_UNKNOWN,
		.remote = session ? session->remote : "",
		.unit = group.unit,
		.container = group.container,
		.image = span_of(image ? image->name : NULL),
		.image_id = span_of(image ? image->id : NULL),
		.image_container = k->cgroup_cut ? "" : group.outer,
		.memory = k->memory,
		.inode = k->inode,
		.path = object && object->path ? str_span(object->path) : k->path,
		.watch = k->entry ? k->entry->name : "",
		.object_class = k->entry ? object_class_str(k->entry->object_class) : "",
		.key = key,
		.target = k->target,
	};
	engine->evidence->access(engine->ctx, &e);
	return true;
}
