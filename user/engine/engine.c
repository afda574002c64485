// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine: hands each event to the tables it concerns, and to who judges its kind. */
#include "engine/engine-internal.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_DEFAULT 262144
#define STRINGS_MAX	(64U << 20) /* paths, arguments and cgroups of all processes */
/* Apart from those, so that nobody's command lines leave no room for the name of a key. */
#define OBJECT_STRINGS_MAX (128U << 20)

/* What a health event is about that says whether reads can be told. */
#define READS_EXACT_WORD "reads-exact"

static struct alert *make_gap(struct engine *engine, const void *arg)
{
	const struct report report = engine_report(engine);

	return report_gap(&report, arg);
}

static void feed_exec(struct engine *engine, const struct event *ev)
{
	struct clean scratch;
	const struct event_exec *exec;
	bool at_start = ev->type == EVENT_PROC;

	ev = engine_clean(engine, ev, &scratch);
	exec = &ev->exec;
	proctab_exec(engine->processes, ev->time, ev->flags, at_start, exec);
	if (!at_start)
		settle_exec(engine->settle, &exec->subject.id, ev->time);
}

static void feed_gap(struct engine *engine, const struct event *ev)
{
	const struct event_gap *gap = &ev->gap;
	const struct fold_key key = {.type = ALERT_EVENTS_LOST, .exe = gap->cause};

	engine_admit(engine, &key, NULL, gap->count, gap->from, gap->to, ev->time, make_gap, ev);
}

static void feed_health(struct engine *engine, const struct event *ev)
{
	const struct report report = engine_report(engine);
	struct alert *alert = report_health(&report, ev);

	if (ev->health.what.len == strlen(READS_EXACT_WORD) &&
	    !memcmp(ev->health.what.p, READS_EXACT_WORD, ev->health.what.len))
		engine->no_reads = ev->health.level != HEALTH_OK;
	if (!alert) {
		engine->st.alerts_lost++;
		return;
	}
	engine_send(engine, alert);
	alert_free(alert);
}

/* What the trail asks of a watched object. */
static bool trail_object(void *ctx, uint64_t number, struct trail_object *out)
{
	const struct engine *engine = ctx;
	const struct object *object = objects_find(engine->objects, number);
	const struct watch_entry *entry =
		object && object->watch_number ? policy_watch(engine->policy, object->watch_number)
					       : NULL;

	if (!entry)
		return false;
	*out = (struct trail_object){
		.inode = object->inode,
		.path = str_span(object->path),
		.watch = span_of(entry->name),
		.holds_key = object_class_holds_keys(entry->object_class),
		.is_dump = entry->object_class == CLASS_DUMP,
		.is_copy = entry->object_class == CLASS_KEY_COPY,
		.key = object->key_known ? object->key : NULL,
	};
	return true;
}

/* And of a key that stands in a dump. */
static uint32_t trail_zone(void *ctx, const struct event_scan_key *key)
{
	return engine_scan_zone(ctx, key);
}

void engine_feed(struct engine *engine, const struct event *ev)
{
	if (ev->type > 0 && ev->type < EVENT_TYPE_NR)
		engine->st.events[ev->type]++;
	if (ev->time > engine->now)
		engine->now = ev->time;
	/* Before the verdict, which asks where a key came from; what an object is, comes first. */
	if (ev->type != EVENT_OBJECT)
		trail_graph_feed(engine->trail, ev);
	switch (ev->type) {
	case EVENT_FORK:
		proctab_fork(engine->processes, ev->time, &ev->fork);
		break;
	case EVENT_EXEC:
	case EVENT_PROC:
		feed_exec(engine, ev);
		break;
	case EVENT_SCRIPT:
		proctab_script(engine->processes, ev->time, &ev->script);
		break;
	case EVENT_EXIT:
		proctab_exit(engine->processes, ev->time, &ev->exit);
		settle_exit(engine->settle, &ev->exit.subject.id, ev->time);
		break;
	case EVENT_ACCESS:
		engine_feed_access(engine, ev);
		break;
	case EVENT_MARK:
		objects_mark(engine->objects, ev->time, &ev->mark, engine->policy);
		settle_poke(engine->settle, ev->mark.object);
		break;
	case EVENT_OBJECT:
		objects_tell(engine->objects, ev->time, &ev->object, engine->policy);
		engine_zone_key(engine, objects_find(engine->objects, ev->object.object));
		trail_graph_feed(engine->trail, ev);
		settle_poke(engine->settle, ev->object.object);
		break;
	case EVENT_USER:
		users_set(engine->users, ev->user.uid, ev->user.name);
		break;
	case EVENT_PROGRAM:
		programs_set(engine->programs, &ev->program);
		break;
	case EVENT_SESSION:
		sessions_set(engine->sessions, &ev->session);
		break;
	case EVENT_CONTAINER:
		images_set(engine->images, &ev->container);
		break;
	case EVENT_GAP:
		engine_record_gap(engine, ev);
		engine_rules_gap(engine, ev);
		feed_gap(engine, ev);
		break;
	case EVENT_HEALTH:
		engine_rules_gap(engine, ev);
		feed_health(engine, ev);
		break;
	case EVENT_DUMP:
	case EVENT_WRITTEN:
	case EVENT_SETTING:
		engine_feed_dump(engine, ev);
		break;
	case EVENT_MEMORY:
		engine_feed_memory(engine, ev);
		break;
	case EVENT_SCAN_KEY:
		verdicts_key(engine->verdicts, &ev->scan_key,
			     engine_scan_zone(engine, &ev->scan_key));
		break;
	case EVENT_SCAN:
		engine_feed_scan(engine, ev);
		settle_poke(engine->settle, ev->scan.object);
		break;
	case EVENT_REFUSED:
		engine_feed_refused(engine, ev);
		break;
	case EVENT_NET:
		engine_rules_net(engine, ev); /* with what was read before, if at all */
		if (ev->net.how < NET_HOW_NR)
			engine->st.net[ev->net.how]++;
		engine_feed_net(engine, ev);
		break;
	default:
		break;
	}
}

/* Rules and exceptions that have ended are told, each once. */
static void tell_ended(struct engine *engine, uint64_t now)
{
	const uint64_t wall = engine_wall(engine, now);
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
	fold_tick(engine->fold, now, engine_window(engine));
	share_tick(engine->share, now, engine_window(engine));
	if (engine->records)
		records_tick(engine->records, now, engine_window(engine));
	proctab_tick(engine->processes, now);
	objects_tick(engine->objects, now);
}

uint64_t engine_next(const struct engine *engine)
{
	uint64_t next = engine_earlier(settle_next(engine->settle),
				       fold_next(engine->fold, engine_window(engine)));

	if (engine->records)
		next = engine_earlier(next, records_next(engine->records, engine_window(engine)));
	return engine_earlier(next, share_next(engine->share, engine_window(engine)));
}

void engine_flush(struct engine *engine, uint64_t now)
{
	if (now < engine->now)
		now = engine->now;
	settle_flush(engine->settle, now);
	fold_flush(engine->fold);
	share_flush(engine->share);
	if (engine->records)
		records_flush(engine->records, now);
}

void engine_ask_trust(struct engine *engine, settle_trust_fn fn, void *ctx)
{
	settle_ask_trust(engine->settle, fn, ctx);
}

void engine_set_policy(struct engine *engine, const struct policy *policy)
{
	/* What was judged by the old one speaks of it. */
	if (engine->records)
		records_flush(engine->records, engine->now);
	engine->policy = policy;
	engine->ended_until = 0;
	objects_set_policy(engine->objects, policy);
	engine_zone_keys_anew(engine);
}

void engine_set_wall_offset(struct engine *engine, int64_t wall_offset_ns)
{
	engine->wall_offset_ns = wall_offset_ns;
	trail_graph_set_wall_offset(engine->trail, wall_offset_ns);
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
			   engine_on_settled, engine_on_drop, engine_on_permit, engine);
	engine->users = users_new();
	engine->programs = programs_new();
	engine->sessions = sessions_new();
	engine->images = images_new();
	engine->verdicts = verdicts_new();
	engine->fold = fold_new(engine_on_summary, engine);
	engine->share = share_new(engine_on_held_back, engine);
	engine->evidence = config->evidence;
	if (engine->evidence)
		engine->records = records_new(engine_on_record, engine_on_unrecorded, engine);
	engine->trail = trail_graph_new(&(struct trail_graph_config){
		.host = config->host,
		.boot_id = config->boot_id,
		.wall_offset_ns = config->wall_offset_ns,
		.object = trail_object,
		.zone = trail_zone,
		.ctx = engine,
	});
	engine->zoned = zoned_new();
	engine->rules = trail_rules_new();
	engine->st.objects_max = config->max_objects ? config->max_objects : OBJECTS_DEFAULT;
	if (!engine->host || !engine->boot_id || !engine->processes || !engine->objects ||
	    !engine->settle || !engine->users || !engine->programs || !engine->sessions ||
	    !engine->images || !engine->verdicts || !engine->fold || !engine->share ||
	    !engine->trail || !engine->zoned || !engine->rules ||
	    (engine->evidence && !engine->records)) {
		engine_free(engine);
		return NULL;
	}
	if (config->trail)
		trail_graph_set_sink(engine->trail, config->trail);
	return engine;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	fold_free(engine->fold);
	share_free(engine->share);
	records_free(engine->records);
	settle_free(engine->settle);
	trail_graph_free(engine->trail);
	zoned_free(engine->zoned);
	trail_rules_free(engine->rules);
	users_free(engine->users);
	programs_free(engine->programs);
	sessions_free(engine->sessions);
	images_free(engine->images);
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
	trail_graph_stats(engine->trail, &st.trail);
	st.zones_refused = zoned_refused(engine->zoned);
	st.writes = st.pending.not_read;
	st.objects = objects_count(engine->objects);
	st.objects_refused = objects_refused(engine->objects);
	st.users = users_count(engine->users);
	st.images = images_count(engine->images);
	st.images_forgotten = images_forgotten(engine->images);
	st.folds = fold_count(engine->fold);
	st.bytes = st.processes.bytes + st.pending.bytes + objects_bytes(engine->objects) +
		   users_bytes(engine->users) + programs_bytes(engine->programs) +
		   images_bytes(engine->images) + fold_bytes(engine->fold) +
		   share_bytes(engine->share) + strtab_bytes(engine->object_strings) +
		   st.trail.bytes + zoned_bytes(engine->zoned) + trail_rules_bytes(engine->rules) +
		   (engine->records ? records_bytes(engine->records) : 0);
	*out_stats = st;
}
