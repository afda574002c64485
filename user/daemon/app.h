/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as one value: what main.c makes, and the parts of it that its files hand each other.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-event.h>

#include "daemon/rewalk.h"
#include "model/event.h"
#include "policy/check.h"
#include "policy/watchset.h"
#include "sensor/sensor.h"
#include "sinks/sink.h"

struct canary;
struct control_server;
struct deny;
struct devices;
struct dumps;
struct engine;
struct homes;
struct journal;
struct identify;
struct images_watch;
struct logins;
struct mounts;
struct programs_watch;
struct scans;
struct search_watch;
struct quota;
struct slow;
struct trace_writer;
struct trail_store;
struct trust;
struct watcher;

enum { SINK_STORE, SINK_SYSLOG, SINK_JSONL, SINKS_NR };

struct app_options {
	char **policy_files; /* owned by main; NULL: the default ones, looked up at each (re)load */
	size_t nr_policy_files;
	const char *record; /* trace to write, NULL = none */
};

struct app {
	struct app_options options;
	sd_event *loop;
	sd_event_source *ring_source, *settle_timer, *second_timer, *rehome_timer;

	struct policy *policy;
	struct policy_files policy_files; /* it was read from */
	struct watchset *set;
	uint32_t generation; /* of the policy, from 1 */
	struct rewalk rewalk;
	uint32_t next_state; /* first state number of the next watchset */
	uint64_t policy_loaded_ns; /* CLOCK_REALTIME */

	struct sensor *sensor;
	struct watcher *watcher;
	struct trust *trust;
	struct programs_watch *programs;
	struct homes *homes;
	struct logins *logins;
	struct images_watch *images;
	struct mounts *mounts;
	struct slow *slow;
	struct deny *deny;
	struct devices *devices;
	struct identify *identify;
	struct canary *canary; /* NULL: the policy says not to test */
	struct dumps *dumps;
	struct scans *scans;
	struct search_watch *search;
	struct quota *quota;
	struct engine *engine;
	struct sink *sinks[SINKS_NR];
	struct journal *journal; /* the evidence log; daemon/evidence.h */
	uint64_t heartbeat_ns; /* last sent, CLOCK_BOOTTIME */
	const char *journal_fault; /* told last, static; NULL = none */
	struct trail_store *trail;
	unsigned trail_damaged; /* databases of it that were moved aside, as told */
	bool trail_failing; /* that it cannot be written was told */
	struct control_server *control;
	FILE *record_file;
	struct trace_writer *record;

	struct sensor_stats stats; /* as last looked at: what is more by now is a gap */
	uint64_t stats_time; /* CLOCK_BOOTTIME ns */
	uint64_t started_ns; /* CLOCK_REALTIME */
	uint64_t began_ns; /* the same, CLOCK_BOOTTIME */
	/* After that many ns: reads are seen; what is to be watched is marked; all hooks are live;
	 * all that was there is known. */
	uint64_t hooks_live_ns, watching_ns, complete_ns, ready_ns;
	uint64_t unmatched; /* refused names that the kernel's form of a pattern matches, and the
			       policy not */
	uint64_t strangers; /* accesses to another inode with a marked one's number */
	bool reads_failed; /* `reads: exact` was asked for, and could not be had */
	bool up; /* READY was said */
	bool names_failed; /* hard links are asked for and cannot be told */
	bool bound_told; /* that a walk came to its bound was told */
	bool sends_seen; /* the probes at connects and sends were wanted at the start */
	bool look_for_open; /* a file that may be open was renamed to a watched name */
	uint64_t looked_ns; /* for such, last; CLOCK_BOOTTIME */
	uint64_t events; /* fed to the engine */
	uint64_t record_errors;
	int64_t wall_offset; /* CLOCK_REALTIME - CLOCK_BOOTTIME, ns */
};

/* CLOCK_BOOTTIME and CLOCK_REALTIME in ns. */
uint64_t app_boottime(void);
uint64_t app_realtime(void);

/* CLOCK_REALTIME - CLOCK_BOOTTIME, ns. */
int64_t app_wall_offset(void);

/* Sets up and runs until a signal or a fatal error. Returns the process's exit status. */
int app_run(const struct app_options *options);

/* watching.c: what is watched, set up and marked. */
int watching_start(struct app *app);

/* In the midst of long work, now and then: it goes on. */
void app_alive(const struct app *app);

/* For watcher_each(): tells the engine an object and its key once more. */
struct watched;
void app_retell(void *userdata, const struct watched *watched);

/* For mounts_each_slow(): has a place walked by a child if a pattern leads there. */
void app_walk_slow(void *userdata, const char *path);

/* loop.c: the loop with its signals; then, with all parts there, what wakes it. Negative errno. */
int loop_start(struct app *app);
int loop_sources_start(struct app *app);
int loop_drain(struct app *app); /* all that the kernel has told; ends the loop if it cannot */

/* Walks all watched names again, a moment from now. */
void app_walk_soon(struct app *app);

/* The same for records, or marks, that were lost: at once, and by and by if that goes on. */
void app_walk_for_lost(struct app *app);

/*
 * After a walk, which began then (CLOCK_BOOTTIME): has another one come if that one could not be
 * sure of what it saw. done: it was made at all.
 */
void app_walked(struct app *app, uint64_t begun_ns, bool done);

/* feed.c: from the sensor and from the daemon's own knowledge into trace and engine. */
void feed_sensor_event(const struct event *event, void *userdata);
void feed(struct app *app, const struct event *event);
void feed_health(struct app *app, enum health_level level, const char *what, const char *text);
void feed_gaps(struct app *app);
void feed_tick(struct app *app, uint64_t now);
void feed_clock(struct app *app); /* tells a step of the wall clock */

/* reload.c: the policy, from files to force. */
int reload_read(struct app *app, struct policy **out_policy,
		struct policy_files *out_files); /* logs */
int reload_apply(struct app *app, struct policy *policy); /* takes it over, also on failure */
int reload_homes(struct app *app); /* same policy, homes have changed */
int reload_now(struct app *app, json_t **out_result); /* SIGHUP and the control socket */

/* status.c */
int status_json(struct app *app, json_t **out_status);

/* holders.c */
int holders_json(struct app *app, json_t **out_holders);
