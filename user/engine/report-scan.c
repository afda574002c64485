// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts about dumps that were scanned, and what an alert about reading one says of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/report-internal.h"
#include "engine/sentence.h"
#include "proc/cgroup.h"

int report_scan_state(const struct dump_scan *scan, struct alert_scan *out)
{
	out->state = scan_state_str(scan ? scan->state : SCANSTATE_UNSCANNED);
	out->cause = scan_cause_str(scan ? scan->cause : SCANCAUSE_NONE);
	if (!scan)
		return 0;
	out->digests = scan->digests;
	out->keys = scan->keys;
	for (uint32_t i = 0; i < scan->nr; i++) {
		const struct scan_key *from = &scan->items[i];
		struct alert_scan_key *to = &out->items[out->nr++];

		to->severity = (enum severity)from->severity;
		to->bits = from->bits;
		to->places = from->places;
		to->offset = from->offset;
		to->expired = from->expired;
		to->key = from->key;
		to->class = strdup(from->class);
		to->what = strdup(from->what);
		to->label = strdup(from->label);
		to->zone = strdup(from->zone);
		if (!to->class || !to->what || !to->label || !to->zone)
			return -ENOMEM;
	}
	return 0;
}

static char *told(struct span text)
{
	char out[1100];

	verdicts_text(text, out, sizeof(out));
	return strdup(out);
}

static int fill(const struct event_scan *ev, const struct crash *crash, struct alert_scan *scan)
{
	struct cgroup_name group = {0};

	scan->path = report_escaped(ev->path);
	scan->container = report_escaped(ev->container);
	scan->unseen = report_escaped(ev->flags);
	scan->command = told(ev->dump_command);
	scan->exe = told(ev->dump_exe);
	scan->size = ev->size;
	scan->bytes = ev->bytes;
	scan->took_ms = ev->took / 1000000;
	scan->pid = ev->dump_pid;
	scan->signal = ev->dump_signal;
	if (crash)
		cgroup_parse((struct span){crash->cgroup, crash->cgroup_len}, &group);
	scan->holder_pid = crash ? crash->pid : 0;
	scan->holder_exe =
		crash ? report_escaped((struct span){crash->exe, crash->exe_len}) : strdup("");
	scan->holder_unit = strdup(crash ? group.unit : "");
	return scan->path && scan->container && scan->unseen && scan->command && scan->exe &&
			       scan->holder_exe && scan->holder_unit
		       ? 0
		       : -ENOMEM;
}

static enum severity severity_of(const struct event_scan *ev, const struct dump_scan *scan)
{
	enum severity worst = SEV_INFO;

	/* Nothing is known of it, but that its writer had read a key. */
	if (scan->state != SCANSTATE_KEY)
		return ev->held.nr ? SEV_MEDIUM : SEV_LOW;
	for (uint32_t i = 0; i < scan->nr; i++)
		if (scan->items[i].severity > worst)
			worst = (enum severity)scan->items[i].severity;
	return worst;
}

/* Tokens only are credentials in a file; else there is a private key among it. */
static const char *attack_of(const struct dump_scan *scan)
{
	if (scan->state != SCANSTATE_KEY)
		return "";
	for (uint32_t i = 0; i < scan->nr; i++)
		if (strcmp(scan->items[i].what, "token") != 0)
			return "T1552.004"; /* Unsecured Credentials: Private Keys */
	return "T1552.001"; /* Unsecured Credentials: Credentials In Files */
}

struct alert *report_scan(const struct report *report, const struct event *ev,
			  const struct dump_scan *scan, const struct crash *crash,
			  struct proc_ref proc)
{
	const struct event_scan *s = &ev->scan;
	const struct report_subject subject = {.proc = proc, .subject = &s->subject};
	const enum alert_type type =
		s->state == SCANSTATE_KEY ? ALERT_DUMP_WITH_KEY : ALERT_DUMP_UNSCANNED;
	struct alert *alert = report_new(report, type, severity_of(s, scan), ev->time);

	if (!alert)
		return NULL;
	alert->attack = attack_of(scan);
	report_id(alert->id, "scan %s %s %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64,
		  report->boot_id, alert_type_str(type), s->inode.ino, s->inode.dev, s->inode.gen,
		  ev->time);
	if (report_scan_state(scan, &alert->scan) || fill(s, crash, &alert->scan) ||
	    (s->subject.id.tgid && report_processes(report, &subject, alert)) || !alert->id[0] ||
	    !report_fill_empty(alert))
		goto fail;
	alert->text = sentence_scan(alert);
	if (alert->text)
		return alert;
fail:
	alert_free(alert);
	return NULL;
}
