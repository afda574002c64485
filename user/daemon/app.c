// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets the daemon up, runs its loop, takes it down. */
#include "daemon/app.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "alert/alert.h"
#include "base/cleanup.h"
#include "control/server.h"
#include "daemon/canary.h"
#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/evidence.h"
#include "daemon/homes.h"
#include "daemon/identify.h"
#include "daemon/images.h"
#include "daemon/log.h"
#include "daemon/logins.h"
#include "daemon/mounts.h"
#include "daemon/programs.h"
#include "daemon/quota.h"
#include "daemon/scans.h"
#include "daemon/search.h"
#include "daemon/slow.h"
#include "engine/engine.h"
#include "journal/journal.h"
#include "sinks/jsonl.h"
#include "sinks/store.h"
#include "sinks/syslog.h"
#include "trace/trace.h"
#include "trail/store.h"
#include "trust/trust.h"
#include "watch/watcher.h"

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t app_boottime(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t app_realtime(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t app_wall_offset(void)
{
	uint64_t narrowest = UINT64_MAX;
	int64_t offset = 0;

	/* We may lose the CPU between two readings: the pair that was nearest counts. */
	for (int i = 0; i < 5; i++) {
		uint64_t before = app_boottime(), real = app_realtime(), after = app_boottime();

		if (after - before < narrowest) {
			narrowest = after - before;
			offset = (int64_t)(real - (before + narrowest / 2));
		}
	}
	return offset;
}

/* --- up and down -------------------------------------------------------------------------------
 */

static void on_alert(void *userdata, const struct alert *alert)
{
	struct app *app = userdata;
	struct alert told = *alert;

	evidence_alert(app, &told); /* first: what is told stands in the log */
	for (int i = 0; i < SINKS_NR; i++)
		if (app->sinks[i])
			app->sinks[i]->ops->write(app->sinks[i], &told);
	if (app->control)
		control_server_publish(app->control, &told);
}

static int policy_start(struct app *app)
{
	if (reload_read(app, &app->policy, &app->policy_files) < 0)
		return EX_CONFIG; /* said by now, with file, line and column */
	app->generation = 1;
	app->policy_loaded_ns = app_realtime();
	return 0;
}

static int sinks_start(struct app *app)
{
	const struct settings *s = policy_settings(app->policy);
	const struct store_options store = {.path = KT_STATEDIR "/alerts.db"};
	const struct syslog_options syslog = {
		.socket = s->syslog_socket,
		.fallback = s->syslog_fallback,
		.sd_id = s->sd_id,
		.pid = getpid(),
		.spool_path = KT_STATEDIR "/syslog.spool",
	};
	const struct jsonl_options jsonl = {
		.path = s->jsonl,
		.spool_path = KT_STATEDIR "/jsonl.spool",
	};
	const struct trail_store_options trail = {.path = KT_STATEDIR "/trail.db"};
	int r = store_sink_new(&store, &app->sinks[SINK_STORE]);

	if (!r)
		r = syslog_sink_new(&syslog, &app->sinks[SINK_SYSLOG]);
	if (!r && s->jsonl[0])
		r = jsonl_sink_new(&jsonl, &app->sinks[SINK_JSONL]);
	if (!r)
		r = trail_store_new(&trail, &app->trail);
	if (!r)
		trail_store_keep(app->trail, s->trail_keep_days);
	return r;
}

/* For root alone, whatever the file was before: a trace tells who did what on this host. */
static FILE *open_record(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f;

	if (fd < 0 || fchmod(fd, 0600) < 0 || fchown(fd, 0, 0) < 0)
		return NULL;
	f = fdopen(fd, "w");
	if (f)
		take_fd(fd);
	return f;
}

/* The engine, and the trace that begins with what it begins with. */
static int engine_start(struct app *app)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	const struct trail_sink trail = trail_store_sink(app->trail);
	struct trace_header header = {};
	struct engine_config config = {
		.policy = app->policy,
		.host = header.host,
		.boot_id = header.boot_id,
		.alert = on_alert,
		.ctx = app,
		.evidence = &evidence_ops,
		.trail = &trail,
	};

	app->wall_offset = app_wall_offset();
	config.wall_offset_ns = header.wall_offset_ns = app->wall_offset;
	gethostname(header.host, sizeof(header.host) - 1);
	if (f && fgets(header.boot_id, sizeof(header.boot_id), f))
		header.boot_id[strcspn(header.boot_id, "\n")] = '\0';
	for (size_t i = 0, at = 0; i < app->policy_files.nr && at < sizeof(header.policy); i++)
		at += snprintf(header.policy + at, sizeof(header.policy) - at, "%s%s", i ? " " : "",
			       app->policy_files.paths[i]);
	app->engine = engine_new(&config);
	if (!app->engine)
		return -ENOMEM;
	if (!app->options.record)
		return 0;
	app->record_file = open_record(app->options.record);
	if (!app->record_file)
		return -errno;
	return trace_writer_new(app->record_file, &header, &app->record);
}

/* Others can be asked for by a later policy: their hooks are loaded with what is not urgent. */
static unsigned demands_of(const struct policy *policy)
{
	unsigned demands = policy_settings(policy)->reads == READS_EXACT ? DEMAND_READS : 0;

	if (policy_judges(policy, ACTION_LINK))
		demands |= DEMAND_LINKS;
	for (uint32_t watch = 1; watch <= policy_nr_watches(policy); watch++)
		if (policy_watch(policy, watch)->mode == MODE_DENY)
			demands |= DEMAND_REFUSAL;
	return demands;
}

static int sensor_start(struct app *app)
{
	const struct settings *s = policy_settings(app->policy);
	const struct sensor_config config = {
		.ring_critical_kib = s->ring_critical_kib,
		.ring_bulk_kib = s->ring_bulk_kib,
		.marks_max = s->marks_max,
		.marks_quota = s->marks_quota,
		.memory = s->memory,
		.leaves = s->memory || policy_judges(app->policy, ACTION_SEND),
		.refused = s->refused,
		.demands = demands_of(app->policy),
		.event = feed_sensor_event,
		.userdata = app,
	};
	struct sensor_refusal refusal = {.exit_status = EX_OSERR};
	int r = sensor_new(&config, &app->sensor, &refusal);

	if (r < 0) {
		log_line(SD_ERR, "%s", refusal.text[0] ? refusal.text : strerror(-r));
		return refusal.exit_status;
	}
	app->sends_seen = config.leaves;
	app->stats_time = app_boottime();
	app->hooks_live_ns = app->stats_time - app->began_ns;
	return 0;
}

static int canary_mark(void *userdata, const char *path)
{
	struct app *app = userdata;
	struct mark mark = {.object = MARK_OBJECT_CANARY, .flags = MARK_FILE};
	struct inode_id identity;

	return sensor_mark(app->sensor, AT_FDCWD, path, &mark, &identity);
}

static void canary_drain(void *userdata)
{
	loop_drain(userdata);
}

static void canary_changed(void *userdata, bool blind)
{
	struct app *app = userdata;
	int r;

	if (!blind) {
		log_line(SD_NOTICE, "the sensor sees again");
		feed_health(app, HEALTH_OK, "canary",
			    "the sensor sees again: keytraild's own read of "
			    "its canary file arrived");
		return;
	}
	log_line(SD_ERR, "sensor blind: a read of our own did not arrive");
	feed_health(app, HEALTH_BLIND, "canary",
		    "sensor blind: keytraild read its own canary file and no event arrived; marks "
		    "are set anew");
	/* If it was for want of marks, those that are known are not there either. */
	watcher_forget(app->watcher);
	r = reload_homes(app);
	if (r < 0)
		log_line(SD_ERR, "the marks could not be set anew: %s", strerror(-r));
}

static int canary_start(struct app *app)
{
	static const struct canary_ops ops = {canary_mark, canary_drain, canary_changed};
	uint32_t period = policy_settings(app->policy)->canary_s;

	return period ? canary_new(app->loop, KT_RUNDIR "/canary", period, &ops, app, &app->canary)
		      : 0;
}

static void tell_hooks(struct app *app)
{
	const struct hooks *hooks = sensor_hooks(app->sensor);

	for (size_t i = 0; i < hooks->nr; i++) {
		const struct hook *hook = &hooks->items[i];
		char what[96], text[512];

		/* Of one that refuses it is told where the policy asks for it: daemon/deny.c. */
		if (hook->state != HOOK_MISSING || !strcmp(hook->spec->program, "on_deny_open"))
			continue;
		snprintf(what, sizeof(what), "hook:%s", hook->target);
		snprintf(text, sizeof(text), "not seen: %s (%s)", hook->spec->sees, hook->why);
		log_line(SD_WARNING, "%s: %s", what, text);
		feed_health(app, hook->spec->essential ? HEALTH_BLIND : HEALTH_DEGRADED, what,
			    text);
	}
}

static void app_fini(struct app *app)
{
	sd_notify(0, "STOPPING=1");
	if (app->up) {
		sensor_drain(app->sensor);
		feed_gaps(app); /* of the last second */
		feed_health(app, HEALTH_OK, "daemon",
			    "keytraild stops: from here on nothing is seen");
		engine_flush(app->engine, app_boottime());
		evidence_stop(app);
	}
	/* First what calls back, then what is called. */
	canary_free(app->canary);
	app->canary = NULL;
	control_server_free(app->control);
	app->control = NULL;
	programs_watch_free(app->programs);
	deny_free(app->deny);
	search_watch_free(app->search);
	app->search = NULL;
	mounts_free(app->mounts);
	slow_free(app->slow);
	devices_free(app->devices);
	homes_free(app->homes);
	logins_free(app->logins);
	images_watch_free(app->images);
	identify_free(app->identify);
	dumps_free(app->dumps);
	scans_free(app->scans);
	quota_free(app->quota);
	watcher_free(app->watcher);
	trust_free(app->trust);
	sensor_free(app->sensor);
	engine_free(app->engine);
	journal_free(app->journal);
	trail_store_free(app->trail);
	for (int i = 0; i < SINKS_NR; i++)
		if (app->sinks[i])
			app->sinks[i]->ops->free(app->sinks[i]);
	trace_writer_free(app->record);
	if (app->record_file)
		fclose(app->record_file);
	watchset_free(app->set);
	policy_free(app->policy);
	policy_files_fini(&app->policy_files);
	sd_event_source_unref(app->ring_source);
	sd_event_source_unref(app->settle_timer);
	sd_event_source_unref(app->second_timer);
	sd_event_source_unref(app->rehome_timer);
	sd_event_unref(app->loop);
}

static int control_status(void *userdata, json_t **out_result)
{
	return status_json(userdata, out_result);
}

static int control_reload(void *userdata, json_t **out_result)
{
	return reload_now(userdata, out_result);
}

static int control_holders(void *userdata, json_t **out_result)
{
	return holders_json(userdata, out_result);
}

static const struct control_handlers control_handlers = {
	.status = control_status,
	.reload = control_reload,
	.holders = control_holders,
};

static int control_start(struct app *app)
{
	return control_server_new(app->loop, KT_RUNDIR "/control.sock", &control_handlers, app,
				  app->sinks[SINK_STORE], &app->control);
}

/* In this order. Each returns 0, negative errno, or an exit status if it has said why itself. */
static const struct {
	const char *name;
	int (*start)(struct app *app);
} steps[] = {
	{"event loop", loop_start},	   {"policy", policy_start},
	{"alert sinks", sinks_start},	   {"evidence log", evidence_start},
	{"engine", engine_start},	   {"probes", sensor_start},
	{"watched files", watching_start}, {"timers", loop_sources_start},
	{"control socket", control_start}, {"canary", canary_start},
};

/* Returns an exit status, 0 = up. */
static int app_start(struct app *app)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i].start(app);

		if (r > 0)
			return r;
		if (r < 0) {
			log_line(SD_ERR, "cannot start (%s): %s", steps[i].name, strerror(-r));
			return EX_OSERR;
		}
	}
	return 0;
}

int app_run(const struct app_options *options)
{
	struct app app = {
		.options = *options,
		.next_state = 1,
		.started_ns = app_realtime(),
		.began_ns = app_boottime(),
	};
	struct watcher_stats watched;
	int r = app_start(&app);

	if (!r) {
		/* The kernel's type information was some 30 MiB, and is not needed any more. */
		malloc_trim(0);
		tell_hooks(&app);
		watcher_stats(app.watcher, &watched);
		log_line(SD_NOTICE, "watching %u files in %u directories, %u policy entries",
			 watched.files, watched.directories, policy_nr_watches(app.policy));
		app.up = true;
		app.ready_ns = app_boottime() - app.began_ns;
		feed_health(&app, HEALTH_OK, "daemon", "keytraild watches");
		sd_notifyf(0, "READY=1\nSTATUS=Watching %u files", watched.files);
		/* Not before: the first ping starts systemd's clock, and loading takes what it
		 * takes. */
		sd_event_set_watchdog(app.loop, true);
		r = sd_event_loop(app.loop);
		if (r < 0) {
			log_line(SD_ERR, "event loop: %s", strerror(-r));
			r = EX_OSERR;
		}
	}
	app_fini(&app);
	return r;
}
