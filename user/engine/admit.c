// SPDX-License-Identifier: GPL-2.0-or-later
/* The last steps of every alert: counted with its like, within the share of who caused it, sent. */
#include "engine/engine-internal.h"

#include "base/cleanup.h"

uint64_t engine_window(const struct engine *engine)
{
	return (uint64_t)policy_settings(engine->policy)->alert_window_s * 1000000000;
}

struct report engine_report(const struct engine *engine)
{
	return (struct report){
		.host = engine->host,
		.boot_id = engine->boot_id,
		.wall_offset_ns = engine->wall_offset_ns,
		.cmdline = policy_settings(engine->policy)->cmdline,
		.processes = engine->processes,
		.users = engine->users,
		.programs = engine->programs,
		.sessions = engine->sessions,
		.images = engine->images,
	};
}

void engine_send(struct engine *engine, const struct alert *alert)
{
	engine->st.alerts++;
	engine->alert(engine->ctx, alert);
	if (alert->nr_processes && !alert->summary) {
		const struct proc_id process = {
			.tgid = alert->processes[0].pid,
			.start = alert->processes[0].start,
		};

		trail_graph_alert(engine->trail, alert->id, alert_type_str(alert->type), &process);
	}
}

/* Whose share an alert is of: who logged in, over sudo and su; the uid of what nobody began. */
struct share_case engine_share_of(const struct engine *engine, uint32_t loginuid, uint32_t uid,
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

void engine_on_held_back(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
			 uint64_t last)
{
	struct engine *engine = ctx;
	const struct report report = engine_report(engine);
	struct alert *alert = report_held_back(&report, user, start, held, first, last);

	if (!alert) {
		engine->st.alerts_lost++;
		return;
	}
	engine_send(engine, alert);
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

void engine_on_summary(void *ctx, const struct alert *like, uint64_t count, uint64_t first,
		       uint64_t last)
{
	struct engine *engine = ctx;
	const struct report report = engine_report(engine);
	_cleanup_free_ char *text = NULL;
	struct alert alert;

	if (like->nr_processes) {
		struct share_case c =
			engine_share_of(engine, like->loginuid, like->processes[0].uid, like->owner,
					like->object);

		c.others = false; /* it is not the first about anything */
		if (!may_go_out(engine, &c, count, first, last, engine->now))
			return;
	}
	if (report_summary(&report, like, count, first, last, &alert, &text) < 0) {
		engine->st.alerts_lost++;
		return;
	}
	engine->st.summaries++;
	engine_send(engine, &alert);
}

/* Sends or counts what `make` would build. c: NULL = nobody's share. */
void engine_admit(struct engine *engine, const struct fold_key *key, const struct share_case *c,
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
		engine_send(engine, alert);
	fold_keep(engine->fold, key, alert);
}
