// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's evidence log. */
#include "daemon/evidence.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "daemon/log.h"
#include "journal/journal.h"
#include "journal/policy-digest.h"
#include "trail/store.h"

#define MIB (1024ULL * 1024)

static uint64_t wall_now(const struct app *app)
{
	return app_boottime() + (uint64_t)app->wall_offset;
}

static void on_access(void *ctx, const struct evidence *evidence)
{
	struct app *app = ctx;
	struct body body;

	body_access(&body, evidence);
	/* The time of the record; that of the access stands in it. */
	journal_append(app->journal, JOURNAL_ACCESS, &body, wall_now(app));
}

static void on_gap(void *ctx, const struct evidence_gap *gap)
{
	struct app *app = ctx;
	struct body body;

	body_gap(&body, gap);
	journal_append(app->journal, JOURNAL_GAP, &body, wall_now(app));
}

const struct engine_evidence evidence_ops = {on_access, on_gap};

static void put_policy(const struct app *app, struct body *body)
{
	uint8_t digest[LINE_HASH];
	struct buf names;

	if (policy_digest(app->policy, digest))
		body_hash(body, "policy_sha256", digest);
	body_number(body, "generation", app->generation);
	buf_init(&names, 0);
	for (size_t i = 0; i < app->policy_files.nr; i++)
		if (buf_appendf(&names, "%s%s", i ? " " : "", app->policy_files.paths[i]) < 0)
			break;
	body_bytes(body, "policy_files", (struct span){names.p, names.len});
	buf_fini(&names);
}

int evidence_start(struct app *app)
{
	const struct journal_settings *set = &policy_settings(app->policy)->journal;
	const struct journal_options options = {
		.dir = KT_STATEDIR "/evidence",
		.max_bytes = set->max_size_mib * MIB,
		.keep_days = set->keep_days,
		.thread = true,
	};
	struct utsname uts = {};
	struct body body;
	int r = journal_new(&options, &app->journal);

	if (r < 0)
		return r;
	app->wall_offset = app_wall_offset();
	uname(&uts);
	body_init(&body);
	body_text(&body, "version", KEYTRAIL_VERSION);
	body_number(&body, "pid", (uint64_t)getpid());
	body_bytes(&body, "kernel", span_of(uts.release));
	put_policy(app, &body);
	journal_append(app->journal, JOURNAL_START, &body, wall_now(app));
	journal_sync(app->journal, wall_now(app)); /* what fails is told in a second */
	app->heartbeat_ns = app_boottime();
	return 0;
}

void evidence_alert(struct app *app, struct alert *alert)
{
	struct journal_head head;
	struct body body;

	body_alert(&body, alert);
	if (journal_append(app->journal, JOURNAL_ALERT, &body, wall_now(app)) < 0)
		return;
	/* No head leaves the host for a record that a crash takes back. */
	if (journal_flush(app->journal, wall_now(app)) < 0)
		return;
	journal_head(app->journal, &head);
	alert->chain_seq = head.seq;
	line_hex(head.hash, alert->chain_head);
}

void evidence_turn(struct app *app)
{
	journal_tick(app->journal, wall_now(app), app_boottime());
}

/* A fault is told once, and once when it is over. */
static void tell_fault(struct app *app)
{
	const char *what = NULL;
	int error = journal_fault(app->journal, &what);
	char text[512];

	if (what == app->journal_fault)
		return;
	app->journal_fault = what;
	if (!what) {
		log_line(SD_NOTICE, "the evidence log is written again");
		feed_health(app, HEALTH_OK, "journal", "the evidence log is written again");
		return;
	}
	snprintf(text, sizeof(text),
		 "the evidence log in " KT_STATEDIR
		 "/evidence %s: %s; alerts go out all the same, what cannot be recorded is counted",
		 what, strerror(-error));
	log_line(SD_ERR, "%s", text);
	feed_health(app, HEALTH_DEGRADED, "journal", text);
}

static void heartbeat(struct app *app)
{
	char host[65] = "", hex[LINE_HEX + 1];
	const char *fault = NULL;
	struct journal_head head;
	struct engine_stats stats;
	struct heartbeat beat = {.time_ns = wall_now(app),
				 .host = host,
				 .chain_head = hex,
				 .fault = ""};

	gethostname(host, sizeof(host) - 1);
	engine_stats(app->engine, &stats);
	beat.alerts = stats.alerts;
	/* The head must be one that a crash of this process does not take back. */
	journal_flush(app->journal, beat.time_ns);
	journal_head(app->journal, &head);
	line_hex(head.hash, hex);
	if (journal_fault(app->journal, &fault))
		beat.fault = fault;
	if (journal_writes(app->journal))
		beat.chain_seq = head.seq;
	for (int i = 0; i < SINKS_NR; i++)
		if (app->sinks[i] && app->sinks[i]->ops->heartbeat)
			app->sinks[i]->ops->heartbeat(app->sinks[i], &beat);
	app->heartbeat_ns = app_boottime();
}

void evidence_second(struct app *app)
{
	const uint64_t period = policy_settings(app->policy)->heartbeat_s * 1000000000ULL;

	tell_fault(app);
	if (period && app_boottime() - app->heartbeat_ns >= period)
		heartbeat(app);
}

void evidence_clock(struct app *app, int64_t new_offset)
{
	const uint64_t boot = app_boottime();
	struct body body;

	body_init(&body);
	body_time(&body, "from", boot + (uint64_t)app->wall_offset);
	body_time(&body, "to", boot + (uint64_t)new_offset);
	journal_append(app->journal, JOURNAL_CLOCK, &body, boot + (uint64_t)new_offset);
}

void evidence_reload(struct app *app)
{
	const struct journal_settings *set = &policy_settings(app->policy)->journal;
	struct body body;

	journal_limits(app->journal, set->max_size_mib * MIB, set->keep_days);
	trail_store_keep(app->trail, policy_settings(app->policy)->trail_keep_days);
	body_init(&body);
	put_policy(app, &body);
	journal_append(app->journal, JOURNAL_RELOAD, &body, wall_now(app));
	journal_sync(app->journal, wall_now(app));
}

void evidence_stop(struct app *app)
{
	struct body body;

	body_init(&body);
	body_text(&body, "version", KEYTRAIL_VERSION);
	journal_append(app->journal, JOURNAL_STOP, &body, wall_now(app));
	journal_sync(app->journal, wall_now(app));
	if (policy_settings(app->policy)->heartbeat_s)
		heartbeat(app); /* with the last head there is */
}

json_t *evidence_json(const struct app *app, json_t *warnings)
{
	char hex[LINE_HEX + 1];
	const char *what = NULL;
	struct journal_stats s;
	struct journal_head head;
	int error = journal_fault(app->journal, &what);

	journal_stats(app->journal, &s);
	journal_head(app->journal, &head);
	line_hex(head.hash, hex);
	if (error)
		json_array_append_new(warnings, json_sprintf("the evidence log %s: %s", what,
							     strerror(-error)));
	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I}", "seq", (json_int_t)head.seq, "head",
			 hex, "written", (json_int_t)s.written, "waiting", (json_int_t)s.waiting,
			 "lost", (json_int_t)s.lost, "segments", (json_int_t)s.segments, "bytes",
			 (json_int_t)s.bytes);
}
