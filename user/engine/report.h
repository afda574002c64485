/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts an alert together: sentence, process with ancestry, object, id. Knows no state of its own.
 */
#pragma once

#include "access/settle.h"
#include "alert/alert.h"
#include "engine/objects.h"
#include "engine/verdicts.h"
#include "engine/images.h"
#include "engine/programs.h"
#include "engine/sessions.h"
#include "engine/users.h"
#include "policy/policy.h"
#include "proc/proctab.h"
#include "trail/rules.h"

/* What reports are made from. */
struct report {
	const char *host, *boot_id;
	int64_t wall_offset_ns;
	enum cmdline_mode cmdline;
	const struct proctab *processes;
	const struct users *users;
	const struct programs *programs;
	const struct sessions *sessions;
	struct images *images;
};

/*
 * The alert for an access. object and entry may be NULL (nothing is known of the object), answer
 * may not. All return a new alert, or NULL if out of memory.
 */
struct alert *report_access(const struct report *report, const struct settled *settled,
			    const struct object *object, const struct watch_entry *entry,
			    const struct policy_answer *answer);
/*
 * The same where bytes of a key are read outside of the key's zone; takes the strings of `breach`
 * over, also on failure.
 */
struct alert *report_breach(const struct report *report, const struct settled *settled,
			    const struct object *object, const struct watch_entry *entry,
			    const struct policy_answer *answer, struct alert_breach *breach);
/* The same for an access that may write, as one of an entry with `on: write`. */
struct alert *report_write(const struct report *report, const struct settled *settled,
			   const struct object *object, const struct watch_entry *entry,
			   const struct policy_answer *answer);
/* The same for another name that it was given, as one of an entry with `on: link`. */
struct alert *report_name(const struct report *report, const struct settled *s,
			  const struct object *object, const struct watch_entry *entry,
			  const struct policy_answer *answer);
/*
 * Who has read the object talks to another host, as `net` says. `settled`: who, as an access to the
 * object that has no `how`.
 */
struct alert *report_sent(const struct report *report, const struct settled *settled,
			  const struct event_net *net, const struct object *object,
			  const struct watch_entry *entry, const struct policy_answer *answer);
/*
 * Somebody can read memory that is not its own. proc: the subject in the table. entry: of the class
 * of memory, NULL = the policy has none.
 */
struct alert *report_memory(const struct report *report, const struct event *ev,
			    struct proc_ref proc, const struct objects *objects,
			    const struct policy *policy, const struct watch_entry *entry,
			    const struct policy_answer *answer);
const char *report_memory_attack(enum memory_how how);
struct alert *report_gap(const struct report *report, const struct event *ev);
enum severity report_gap_severity(struct span cause);
/* What somebody's deeds say together. exe, cgroup: empty = what the process table knows. */
struct alert *report_rule_alert(const struct report *report, enum trail_rule rule,
				const struct subject *subject, struct proc_ref proc,
				struct span exe, struct span cgroup, enum exe_trust exe_trust,
				uint32_t flags, uint64_t time);
/*
 * Alerts of a user are held back beyond his share: from now on (held 0), or so many were. start: of
 * the window, as the other times CLOCK_BOOTTIME ns.
 */
struct alert *report_held_back(const struct report *report, uint32_t user, uint64_t start,
			       uint64_t held, uint64_t first, uint64_t last);
struct alert *report_health(const struct report *report, const struct event *ev);

/*
 * EVENT_DUMP, EVENT_WRITTEN of a dump by a process that holds a key, EVENT_SETTING. proc: of the
 * event's subject.
 */
struct alert *report_dump(const struct report *report, const struct policy *policy,
			  const struct objects *objects, const struct event *ev,
			  struct proc_ref proc);
struct alert *report_written(const struct report *report, const struct policy *policy,
			     const struct objects *objects, const struct event *ev,
			     struct proc_ref proc);
struct alert *report_setting(const struct report *report, const struct policy *policy,
			     const struct objects *objects, const struct event *ev,
			     struct proc_ref proc);

/* EVENT_REFUSED. entry: of its watch entry, NULL = the policy has none of this name. */
struct alert *report_refused(const struct report *report, const struct objects *objects,
			     const struct event *ev, struct proc_ref proc,
			     const struct watch_entry *entry, const struct policy_answer *answer);

/*
 * EVENT_SCAN with a key, or of a dump that could not be scanned. crash: whose memory it is, NULL =
 * not known. proc: who wrote it.
 */
struct alert *report_scan(const struct report *report, const struct event *ev,
			  const struct dump_scan *scan, const struct crash *crash,
			  struct proc_ref proc);
/* What an alert about reading a dump says of it. NULL: it was never taken up. -ENOMEM. */
int report_scan_state(const struct dump_scan *scan, struct alert_scan *out);

/*
 * `count` more things like the one `like` is about, between first and last (CLOCK_BOOTTIME ns), as
 * a view on `like`: only *out_text is new and to be freed. -ENOMEM.
 */
int report_summary(const struct report *report, const struct alert *like, uint64_t count,
		   uint64_t first, uint64_t last, struct alert *out_alert, char **out_text);

/* Type of an alert about reading an object of this class, and the ATT&CK technique it is a case of.
 */
enum alert_type report_type(enum object_class object_class);
const char *report_attack(enum object_class object_class);
