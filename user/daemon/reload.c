// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy, from files to force: read whole, swapped in one step, or refused with the old one
 * kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "control/server.h"
#include "daemon/app.h"
#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/evidence.h"
#include "daemon/homes.h"
#include "daemon/log.h"
#include "daemon/mounts.h"
#include "daemon/quota.h"
#include "daemon/search.h"
#include "daemon/slow.h"
#include "daemon/programs.h"
#include "trust/trust.h"
#include "engine/engine.h"
#include "policy/check.h"
#include "watch/watcher.h"

static void log_diags(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->nr; i++) {
		_cleanup_free_ char *line = diag_line(&diags->items[i]);

		log_line(diags->items[i].level == DIAG_ERROR ? SD_ERR : SD_WARNING, "%s",
			 line ? line : "out of memory");
	}
}

/* Settings that come into force at the next start only. */
static void warn_restart(const struct app *app, const struct policy *policy,
			 struct diag_list *diags)
{
	const struct settings *now = policy_settings(app->policy), *next = policy_settings(policy);
	const struct {
		const char *name;
		bool same;
	} settings[] = {
		{"sd_id", !strcmp(now->sd_id, next->sd_id)},
		{"syslog_socket", !strcmp(now->syslog_socket, next->syslog_socket)},
		{"syslog_fallback", !strcmp(now->syslog_fallback, next->syslog_fallback)},
		{"jsonl", !strcmp(now->jsonl, next->jsonl)},
		{"ring_critical_kib", now->ring_critical_kib == next->ring_critical_kib},
		{"ring_bulk_kib", now->ring_bulk_kib == next->ring_bulk_kib},
		{"marks_max", now->marks_max == next->marks_max},
		{"memory", now->memory == next->memory},
		{"canary_s", now->canary_s == next->canary_s},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (!settings[i].same)
			diag_add(
				diags, DIAG_WARNING, "settings", 0, 0,
				"%s is read at the start only: restart keytraild for the new value",
				settings[i].name);
	if (policy_judges(policy, ACTION_SEND) && !app->sends_seen)
		diag_add(diags, DIAG_WARNING, "settings", 0, 0,
			 "the probes at connects and sends are loaded at the start only: restart "
			 "keytraild for `on: send`");
}

/* The files given on the command line, or what is installed now. */
static int list_files(const struct app *app, struct diag_list *diags,
		      struct policy_files *out_files)
{
	struct policy_files files = {};

	if (!app->options.policy_files)
		return policy_default_files(diags, out_files);
	files.paths = calloc(app->options.nr_policy_files, sizeof(*files.paths));
	if (!files.paths)
		return -ENOMEM;
	for (; files.nr < app->options.nr_policy_files; files.nr++) {
		files.paths[files.nr] = strdup(app->options.policy_files[files.nr]);
		if (!files.paths[files.nr]) {
			policy_files_fini(&files);
			return -ENOMEM;
		}
	}
	*out_files = files;
	return 0;
}

static int read_files(struct app *app, struct diag_list *diags, struct policy **out_policy,
		      struct policy_files *out_files)
{
	struct policy_files files = {};
	int r = list_files(app, diags, &files);

	if (!r)
		r = policy_load((const char *const *)files.paths, files.nr, diags, out_policy);
	if (!r)
		policy_warn_exes(*out_policy, diags);
	if (r < 0)
		policy_files_fini(&files);
	else
		*out_files = files;
	return r;
}

int reload_read(struct app *app, struct policy **out_policy, struct policy_files *out_files)
{
	struct diag_list diags = {};
	int r = read_files(app, &diags, out_policy, out_files);

	log_diags(&diags);
	diag_list_fini(&diags);
	return r;
}

static int compile(struct app *app, const struct policy *policy, struct diag_list *diags,
		   struct watchset **out_set)
{
	const char *const *homes;
	size_t nr;

	homes = homes_list(app->homes, &nr);
	return watchset_compile(policy, homes, nr, app->next_state, diags, out_set);
}

/*
 * Once for each time that it begins or ends: any user can have all be walked again and again.
 * *told: whether it was so when it was last said.
 */
static void tell_state(struct app *app, bool *told, bool degraded, const char *what,
		       const char *text, const char *over)
{
	if (degraded != *told)
		feed_health(app, degraded ? HEALTH_DEGRADED : HEALTH_OK, what,
			    degraded ? text : over);
	*told = degraded;
}

/*
 * With `reads: exact` the probe on reads, where this kernel lets it. Where it does not, the engine
 * is told, and who comes by a file is told as with `reads: open`: nothing goes unseen for it.
 */
static void reads_on(struct app *app, bool on)
{
	int r = sensor_tell_reads(app->sensor, on);

	tell_state(app, &app->reads_failed, on && r < 0, "reads-exact",
		   r == -ESTALE ? "reads cannot be told one by one again before keytraild is "
				  "restarted: until then who opens is told"
				: "reads cannot be told one by one on this kernel: who opens is "
				  "told",
		   "reads are told one by one, or not asked for");
}

/* With an entry that has `on: link`, the probes on names. */
static void names_on(struct app *app, bool on)
{
	int r = sensor_tell_names(app->sensor, on);

	tell_state(app, &app->names_failed, r < 0, "names-told",
		   "hard links cannot be told on this kernel: renames are (`on: link`)",
		   "hard links are told, or not asked for");
}

/* Nobody asked about the executables that only the new policy names. */
static void ask_trust(void *ctx, struct event_access *a)
{
	struct app *app = ctx;

	if (a->exe_trust == EXE_UNKNOWN)
		a->exe_trust = trust_subject(app->trust, a->exe, a->exe_nlink, a->exe_mode,
					     a->exe_uid, &a->subject);
}

/* Puts `set` in force for `policy`; both are taken over if that succeeds. */
static int swap(struct app *app, struct policy *policy, struct watchset *set)
{
	struct watchset *old_set = app->set;
	struct policy *old_policy = app->policy;
	const bool exact = policy_settings(policy)->reads == READS_EXACT;
	const bool anew = policy != old_policy || !old_set;
	struct watcher_stats watched;
	uint64_t begun;
	/* What may fail comes before anything is of the new policy. */
	_cleanup_close_ int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0) {
		r = -errno;
		log_line(SD_ERR, "the root of the file system cannot be opened: %s", strerror(-r));
		return r;
	}
	/* Until one has made way for the other the programs of both are known: whichever of them
	 * judges an event, its programs were asked about. */
	r = policy != old_policy ? trust_add_policy(app->trust, policy) : 0;
	/* With the next policy's groups in the kernel, what appears by its states has them. */
	if (!r && anew)
		r = deny_prepare(app->deny, policy);
	if (r < 0)
		return r;
	r = sensor_load_watchset(app->sensor, set);
	if (r < 0) {
		sensor_unload_watchset(app->sensor, set);
		if (anew)
			deny_abandon(app->deny);
		return r;
	}
	/* What happened until now is judged by the old policy. */
	sensor_drain(app->sensor);
	/* On before the policy counts on it, off after: in between more is told, not less. */
	if (exact)
		reads_on(app, true);
	names_on(app, policy_judges(policy, ACTION_LINK));
	app->next_state += watchset_nr_states(set);
	app->set = set;
	app->policy = policy;
	if (policy != old_policy) {
		engine_ask_trust(app->engine, ask_trust, app);
		engine_set_policy(app->engine, policy);
		/* Without memory for that, the old one's programs stay known, too. */
		trust_set_policy(app->trust, policy);
		sensor_tell_anew(app->sensor);
		app->generation++;
		app->policy_loaded_ns = app_realtime();
	}
	if (anew)
		deny_switch(app->deny);
	if (!exact)
		reads_on(app, false);
	devices_forget_all(app->devices); /* the walk notes anew */
	dumps_set_policy(app->dumps);
	quota_set_policy(app->quota);
	if (anew)
		search_watch_policy(app->search);
	else
		search_watch_soon(app->search);
	slow_begin(app->slow);
	deny_hold(app->deny);
	begun = app_boottime();
	watcher_apply(app->watcher, set, root);
	mounts_each_slow(app->mounts, app_walk_slow, app);
	slow_end(app->slow);
	app_walked(app, begun, true);
	devices_refresh(app->devices, policy_device_watch(policy));
	if (anew)
		deny_retire(app->deny);
	else
		deny_settle(app->deny);
	if (policy != old_policy)
		watcher_each(app->watcher, app_retell, app);
	watcher_stats(app->watcher, &watched);
	tell_state(app, &app->bound_told, watched.bounded, "watch-bound",
		   "not everything that the policy names is watched: too many files, or "
		   "directories too deep",
		   "the walk of the file system came to its end: what the policy names is watched");
	if (old_set) {
		sensor_unload_watchset(app->sensor, old_set);
		watchset_free(old_set);
	}
	if (policy != old_policy)
		policy_free(old_policy);
	programs_watch_policy(app->programs);
	return 0;
}

static int apply(struct app *app, struct policy *policy, struct diag_list *diags)
{
	struct watchset *set = NULL;
	int r = compile(app, policy, diags, &set);

	if (!r)
		r = swap(app, policy, set);
	if (r < 0) {
		watchset_free(set);
		if (policy != app->policy)
			policy_free(policy);
	}
	return r;
}

int reload_apply(struct app *app, struct policy *policy)
{
	struct diag_list diags = {};
	int r = apply(app, policy, &diags);

	log_diags(&diags);
	diag_list_fini(&diags);
	return r;
}

int reload_homes(struct app *app)
{
	return reload_apply(app, app->policy);
}

/* Lines for who asked: docs/control.md. */
static json_t *result_json(const struct app *app, bool reloaded, const struct diag_list *diags)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < diags->nr; i++) {
		_cleanup_free_ char *line = diag_line(&diags->items[i]);

		json_array_append_new(lines, json_string(line ? line : "out of memory"));
	}
	return json_pack("{s:i, s:b, s:o}", "generation", (int)app->generation, "reloaded",
			 reloaded, reloaded ? "warnings" : "errors", lines);
}

int reload_now(struct app *app, json_t **out_result)
{
	struct policy_files files = {};
	struct diag_list diags = {};
	struct policy *policy = NULL;
	int r;

	sd_notify(0, "STATUS=Reloading the policy");
	if (app->control)
		control_server_look_for_group(app->control);
	r = read_files(app, &diags, &policy, &files);
	if (!r) {
		warn_restart(app, policy, &diags);
		r = apply(app, policy, &diags);
	}
	log_diags(&diags);
	if (!r) {
		policy_files_fini(&app->policy_files);
		app->policy_files = files;
	} else {
		policy_files_fini(&files);
	}
	if (r < 0) {
		log_line(SD_ERR, "policy not reloaded, generation %u stays in force",
			 app->generation);
		feed_health(app, HEALTH_DEGRADED, "policy-reload",
			    "a new policy was refused and the old one stays in force; the daemon's "
			    "log says why");
	} else {
		log_line(SD_NOTICE, "policy generation %u in force: %u watch entries",
			 app->generation, policy_nr_watches(app->policy));
		evidence_reload(app);
		feed_health(app, HEALTH_OK, "policy-reload", "a new policy is in force");
	}
	if (out_result)
		*out_result = result_json(app, !r, &diags);
	diag_list_fini(&diags);
	sd_notifyf(0, "STATUS=Policy generation %u in force", app->generation);
	return r;
}
