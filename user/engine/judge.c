// SPDX-License-Identifier: GPL-2.0-or-later
/* What a policy is asked, in its words; and what of an event it lets be kept. */
#include "engine/engine-internal.h"

#include "proc/cgroup.h"

uint64_t engine_wall(const struct engine *engine, uint64_t time)
{
	return time + (uint64_t)engine->wall_offset_ns;
}

const struct container_image *engine_image(const struct engine *engine, struct span cgroup,
					   uint32_t flags)
{
	const bool cut = flags & EVENT_CGROUP_TRUNCATED;

	return cut ? NULL : images_find(engine->images, cgroup_image_container(cgroup));
}

/* What the policy asks of a subject. A name that is cut is not told: it would be another one. */
struct policy_subject engine_subject(const struct engine *engine, const struct subject *subject,
				     struct span exe, enum exe_trust trust, struct span cgroup,
				     uint32_t flags)
{
	const struct program *program = programs_find(engine->programs, &subject->exe);
	const bool cut = flags & EVENT_CGROUP_TRUNCATED;
	const struct session *session = sessions_find(engine->sessions, subject->session);
	const struct span none = {NULL, 0},
			  container = cut ? none : cgroup_system_container(cgroup);
	const struct container_image *image = engine_image(engine, cgroup, flags);
	struct proc_info info = {0};

	proctab_info(engine->processes, proctab_find(engine->processes, &subject->id), &info);
	return (struct policy_subject){
		.exe = exe,
		.exe_trust = trust,
		.untrusted = subject->untrusted,
		.script = str_span(info.script),
		.script_trust = info.script_trust,
		.inspected = program != NULL,
		.package_state = program ? program->state : PACKAGE_UNKNOWN,
		.package = span_of(program ? program->package : NULL),
		.digest = span_of(program ? program->digest : NULL),
		.verity = span_of(program ? program->verity : NULL),
		.uid = subject->uid,
		.loginuid = subject->loginuid,
		.session_type = session ? session->type : SESSION_UNKNOWN,
		.user = span_of(users_name(engine->users, subject->uid)),
		.unit = cut ? none : cgroup_system_unit(cgroup),
		.container = container,
		.image = span_of(image ? image->name : NULL),
		.image_id = span_of(image ? image->id : NULL),
	};
}

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
const struct event *engine_clean(const struct engine *engine, const struct event *ev,
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
	case EVENT_NET:
		if (!ev->net.args.len)
			return ev;
		*copy = *ev;
		copy->net.args = keep_args(engine, ev->net.args, &copy->flags, scratch->args);
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
