/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report files share; nobody else includes this. */
#pragma once

#include "base/cleanup.h"
#include "engine/report.h"

/* An alert with nothing in it but what every alert has. NULL: out of memory. */
struct alert *report_new(const struct report *report, enum alert_type type, enum severity severity,
			 uint64_t time);

/* Strings that an alert of this type has nothing to say in become empty, never NULL. False: out of
 * memory, or a string that must be there is not. */
bool report_fill_empty(struct alert *alert);

/* An id over what makes this alert this one; "" if out of memory. */
void report_id(char out_id[33], const char *fmt, ...) _printf_(2, 3);

char *report_escaped(struct span bytes);
char *report_user(const struct report *report, uint32_t uid); /* its name, or the number */

/* A key that a process has read, as far as it is known what it is; *out_noun (may be NULL): "a
 * private key". -ENOMEM. */
int report_key(const struct policy *policy, const struct objects *objects, uint64_t number,
	       struct alert_key *out_key, const char **out_noun);

char *report_exe(const struct proc_info *info); /* path; [name] of a kernel thread */
char *report_args(const struct report *report, struct span args, bool truncated);
char *report_rule(const struct policy_answer *answer); /* with file and line */

/* A process as its event tells it. */
struct report_subject {
	struct proc_ref proc;
	const struct subject *subject;
	struct span exe, args, cgroup; /* empty: what the process table knows */
	enum exe_trust exe_trust;
	uint32_t flags; /* enum event_flags */
};

/* Who: the process with its ancestry, its login, unit and container. -ENOMEM. */
int report_processes(const struct report *report, const struct report_subject *subject,
		     struct alert *alert);
