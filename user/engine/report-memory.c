// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts about memory: who can read it, whose it is, and what keys that one has read. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/report-internal.h"
#include "engine/sentence.h"

const char *report_memory_attack(enum memory_how how)
{
	switch (how) {
	case MEMORY_ATTACH:
	case MEMORY_TRACED:
	case MEMORY_PEEK:
		return "T1055.008"; /* Process Injection: Ptrace System Calls */
	case MEMORY_PROC_MEM:
	case MEMORY_ENVIRON:
		return "T1003.007"; /* OS Credential Dumping: Proc Filesystem */
	default:
		return "T1003"; /* OS Credential Dumping */
	}
}

/* Its program is known from its start, if that was not lost. */
static int fill_target(const struct report *report, const struct event_memory *m,
		       struct alert *alert)
{
	struct alert_process *target = &alert->target;
	struct proc_info info = {};

	if (!m->target.id.tgid)
		return 0;
	proctab_info(report->processes, proctab_find(report->processes, &m->target.id), &info);
	target->pid = m->target.id.tgid;
	target->start = m->target.id.start;
	target->uid = m->target.uid;
	target->user = report_user(report, m->target.uid);
	target->exe = report_exe(&info);
	target->args = report_args(report, str_span(info.args), info.args_truncated);
	return target->user && target->exe && target->args ? 0 : -ENOMEM;
}

static int fill_keys(const struct event_memory *m, const struct objects *objects,
		     const struct policy *policy, struct alert *alert,
		     const char *nouns[static EVENT_KEYS_MAX])
{
	alert->keys_read = m->nr_keys;
	for (size_t i = 0; i < EVENT_KEYS_MAX; i++) {
		int r;

		if (!m->keys[i])
			continue;
		r = report_key(policy, objects, m->keys[i], &alert->keys[alert->nr_keys],
			       &nouns[alert->nr_keys]);
		if (r < 0)
			return r;
		alert->nr_keys++;
	}
	return 0;
}

struct alert *report_memory(const struct report *report, const struct event *ev,
			    struct proc_ref proc, const struct objects *objects,
			    const struct policy *policy, const struct watch_entry *entry,
			    const struct policy_answer *answer)
{
	const struct event_memory *m = &ev->memory;
	const struct report_subject subject = {
		.proc = proc,
		.subject = &m->subject,
		.exe = m->exe,
		.args = m->args,
		.cgroup = m->cgroup,
		.exe_trust = m->exe_trust,
		.flags = ev->flags,
	};
	struct alert *alert = report_new(report, ALERT_MEMORY_READ,
					 entry ? entry->severity : SEV_MEDIUM, ev->time);
	const char *nouns[EVENT_KEYS_MAX] = {};

	if (!alert)
		return NULL;
	alert->attack = report_memory_attack(m->how);
	alert->memory_how = m->how;
	alert->event_flags = ev->flags;
	alert->watch = entry ? report_escaped(span_of(entry->name)) : strdup("");
	alert->rule = report_rule(answer);
	report_id(alert->id,
		  "memory %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64
		  " %u %" PRIu32,
		  report->boot_id, m->subject.id.tgid, m->subject.id.start, m->subject.id.exec_id,
		  m->target.id.tgid, m->target.id.start, m->target.id.exec_id, (unsigned)m->how,
		  m->nr_keys);
	if (report_processes(report, &subject, alert) || fill_target(report, m, alert) ||
	    fill_keys(m, objects, policy, alert, nouns) || !alert->id[0] ||
	    !report_fill_empty(alert))
		goto fail;
	alert->text = sentence_memory(alert, nouns, answer->why);
	if (!alert->text)
		goto fail;
	return alert;
fail:
	alert_free(alert);
	return NULL;
}
