// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets the daemon up, runs its loop, takes it down. */
#include "daemon/app.h"
#include "daemon/dumps.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "alert/alert.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "control/server.h"
#include "daemon/canary.h"
#include "daemon/devices.h"
#include "daemon/evidence.h"
#include "daemon/homes.h"
#include "daemon/identify.h"
#include "daemon/logins.h"
#include "daemon/log.h"
#include "daemon/mounts.h"
#include "daemon/programs.h"
#include "daemon/scans.h"
#include "daemon/search.h"
#include "daemon/quota.h"
#include "daemon/slow.h"
#include "trust/trust.h"
#include "engine/engine.h"
#include "journal/journal.h"
#include "sinks/jsonl.h"
#include "sinks/store.h"
#include "sinks/syslog.h"
#include "trace/trace.h"
#include "trail/store.h"
#include "watch/watcher.h"

#define MS 1000ULL /* in the loop's microseconds */

/* Lifecycle records do not wake us: fetch them this often, and let what is pending settle. */
#define SETTLE_PERIOD (100 * MS)

/* All open files of the host are gone through at most this often, ns. */
#define LOOK_PERIOD 5000000000ULL

/* Homes that become known together (a class logs in) are one rescan. */
#define REHOME_DELAY (200 * MS)

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

/* --- what the parts call back ------------------------------------------------------------------
 */

static int identify_path(void *userdata, const char *path, struct inode_id *out_identity)
{
	return sensor_identify(((struct app *)userdata)->sensor, path, out_identity);
}

/* What marks of this entry have besides: MARK_KEY, MARK_SEND. */
static uint32_t flags_of(const struct app *app, uint32_t watch)
{
	const struct watch_entry *entry = watch ? policy_watch(app->policy, watch) : NULL;
	uint32_t flags = 0;

	if (entry && object_class_holds_keys(entry->object_class))
		flags |= MARK_KEY;
	if (entry && entry->on & 1U << ACTION_SEND)
		flags |= MARK_SEND;
	return flags;
}

static int mark_path(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	struct app *app = userdata;
	uint32_t devs[MARKING_INODES];
	size_t nr;
	int r;

	mark->flags |= flags_of(app, mark->watch);
	r = sensor_mark(app->sensor, dirfd, name, mark, out_identity);
	nr = r < 0 ? 0 : sensor_marked_on(app->sensor, devs);
	for (size_t i = 0; i < nr && mark->flags & MARK_FILE; i++)
		devices_note(app->devices, devs[i]);
	return r;
}

static int unmark_inode(void *userdata, const struct inode_id *identity)
{
	return sensor_unmark(((struct app *)userdata)->sensor, identity);
}

static int unmark_device(void *userdata, uint32_t dev)
{
	return sensor_unmark_device(((struct app *)userdata)->sensor, dev);
}

static int open_path(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		     size_t *out_nr)
{
	return sensor_open(((struct app *)userdata)->sensor, path, out_inodes, max, out_nr);
}

static void feed_object(struct app *app, const struct watched *watched,
			const struct key_identity *key)
{
	const struct watch_entry *entry =
		watched->watch ? policy_watch(app->policy, watched->watch) : NULL;
	struct event event = {
		.type = EVENT_OBJECT,
		.time = app_boottime(),
		.object =
			{
				.object = watched->object,
				.inode = watched->inode,
				.path = span_of(watched->path),
				.watch = entry ? span_of(entry->name) : (struct span){},
				.key_known = key != NULL,
			},
	};

	if (key)
		event.object.key = *key;
	feed(app, &event);
}

void app_retell(void *userdata, const struct watched *watched)
{
	struct app *app = userdata;

	feed_object(app, watched, identify_known(app->identify, watched->object));
}

static void on_object(void *userdata, const struct watched *watched)
{
	struct app *app = userdata;

	/* By another name it is the same key, until it is found out whether the name is a part of
	 * that: a public half beside it. */
	feed_object(app, watched,
		    watched->watch ? identify_known(app->identify, watched->object) : NULL);
	if (!watched->watch)
		identify_forget(app->identify, watched->object);
	else if (object_class_holds_keys(policy_watch(app->policy, watched->watch)->object_class))
		identify_again(app->identify, watched->object);
}

static int remark_inode(void *userdata, const struct inode_id *identity, uint32_t state,
			uint32_t watch)
{
	struct app *app = userdata;

	return sensor_remark(app->sensor, identity, state, watch, flags_of(app, watch));
}

static bool fd_answers(void *userdata, int fd)
{
	return mounts_answers(((struct app *)userdata)->mounts, fd);
}

static void on_apart(void *userdata, const char *path)
{
	struct app *app = userdata;
	const char *type = mounts_type_at(app->mounts, path);

	/* To look up a name there would mount it; what is mounted there is told by the table. */
	if (!type || strcmp(type, "autofs") != 0)
		slow_add(app->slow, path);
}

void app_walk_slow(void *userdata, const char *path)
{
	struct app *app = userdata;

	if (watcher_leads(app->watcher, path))
		slow_add(app->slow, path);
}

/* A walk of a million names on a cold disk takes minutes; systemd would take that for a hang. */
static void walk_goes_on(void *userdata)
{
	const struct app *app = userdata;

	sd_notify(0, app->up ? "WATCHDOG=1" : "EXTEND_TIMEOUT_USEC=120000000");
}

static const struct watcher_ops watcher_ops = {
	.mark = mark_path,
	.unmark = unmark_inode,
	.unmark_device = unmark_device,
	.remark = remark_inode,
	.object = on_object,
	.open = open_path,
	.answers = fd_answers,
	.apart = on_apart,
	.alive = walk_goes_on,
};

static void slow_enter(void *userdata, unsigned slot)
{
	sensor_enter_child(((struct app *)userdata)->sensor, slot);
}

static void slow_ended(void *userdata, unsigned slot)
{
	sensor_child_ended(((struct app *)userdata)->sensor, slot);
}

static void on_silent(void *userdata, const char *path)
{
	struct app *app = userdata;
	char name[512], text[1024];

	if (!path) {
		log_line(SD_NOTICE, "all file systems with watched places answer again");
		feed_health(app, HEALTH_OK, "file-systems",
			    "all file systems with watched places answer again");
		return;
	}
	escape_bytes(path, strlen(path), name, sizeof(name), NULL);
	snprintf(
		text, sizeof(text),
		"the file system at %s does not answer: what is there is not watched, but for what "
		"was marked before; `keytrail status` lists all of this kind",
		name);
	log_line(SD_WARNING, "%s", text);
	feed_health(app, HEALTH_DEGRADED, "file-systems", text);
}

static const struct slow_ops slow_ops = {slow_enter, slow_ended, on_silent};

static void on_identified(void *userdata, uint64_t object, const struct key_identity *key)
{
	struct app *app = userdata;
	struct watched watched;
	char path[4096];

	if (watcher_lookup(app->watcher, object, &watched, path, sizeof(path)) < 0)
		return; /* gone meanwhile */
	/* What was found for its content is watched for that alone. */
	if (key->kind == KEY_NONE && watched.watch &&
	    policy_watch(app->policy, watched.watch)->object_class == CLASS_FOUND_KEY)
		watcher_drop_found(app->watcher, object);
	else
		feed_object(app, &watched, key);
}

static const struct identify_ops identify_ops = {.done = on_identified};

static void on_user(void *userdata, uint32_t uid, const char *name)
{
	struct app *app = userdata;
	struct event event = {
		.type = EVENT_USER,
		.time = app_boottime(),
		.user = {.uid = uid, .name = span_of(name)},
	};

	feed(app, &event);
}

static int on_rehome(sd_event_source *source, uint64_t usec, void *userdata)
{
	int r = reload_homes(userdata);

	if (r < 0)
		log_line(SD_ERR, "homes that became known are not watched: %s", strerror(-r));
	return 0;
}

void app_walk_soon(struct app *app)
{
	if (!app->rehome_timer)
		return; /* still starting */
	sd_event_source_set_time_relative(app->rehome_timer, REHOME_DELAY);
	sd_event_source_set_enabled(app->rehome_timer, SD_EVENT_ONESHOT);
}

static void on_homes_changed(void *userdata)
{
	app_walk_soon(userdata);
}

static const struct homes_ops homes_ops = {.user = on_user, .changed = on_homes_changed};

static void on_mounted(void *userdata, const char *path)
{
	struct app *app = userdata;
	const char *type = mounts_type_at(app->mounts, path);

	if (!type || mounts_type_answers(type))
		watcher_rescan(app->watcher, path);
	else if (strcmp(type, "autofs") != 0)
		app_walk_slow(app, path);
	search_watch_soon(app->search);
	devices_remounted(app->devices);
	/* What was opened there before it was marked. */
	app->look_for_open = true;
}

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

/* --- the loop's sources ------------------------------------------------------------------------
 */

static int drain(struct app *app)
{
	long r = sensor_drain(app->sensor);
	uint64_t now = app_boottime();

	if (r < 0) {
		log_line(SD_ERR, "the kernel's ring buffer cannot be read: %s", strerror((int)-r));
		feed_health(app, HEALTH_BLIND, "rings", "the kernel's ring buffer cannot be read");
		return sd_event_exit(app->loop, EX_OSERR);
	}
	if (r > 0)
		dumps_run(app->dumps);
	if (r > 0 || engine_next(app->engine) <= now)
		feed_tick(app, now);
	evidence_turn(app);
	return 0;
}

static int on_rings(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct epoll_event events[SENSOR_RING_NR];

	/* Take the readiness off the inner epoll, or the outer one stays ready. */
	(void)!epoll_wait(fd, events, SENSOR_RING_NR, 0);
	return drain(userdata);
}

static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct app *app = userdata;

	watcher_catch_up(app->watcher);
	devices_refresh(app->devices, policy_device_watch(app->policy));
	sd_event_source_set_time_relative(source, SETTLE_PERIOD);
	return drain(app);
}

/* Once for each time that it begins or ends. */
static void keep_trail(struct app *app)
{
	struct trail_store_stats st;
	char text[512];

	trail_store_flush(app->trail, app_realtime());
	trail_store_stats(app->trail, &st);
	if (st.damaged != app->trail_damaged) {
		app->trail_damaged = st.damaged;
		snprintf(text, sizeof(text),
			 "the trail's database was damaged: it is beside the new one as "
			 "trail.db.damaged, and the trail begins anew");
		log_line(SD_ERR, "%s", text);
		feed_health(app, HEALTH_DEGRADED, "trail-store", text);
	}
	if ((st.error[0] != '\0') == app->trail_failing)
		return;
	app->trail_failing = !app->trail_failing;
	snprintf(text, sizeof(text), "the trail cannot be written: %s",
		 app->trail_failing ? st.error : "it can again");
	log_line(app->trail_failing ? SD_ERR : SD_NOTICE, "%s", text);
	feed_health(app, app->trail_failing ? HEALTH_DEGRADED : HEALTH_OK, "trail-store", text);
}

static int on_second(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct app *app = userdata;

	feed_gaps(app);
	feed_clock(app);
	dumps_second(app->dumps);
	quota_second(app->quota);
	search_watch_second(app->search);
	homes_look(app->homes);
	slow_second(app->slow);
	evidence_second(app);
	if (app->look_for_open && app_boottime() - app->looked_ns > LOOK_PERIOD) {
		app->look_for_open = false;
		app->looked_ns = app_boottime();
		sensor_find_open(app->sensor);
	}
	for (int i = 0; i < SINKS_NR; i++)
		if (app->sinks[i])
			app->sinks[i]->ops->flush(app->sinks[i]);
	keep_trail(app);
	if (app->record_file)
		fflush(app->record_file);
	sd_event_source_set_time_relative(source, 1000 * MS);
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	reload_now(userdata, NULL);
	return 0;
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info,
			void *userdata)
{
	struct app *app = userdata;

	log_line(SD_NOTICE, "ended by signal %u from process %u", info->ssi_signo, info->ssi_pid);
	return sd_event_exit(app->loop, 0);
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

/* --- up and down -------------------------------------------------------------------------------
 */

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	/* A client or rsyslog that goes away is an error of write(), not our end. */
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int loop_start(struct app *app)
{
	int r = block_signals();

	if (r >= 0)
		r = sd_event_default(&app->loop);
	if (r >= 0)
		r = sd_event_add_signal(app->loop, NULL, SIGTERM, on_terminate, app);
	if (r >= 0)
		r = sd_event_add_signal(app->loop, NULL, SIGINT, on_terminate, app);
	if (r >= 0)
		r = sd_event_add_signal(app->loop, NULL, SIGHUP, on_hangup, app);
	return r < 0 ? r : 0;
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

/*
 * From here on those hooks are live that see reads: first marks, then the other hooks, then the
 * picture of what is there already, so that nothing falls between.
 */
static int watch_start(struct app *app)
{
	struct policy *policy = app->policy;
	int r;

	r = trust_new(identify_path, app, &app->trust);
	if (!r)
		r = devices_new(app->sensor, on_object, app, &app->devices);
	if (!r)
		r = watcher_new(&watcher_ops, app, &app->watcher);
	if (!r)
		r = slow_new(app->loop, app->watcher, &slow_ops, app, &app->slow);
	if (!r)
		r = identify_new(app->loop, app->watcher, &identify_ops, app, &app->identify);
	if (!r)
		r = scans_new(app, &app->scans);
	if (!r)
		r = dumps_new(app, &app->dumps);
	if (!r)
		r = search_watch_new(app, &app->search);
	if (!r)
		r = quota_new(app, &app->quota);
	if (!r)
		r = homes_new(app->loop, &homes_ops, app, &app->homes);
	if (!r)
		r = mounts_new(app->loop, on_mounted, app, &app->mounts);
	if (!r)
		r = programs_watch_new(app, &app->programs);
	if (!r && !(app->logins = logins_new(app)))
		r = -ENOMEM;
	if (r < 0)
		return r;
	r = trust_set_policy(app->trust, policy);
	if (!r)
		r = reload_apply(app, policy);
	if (!r)
		devices_refresh(app->devices, policy_device_watch(policy));
	if (r < 0)
		return r;
	app->watching_ns = app_boottime() - app->began_ns;
	sensor_complete(app->sensor);
	app->complete_ns = app_boottime() - app->began_ns;
	r = sensor_start_picture(app->sensor);
	return r < 0 ? r : 0;
}

static int sources_start(struct app *app)
{
	int r = sd_event_add_io(app->loop, &app->ring_source, sensor_fd(app->sensor), EPOLLIN,
				on_rings, app);

	if (r >= 0)
		r = sd_event_add_time_relative(app->loop, &app->settle_timer, CLOCK_MONOTONIC,
					       SETTLE_PERIOD, 10 * MS, on_settle, app);
	if (r >= 0)
		r = sd_event_source_set_enabled(app->settle_timer, SD_EVENT_ON);
	if (r >= 0)
		r = sd_event_add_time_relative(app->loop, &app->second_timer, CLOCK_MONOTONIC,
					       1000 * MS, 50 * MS, on_second, app);
	if (r >= 0)
		r = sd_event_source_set_enabled(app->second_timer, SD_EVENT_ON);
	if (r >= 0)
		r = sd_event_add_time_relative(app->loop, &app->rehome_timer, CLOCK_MONOTONIC,
					       REHOME_DELAY, 10 * MS, on_rehome, app);
	if (r >= 0)
		r = sd_event_source_set_enabled(app->rehome_timer, SD_EVENT_OFF);
	/* No priority for the rings: a flood that keeps them readable must not keep the timers, the
	 * sinks and the control socket from their turns. */
	return r < 0 ? r : 0;
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
	drain(userdata);
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

		if (hook->state != HOOK_MISSING)
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
	search_watch_free(app->search);
	app->search = NULL;
	mounts_free(app->mounts);
	slow_free(app->slow);
	devices_free(app->devices);
	homes_free(app->homes);
	logins_free(app->logins);
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
	{"watched files", watch_start},	   {"timers", sources_start},
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
