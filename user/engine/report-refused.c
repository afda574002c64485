// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts about opens that came to nothing: who, which name, and why it was refused. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/report-internal.h"
#include "engine/sentence.h"

static const char *error_word(uint32_t error)
{
	switch (error) {
	case EPERM:
		return "EPERM";
	case ENOENT:
		return "ENOENT";
	default:
		return "EACCES";
	}
}

static uint32_t wanted_mode(uint32_t open_flags, bool denied)
{
	/* To empty a file is to write, and is refused as that. */
	if (denied && open_flags & O_TRUNC && (open_flags & O_ACCMODE) == O_RDONLY)
		return ACCESS_M_READ | ACCESS_M_WRITE;
	switch (open_flags & O_ACCMODE) {
	case O_WRONLY:
		return ACCESS_M_WRITE;
	case O_RDWR:
		return ACCESS_M_READ | ACCESS_M_WRITE;
	default:
		return ACCESS_M_READ;
	}
}

/* A program that the policy allows, or may allow, was kept from its work: that is no theft. */
static enum severity denied_severity(const struct watch_entry *entry,
				     const struct policy_answer *answer)
{
	const bool theft = answer->reason != REASON_ALLOWED && answer->reason != REASON_EXPECTED &&
			   !answer->pending;

	return theft || entry->severity < SEV_MEDIUM ? entry->severity : SEV_MEDIUM;
}

struct alert *report_refused(const struct report *report, const struct objects *objects,
			     const struct event *ev, struct proc_ref proc,
			     const struct watch_entry *entry, const struct policy_answer *answer)
{
	const struct event_refused *r = &ev->refused;
	const struct object *object = r->object ? objects_find(objects, r->object) : NULL;
	const struct report_subject subject = {
		.proc = proc,
		.subject = &r->subject,
		.exe = r->exe,
		.args = r->args,
		.cgroup = r->cgroup,
		.exe_trust = r->exe_trust,
		.flags = ev->flags,
	};
	const bool denied = ev->flags & EVENT_DENIED;
	struct alert *alert = denied ? report_new(report, ALERT_ACCESS_DENIED,
						  denied_severity(entry, answer), ev->time)
				     : report_new(report, ALERT_ACCESS_REFUSED, SEV_LOW, ev->time);
	const struct key_identity *key;
	const char *noun;

	if (!alert)
		return NULL;
	alert->refused = error_word(r->error);
	/* Looking for names is discovery; a key that is there was to be read. */
	alert->attack = r->error == ENOENT ? "T1083" : report_attack(entry->object_class);
	alert->count = 1 + (uint64_t)r->more;
	alert->object = r->object ? r->object : UINT64_MAX;
	alert->object_class = object_class_str(entry->object_class);
	alert->owner = r->owner;
	alert->how = ACCESS_OPEN;
	alert->mode = wanted_mode(r->open_flags, denied);
	alert->event_flags = ev->flags;
	key = object ? object_key(object, ev->time) : NULL;
	if (key) {
		alert->key_known = true;
		alert->key = *key;
	}
	alert->owner_user = report_user(report, r->owner);
	alert->path = report_escaped(r->path);
	alert->watch = report_escaped(span_of(entry->name));
	alert->rule = report_rule(answer);
	if (denied)
		report_id(alert->id, "denied %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %s %s",
			  report->boot_id, r->subject.id.tgid, r->subject.id.start,
			  r->subject.id.exec_id, alert->watch ? alert->watch : "",
			  alert->path ? alert->path : "");
	else
		report_id(alert->id, "refused %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %s %s",
			  report->boot_id, r->subject.id.tgid, r->subject.id.start,
			  r->subject.id.exec_id, alert->watch ? alert->watch : "", alert->refused);
	if (report_processes(report, &subject, alert) || !alert->id[0] || !alert->path ||
	    !alert->watch || !alert->rule || !report_fill_empty(alert))
		goto fail;
	noun = object_class_noun(entry->object_class);
	alert->text = denied ? sentence_denied(alert, noun, answer)
			     : sentence_refused(alert, noun, answer->why);
	if (!alert->text)
		goto fail;
	return alert;
fail:
	alert_free(alert);
	return NULL;
}
