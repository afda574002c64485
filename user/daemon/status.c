// SPDX-License-Identifier: GPL-2.0-or-later
/* What `keytrail status` shows, as docs/control.md describes it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "daemon/app.h"
#include "daemon/canary.h"
#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/evidence.h"
#include "daemon/identify.h"
#include "daemon/images.h"
#include "daemon/mounts.h"
#include "daemon/programs.h"
#include "daemon/quota.h"
#include "daemon/scans.h"
#include "daemon/search.h"
#include "daemon/slow.h"
#include "engine/engine.h"
#include "engine/images.h"
#include "journal/policy-digest.h"
#include "trail/store.h"
#include "watch/watcher.h"

static json_t *hooks_json(const struct app *app)
{
	const struct hooks *hooks = sensor_hooks(app->sensor);
	json_t *list = json_array();

	for (size_t i = 0; i < hooks->nr; i++) {
		const struct hook *hook = &hooks->items[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "name",
						      hook->spec->program, "target", hook->target,
						      "state", hook_state_str(hook->state), "why",
						      hook->why, "sees", hook->spec->sees,
						      "essential", (int)hook->spec->essential,
						      "skipped", (json_int_t)hook_skipped(hook)));
	}
	return list;
}

static json_t *drops_json(const struct sensor_stats *s)
{
	json_t *drops = json_object();

	for (unsigned i = 0; i < WIRE_DROP_NR; i++)
		json_object_set_new(drops, sensor_drop_str(i), json_integer(s->drops[i]));
	json_object_set_new(drops, "recursion", json_integer(s->recursion_misses));
	json_object_set_new(drops, "recursion-lifecycle", json_integer(s->recursion_lifecycle));
	json_object_set_new(drops, "undecodable", json_integer(s->undecodable));
	return drops;
}

static json_t *rings_json(const struct sensor_stats *s)
{
	static const char *const names[SENSOR_RING_NR] = {"critical", "bulk", "spare"};
	json_t *rings = json_array();

	for (int i = 0; i < SENSOR_RING_NR; i++)
		json_array_append_new(rings, json_pack("{s:s, s:i, s:I}", "name", names[i],
						       "size_kib", (int)s->ring_kib[i], "records",
						       (json_int_t)s->records[i]));
	return rings;
}

struct class_count {
	const struct policy *policy;
	json_int_t by_class[CLASS_NR];
};

static void count_class(void *userdata, const struct watched *watched)
{
	struct class_count *count = userdata;

	if (watched->watch)
		count->by_class[policy_watch_class(count->policy, watched->watch)]++;
}

static json_t *objects_json(struct app *app, const struct watcher_stats *watched)
{
	struct class_count count = {.policy = app->policy};
	json_t *by_class = json_object();
	struct identify_stats keys;

	watcher_each(app->watcher, count_class, &count);
	for (int c = 1; c < CLASS_NR; c++)
		if (count.by_class[c])
			json_object_set_new(by_class, object_class_str(c),
					    json_integer(count.by_class[c]));
	if (devices_count(app->devices))
		json_object_set_new(by_class, object_class_str(CLASS_DEVICE),
				    json_integer(devices_count(app->devices)));
	identify_stats(app->identify, &keys);
	return json_pack("{s:i, s:i, s:b, s:i, s:i, s:I, s:o, s:{s:i, s:i, s:I, s:I, s:I, s:I}}",
			 "total", (int)watched->files, "missed", (int)watched->missed, "settled",
			 !watched->missed && !watched->disturbed && !watched->bounded,
			 "directories", (int)watched->directories, "max", (int)app->stats.marks_max,
			 "stale", (json_int_t)app->strangers, "by_class", by_class, "identify",
			 "waiting", (int)keys.waiting, "running", (int)keys.running, "done",
			 (json_int_t)keys.done, "failed", (json_int_t)keys.failed, "crashed",
			 (json_int_t)keys.crashed, "timed_out", (json_int_t)keys.timed_out);
}

static json_t *programs_json(const struct app *app, json_t *warnings)
{
	const enum rpm_state rpm = rpm_state(NULL);
	struct inspect_stats s;
	struct rpm_counts counts;

	programs_watch_stats(app->programs, &s);
	rpm_counts(&counts);
	if (rpm == RPM_NO_READER)
		json_array_append_new(warnings,
				      json_string(
					      "packages of rpm are not known: this keytrail was "
					      "built without librpm"));
	else if (s.unread)
		json_array_append_new(warnings,
				      json_string("the database of rpm could not be read: "
						  "some packages are not known"));
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:s, s:I, s:I, s:i}", "waiting", (int)s.waiting,
			 "known", (int)s.known, "done", (json_int_t)s.done, "failed",
			 (json_int_t)s.failed, "dropped", (json_int_t)s.dropped, "rpm",
			 rpm_state_str(rpm), "rpm_unread", (json_int_t)s.unread, "rpm_timed_out",
			 (json_int_t)counts.timed_out, "rpm_hung", (int)counts.left);
}

static json_t *images_json(const struct app *app, const struct engine_stats *engine,
			   json_t *warnings)
{
	const struct images_refused *refused = images_watch_refused(app->images);
	json_t *images =
		json_pack("{s:I, s:I, s:I, s:I}", "known", (json_int_t)engine->images, "max",
			  (json_int_t)IMAGES_MAX, "forgotten", (json_int_t)engine->images_forgotten,
			  "unknown", (json_int_t)images_watch_unknown(app->images));

	if (!refused)
		return images;
	json_object_set_new(images, "refused",
			    json_pack("{s:s, s:s, s:s}", "container", refused->container, "path",
				      refused->why.path, "cause",
				      runtimes_fault_str(refused->why.fault)));
	json_array_append_new(warnings,
			      json_sprintf("the image of container %.12s is not known: %s %s",
					   refused->container, refused->why.path,
					   runtimes_fault_text(refused->why.fault)));
	return images;
}

/* keytrail doctor knows it by its first words. */
static void warn_of_nobody(json_t *warnings)
{
	const struct child_user user = child_user();

	if (!user.own)
		json_array_append_new(warnings,
				      json_sprintf("children run as nobody: %s; whoever else runs "
						   "as nobody can stop what reads keys, or kill it",
						   user.fault));
}

static json_t *sinks_json(const struct app *app)
{
	json_t *list = json_array();

	for (int i = 0; i < SINKS_NR; i++) {
		struct sink *sink = app->sinks[i];
		struct sink_stats s;

		if (!sink)
			continue;
		sink->ops->stats(sink, &s);
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "name",
						sink->ops->name, "written", (json_int_t)s.written,
						"queued", (json_int_t)s.queued, "spooled",
						(json_int_t)s.spooled, "dropped",
						(json_int_t)s.dropped, "state", s.state));
	}
	return list;
}

struct apart {
	struct app *app;
	json_t *list, *warnings;
};

static void add_apart(void *userdata, const struct slow_place *place)
{
	struct apart *apart = userdata;
	const char *type = mounts_type_at(apart->app->mounts, place->path);
	char path[1024];

	escape_bytes(place->path, strlen(place->path), path, sizeof(path), NULL);
	json_array_append_new(apart->list,
			      json_pack("{s:s, s:s, s:s}", "path", path, "type", type ? type : "",
					"state", slow_state_str(place->state)));
	if (place->state == SLOW_SILENT)
		json_array_append_new(
			apart->warnings,
			json_sprintf("%s does not answer: what is there is not watched, but for "
				     "what was marked before",
				     path));
	else if (place->state == SLOW_PARTLY)
		json_array_append_new(apart->warnings,
				      json_sprintf("%s: not all that is there could be marked",
						   path));
}

/* Watched places on file systems that may not answer. */
static json_t *apart_json(struct app *app, json_t *warnings)
{
	struct apart apart = {app, json_array(), warnings};

	slow_each(app->slow, add_apart, &apart);
	if (slow_left_out(app->slow))
		json_array_append_new(
			warnings,
			json_sprintf("%llu places on file systems that may not answer were left "
				     "out: too many",
				     (unsigned long long)slow_left_out(app->slow)));
	return apart.list;
}

static json_t *warnings_json(const struct app *app, const struct watcher_stats *watched)
{
	const struct watcher_problem *problems;
	size_t nr = watcher_problems(app->watcher, &problems);
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, json_sprintf("not marked: %s: %s", problems[i].path,
							 strerror(-problems[i].error)));
	if (watched->problems > nr)
		json_array_append_new(list,
				      json_sprintf("not marked: %llu more before these",
						   (unsigned long long)(watched->problems - nr)));
	if (watched->bounded)
		json_array_append_new(list,
				      json_string("the last walk of the file system ended at its "
						  "bound: not everything is marked"));
	if (watched->missed)
		json_array_append_new(
			list, json_sprintf("%u objects were not found where they should be: they "
					   "stay watched, and are looked for again",
					   watched->missed));
	if (app->record_errors)
		json_array_append_new(list, json_sprintf("trace: %llu events could not be written",
							 (unsigned long long)app->record_errors));
	return list;
}

static json_t *dumps_json(const struct app *app, const struct watcher_stats *watched)
{
	struct written_stats s;

	dumps_stats(app->dumps, &s);
	return json_pack("{s:I, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "threshold",
			 (json_int_t)policy_settings(app->policy)->dump_threshold, "watched",
			 (int)watched->dumps, "max", WATCHER_DUMPS_MAX, "told", (json_int_t)s.told,
			 "dumps", (json_int_t)s.dumps, "compressed", (json_int_t)s.compressed,
			 "stored", (json_int_t)s.stored, "gone", (json_int_t)s.gone, "skipped",
			 (json_int_t)s.skipped, "dropped", (json_int_t)s.dropped);
}

static json_t *copies_json(const struct app *app, const struct watcher_stats *watched)
{
	json_t *done = json_object(), *unscanned = json_object(), *left;
	struct written_stats written;
	struct scans_stats s;

	dumps_stats(app->dumps, &written);
	scans_stats(app->scans, &s);
	for (int i = SCANSTATE_CLEAN; i < SCANSTATE_NR; i++)
		json_object_set_new(done, scan_state_str(i),
				    json_integer((json_int_t)s.copies_done[i]));
	for (int i = SCANCAUSE_OFF; i < SCANCAUSE_NR; i++)
		if (s.copies_unscanned[i])
			json_object_set_new(unscanned, scan_cause_str(i),
					    json_integer((json_int_t)s.copies_unscanned[i]));
	left = json_pack("{s:I, s:I, s:I}", "owner", (json_int_t)s.copies_left_owner, "all",
			 (json_int_t)s.copies_left_full, "failed", (json_int_t)s.copies_left_other);
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:o, s:o, s:o}", "watched",
			 (int)watched->copies, "candidates", (json_int_t)written.copies, "renamed",
			 (json_int_t)written.renamed, "over", (json_int_t)app->stats.copies_over,
			 "dropped", (json_int_t)dumps_copies_dropped(app->dumps), "taken",
			 (json_int_t)s.copies_taken, "queued", (int)s.copies_queued, "kept",
			 (json_int_t)s.copies_kept, "left_out", left, "done", done, "unscanned",
			 unscanned);
}

static json_t *scan_json(const struct app *app)
{
	const struct scan_settings *set = &policy_settings(app->policy)->scan;
	json_t *done = json_object(), *unscanned = json_object();
	struct scans_stats s;

	scans_stats(app->scans, &s);
	for (int i = SCANSTATE_CLEAN; i < SCANSTATE_NR; i++)
		json_object_set_new(done, scan_state_str(i), json_integer((json_int_t)s.done[i]));
	for (int i = SCANCAUSE_OFF; i < SCANCAUSE_NR; i++)
		if (s.unscanned[i])
			json_object_set_new(unscanned, scan_cause_str(i),
					    json_integer((json_int_t)s.unscanned[i]));
	return json_pack("{s:b, s:i, s:i, s:i, s:i, s:I, s:I, s:I, s:i, s:o, s:o}", "on",
			 (int)set->on, "queued", (int)s.queued, "queue", (int)set->queue, "running",
			 (int)s.running, "children", (int)set->children, "taken",
			 (json_int_t)s.taken, "known", (json_int_t)s.known, "bytes",
			 (json_int_t)s.bytes, "needles", (int)s.needles, "done", done, "unscanned",
			 unscanned);
}

static long rss_kib(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		return -1;
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static json_t *files_json(const struct app *app)
{
	json_t *list = json_array();

	for (size_t i = 0; i < app->policy_files.nr; i++) {
		char name[512];

		escape_bytes(app->policy_files.paths[i], strlen(app->policy_files.paths[i]), name,
			     sizeof(name), NULL);
		json_array_append_new(list, json_string(name));
	}
	return list;
}

/* What the engine was fed, by type. */
static json_t *events_json(const struct engine_stats *engine)
{
	json_t *events = json_object();

	for (int t = 1; t < EVENT_TYPE_NR; t++)
		json_object_set_new(events, event_type_str(t), json_integer(engine->events[t]));
	return events;
}

static json_t *trail_json(struct app *app, const struct engine_stats *engine)
{
	const struct trail_graph_stats *graph = &engine->trail;
	struct trail_store_stats s;

	trail_store_stats(app->trail, &s);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:s}",
			 "edges", (json_int_t)s.edges, "edges_max", (json_int_t)s.max_edges, "keys",
			 (json_int_t)s.keys, "lost", (json_int_t)s.lost, "processes",
			 (json_int_t)graph->processes, "processes_max",
			 (json_int_t)graph->processes_max, "processes_forgotten",
			 (json_int_t)graph->processes_forgotten, "files", (json_int_t)graph->files,
			 "files_max", (json_int_t)graph->files_max, "files_forgotten",
			 (json_int_t)graph->files_forgotten, "zones_refused",
			 (json_int_t)engine->zones_refused, "damaged", (int)s.damaged, "error",
			 s.error);
}

int status_json(struct app *app, json_t **out_status)
{
	struct watcher_stats watched;
	struct engine_stats engine;
	struct sensor_stats stats = {};
	struct utsname uts;
	char digest[LINE_HEX + 1];
	json_t *status, *warnings;

	watcher_stats(app->watcher, &watched);
	engine_stats(app->engine, &engine);
	/* Not into app->stats: what is new there is still to become a gap record. */
	sensor_stats(app->sensor, &stats);
	uname(&uts);
	status = json_pack("{s:s, s:i, s:f, s:s, s:o, s:o, s:o, s:o, s:o}", "version",
			   KEYTRAIL_VERSION, "pid", (int)getpid(), "since", app->started_ns / 1e9,
			   "kernel", uts.release, "hooks", hooks_json(app), "rings",
			   rings_json(&stats), "drops", drops_json(&stats), "objects",
			   objects_json(app, &watched), "sinks", sinks_json(app));
	warnings = warnings_json(app, &watched);
	if (!status || !warnings) {
		json_decref(status);
		json_decref(warnings);
		return -ENOMEM;
	}
	warn_of_nobody(warnings);
	json_object_set_new(status, "policy",
			    json_pack("{s:o, s:i, s:f, s:i, s:s}", "files", files_json(app),
				      "generation", (int)app->generation, "loaded_at",
				      app->policy_loaded_ns / 1e9, "watches",
				      (int)policy_nr_watches(app->policy), "policy_sha256",
				      policy_digest_hex(app->policy, digest)));
	json_object_set_new(status, "holders",
			    json_pack("{s:i, s:i}", "now", (int)stats.holders, "max",
				      (int)stats.holders_max));
	json_object_set_new(status, "repeats",
			    json_integer((json_int_t)(stats.repeats_self + stats.repeats_kind)));
	json_object_set_new(status, "left",
			    json_pack("{s:I, s:I, s:I, s:I}", "connect",
				      (json_int_t)engine.net[NET_CONNECT], "send",
				      (json_int_t)engine.net[NET_SEND], "unix",
				      (json_int_t)engine.net[NET_UNIX], "mount",
				      (json_int_t)engine.net[NET_MOUNT]));
	json_object_set_new(status, "memory",
			    json_pack("{s:I}", "told", (json_int_t)engine.events[EVENT_MEMORY]));
	json_object_set_new(status, "refused",
			    json_pack("{s:I, s:I, s:I}", "told",
				      (json_int_t)engine.events[EVENT_REFUSED], "counted",
				      (json_int_t)stats.refused_counted, "unmatched",
				      (json_int_t)app->unmatched));
	json_object_set_new(status, "proc",
			    json_pack("{s:I, s:I, s:I}", "nodes",
				      (json_int_t)engine.processes.nodes, "cap",
				      (json_int_t)engine.processes.nodes_max, "bytes",
				      (json_int_t)engine.bytes));
	json_object_set_new(
		status, "alerts",
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sent", (json_int_t)engine.alerts,
			  "folded", (json_int_t)engine.folded, "held_back",
			  (json_int_t)engine.held_back, "allowed", (json_int_t)engine.allowed,
			  "recorded", (json_int_t)engine.recorded, "unjudged",
			  (json_int_t)engine.unjudged, "lost", (json_int_t)engine.alerts_lost));
	if (app->canary) {
		struct canary_stats canary;

		canary_stats(app->canary, &canary);
		json_object_set_new(status, "canary",
				    json_pack("{s:I, s:I, s:b}", "reads", (json_int_t)canary.reads,
					      "seen", (json_int_t)canary.seen, "blind",
					      (int)canary.blind));
		if (canary.blind)
			json_array_append_new(warnings,
					      json_string(
						      "sensor blind: keytraild's own read of its "
						      "canary file was not seen"));
	}
	json_object_set_new(status, "dumps", dumps_json(app, &watched));
	json_object_set_new(status, "copies", copies_json(app, &watched));
	json_object_set_new(status, "scan", scan_json(app));
	json_object_set_new(status, "search", search_json(app->search));
	json_object_set_new(status, "programs", programs_json(app, warnings));
	json_object_set_new(status, "images", images_json(app, &engine, warnings));
	json_object_set_new(status, "journal", evidence_json(app, warnings));
	json_object_set_new(status, "deny", deny_json(app->deny, warnings));
	json_object_set_new(status, "quota", quota_json(app->quota));
	json_object_set_new(status, "apart", apart_json(app, warnings));
	json_object_set_new(status, "trail", trail_json(app, &engine));
	json_object_set_new(status, "events", events_json(&engine));
	json_object_set_new(status, "start",
			    json_pack("{s:I, s:I, s:I, s:I}", "hooks_ms",
				      (json_int_t)(app->hooks_live_ns / 1000000), "watching_ms",
				      (json_int_t)(app->watching_ns / 1000000), "all_hooks_ms",
				      (json_int_t)(app->complete_ns / 1000000), "ready_ms",
				      (json_int_t)(app->ready_ns / 1000000)));
	json_object_set_new(status, "self", json_pack("{s:I}", "rss_kib", (json_int_t)rss_kib()));
	json_object_set_new(status, "warnings", warnings);
	*out_status = status;
	return 0;
}
