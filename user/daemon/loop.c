// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's loop: what wakes it, and what it does then. */
#include "daemon/app.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>

#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/evidence.h"
#include "daemon/homes.h"
#include "daemon/log.h"
#include "daemon/quota.h"
#include "daemon/search.h"
#include "daemon/slow.h"
#include "engine/engine.h"
#include "trail/store.h"
#include "watch/watcher.h"

#define MS 1000ULL /* in the loop's microseconds */

/* Lifecycle records do not wake us: fetch them this often, and let what is pending settle. */
#define SETTLE_PERIOD (100 * MS)

/* All open files of the host are gone through at most this often, ns. */
#define LOOK_PERIOD 5000000000ULL

/* Homes that become known together (a class logs in) are one rescan. */
#define REHOME_DELAY (200 * MS)

int loop_drain(struct app *app)
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
	return loop_drain(userdata);
}

static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct app *app = userdata;

	watcher_catch_up(app->watcher);
	devices_refresh(app->devices, policy_device_watch(app->policy));
	sd_event_source_set_time_relative(source, SETTLE_PERIOD);
	return loop_drain(app);
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
	if (watcher_has_strays(app->watcher))
		app_walk_for_lost(app);
	feed_clock(app);
	dumps_second(app->dumps);
	deny_second(app->deny);
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

static int on_rehome(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct app *app = userdata;
	uint64_t begun = app_boottime();
	int r = reload_homes(app);

	if (r >= 0)
		return 0;
	log_line(SD_ERR, "homes that became known are not watched: %s", strerror(-r));
	/* What was to be looked for is looked for later. */
	app_walked(app, begun, false);
	return 0;
}

/* One that is to come sooner, for something else, does as well. */
static void walk_in(struct app *app, uint64_t delay_us)
{
	uint64_t now, at;
	int on = SD_EVENT_OFF;

	if (!app->rehome_timer)
		return; /* still starting */
	sd_event_source_get_enabled(app->rehome_timer, &on);
	if (on != SD_EVENT_OFF && sd_event_now(app->loop, CLOCK_MONOTONIC, &now) >= 0 &&
	    sd_event_source_get_time(app->rehome_timer, &at) >= 0 && at <= now + delay_us)
		return;
	sd_event_source_set_time_relative(app->rehome_timer, delay_us);
	sd_event_source_set_enabled(app->rehome_timer, SD_EVENT_ONESHOT);
}

void app_walk_soon(struct app *app)
{
	walk_in(app, REHOME_DELAY);
}

void app_walk_for_lost(struct app *app)
{
	uint64_t delay = rewalk_lost(&app->rewalk, app_boottime() / 1000);

	walk_in(app, delay > REHOME_DELAY ? delay : REHOME_DELAY);
}

void app_walked(struct app *app, uint64_t begun_ns, bool done)
{
	const uint64_t now = app_boottime();
	struct rewalk_seen seen = {.now = now / 1000, .took = (now - begun_ns) / 1000};
	struct watcher_stats watched;
	uint64_t delay;

	watcher_stats(app->watcher, &watched);
	if (done) {
		seen.settled = !watched.missed && !watched.disturbed;
		seen.bounded = watched.bounded;
	}
	delay = rewalk_after(&app->rewalk, &seen);
	if (delay)
		walk_in(app, delay);
}

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

int loop_start(struct app *app)
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

int loop_sources_start(struct app *app)
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
	/* The first walk, too, may have been one while names were moved. */
	if (r >= 0 && app->rewalk.after)
		r = sd_event_source_set_time_relative(app->rehome_timer, app->rewalk.after);
	if (r >= 0)
		r = sd_event_source_set_enabled(app->rehome_timer, app->rewalk.after
									   ? SD_EVENT_ONESHOT
									   : SD_EVENT_OFF);
	/* No priority for the rings: a flood that keeps them readable must not keep the timers, the
	 * sinks and the control socket from their turns. */
	return r < 0 ? r : 0;
}
