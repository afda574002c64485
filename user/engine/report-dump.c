// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts about dumps of who holds a key, and about settings that decide on dumps. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/report-internal.h"
#include "engine/sentence.h"
#include "policy/policy.h"

static int fill_held(const struct policy *policy, const struct objects *objects,
		     const struct held *held, struct alert *alert)
{
	alert->nr_held_all = held->nr;
	for (size_t i = 0; i < HELD_MAX && held->key[i]; i++) {
		int r = report_key(policy, objects, held->key[i], &alert->held[alert->nr_held],
				   NULL);

		if (r < 0)
			return r;
		alert->nr_held++;
	}
	if (alert->nr_held_all < alert->nr_held)
		alert->nr_held_all = alert->nr_held;
	return 0;
}

static struct alert *finish(struct alert *alert, char *(*sentence)(const struct alert *alert))
{
	if (alert && alert->id[0] && report_fill_empty(alert))
		alert->text = sentence(alert);
	if (alert && alert->text)
		return alert;
	alert_free(alert);
	return NULL;
}

static struct report_subject subject_of_dump(const struct event *ev, struct proc_ref proc)
{
	return (struct report_subject){
		.proc = proc,
		.subject = &ev->dump.subject,
		.exe = ev->dump.exe,
		.args = ev->dump.args,
		.cgroup = ev->dump.cgroup,
		.exe_trust = ev->dump.exe_trust,
		.flags = ev->flags,
	};
}

struct alert *report_dump(const struct report *report, const struct policy *policy,
			  const struct objects *objects, const struct event *ev,
			  struct proc_ref proc)
{
	const struct event_dump *d = &ev->dump;
	const struct report_subject subject = subject_of_dump(ev, proc);
	struct alert *alert = report_new(report, ALERT_HOLDER_DUMPED, SEV_HIGH, ev->time);

	if (!alert)
		return NULL;
	alert->attack = "T1003"; /* OS Credential Dumping */
	alert->event_flags = ev->flags;
	alert->dump = (struct alert_dump){
		.how = dump_how_str(d->how),
		.path = report_escaped(d->path),
		.kind = "",
		.signal = d->signal,
		.dumpable = d->dumpable,
		.limit = d->limit,
		.listener = d->how == DUMP_SOCKET ? d->other_tgid : 0,
	};
	report_id(alert->id, "dump %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %s", report->boot_id,
		  d->subject.id.tgid, d->subject.id.start, d->subject.id.exec_id, alert->dump.how);
	if (report_processes(report, &subject, alert) ||
	    fill_held(policy, objects, &d->held, alert)) {
		alert_free(alert);
		return NULL;
	}
	return finish(alert, sentence_dump);
}

struct alert *report_written(const struct report *report, const struct policy *policy,
			     const struct objects *objects, const struct event *ev,
			     struct proc_ref proc)
{
	const struct event_written *w = &ev->written;
	const struct report_subject subject = {.proc = proc, .subject = &w->subject};
	struct alert *alert = report_new(report, ALERT_HOLDER_DUMPED, SEV_HIGH, ev->time);

	if (!alert)
		return NULL;
	alert->attack = "T1003";
	alert->event_flags = ev->flags;
	alert->dump = (struct alert_dump){
		.how = "written",
		.path = report_escaped(w->path),
		.kind = dump_kind_str(w->kind),
		.dumpable = 1,
		.limit = UINT64_MAX,
		.size = w->size,
	};
	report_id(alert->id, "dump %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32,
		  report->boot_id, w->subject.id.tgid, w->subject.id.start, w->subject.id.exec_id,
		  w->inode.ino, w->inode.dev);
	if (report_processes(report, &subject, alert) ||
	    fill_held(policy, objects, &w->held, alert)) {
		alert_free(alert);
		return NULL;
	}
	return finish(alert, sentence_dump);
}

static char *value_text(enum setting_what what, uint64_t value, struct span text)
{
	char number[32];

	if (what == SETTING_CORE_PATTERN)
		return report_escaped(text);
	if (what == SETTING_RLIMIT_CORE && value == UINT64_MAX)
		return strdup("unlimited");
	snprintf(number, sizeof(number), "%" PRIu64, value);
	return strdup(number);
}

struct alert *report_setting(const struct report *report, const struct policy *policy,
			     const struct objects *objects, const struct event *ev,
			     struct proc_ref proc)
{
	const struct event_setting *s = &ev->setting;
	const struct report_subject subject = {
		.proc = proc,
		.subject = &s->subject,
		.exe = s->exe,
		.args = s->args,
		.cgroup = s->cgroup,
		.exe_trust = s->exe_trust,
		.flags = ev->flags,
	};
	struct alert *alert = report_new(report, ALERT_DUMP_SETTING, SEV_MEDIUM, ev->time);

	if (!alert)
		return NULL;
	alert->attack = "T1003";
	alert->event_flags = ev->flags;
	alert->setting = (struct alert_setting){
		.name = setting_what_str(s->what),
		.old_value = value_text(s->what, s->old_value, s->old_text),
		.value = value_text(s->what, s->value, s->text),
		.pid = s->target_tgid,
	};
	report_id(alert->id, "setting %s %s %" PRIu32 " %" PRIu64, report->boot_id,
		  alert->setting.name, s->subject.id.tgid, ev->time);
	if ((s->subject.id.tgid && report_processes(report, &subject, alert)) ||
	    fill_held(policy, objects, &s->held, alert)) {
		alert_free(alert);
		return NULL;
	}
	/* Found changed: nobody saw who did it. */
	if (!s->subject.id.tgid)
		alert->evidence = "inferred";
	return finish(alert, sentence_setting);
}
