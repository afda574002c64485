// SPDX-License-Identifier: GPL-2.0-or-later
/* Alerts about deeds that say something together only. */
#include <inttypes.h>
#include <string.h>

#include "engine/report-internal.h"
#include "engine/sentence.h"

static const struct {
	const char *what, *attack;
} rules[RULE_NR] = {
	[RULE_MANY_KEYS] =
		{"is the latest of one login, or one unit, that read 5 keys within 60 s, "
		 "which the policy allows none of",
		 "T1552.004"},
	[RULE_FIRST_READER] = {"is the first that was seen to read a key which the policy does not "
			       "let it read, as far back as the trail goes",
			       "T1552.004"},
	/* Exfiltration Over Alternative Protocol is more than is known; the key is what counts. */
	[RULE_READ_THEN_CONNECT] =
		{"has read a key that the policy does not let it read, and talks "
		 "to another host",
		 "T1552.004"},
	[RULE_ARCHIVE_THEN_CONNECT] =
		{"has read a copy of a key that the policy does not let it read, and talks "
		 "to another host",
		 "T1560"}, /* Archive Collected Data */
	/* OS Credential Dumping */
	[RULE_DUMPED_BY_OTHER] = {"has read the memory of a process of another user that had read "
				  "a key, and has written a dump",
				  "T1003"},
	[RULE_FOREIGN_DUMP] = {"has written a dump in which keys were found, and nothing was seen "
			       "of how they came into it: it may have been brought from another "
			       "host",
			       "T1005"},
	[RULE_READ_BEFORE_VERDICT] = {"had read a dump in which keys were found afterwards",
				      "T1005"},
	/* Impair Defenses */
	[RULE_BLIND_THEN_READ] =
		{"has read a key within 60 s after events were lost: more may have "
		 "been read unseen",
		 "T1562"},
};

struct alert *report_rule_alert(const struct report *report, enum trail_rule rule,
				const struct subject *subject, struct proc_ref proc,
				struct span exe, struct span cgroup, enum exe_trust exe_trust,
				uint32_t flags, uint64_t time)
{
	const struct report_subject who = {
		.proc = proc,
		.subject = subject,
		.exe = exe,
		.cgroup = cgroup,
		.exe_trust = exe_trust,
		.flags = flags,
	};
	struct alert *alert = report_new(report, ALERT_TRAIL_RULE, SEV_HIGH, time);

	if (!alert)
		return NULL;
	alert->attack = rules[rule].attack;
	alert->evidence = "inferred";
	alert->cause = strdup(trail_rule_str(rule));
	report_id(alert->id, "rule %s %s %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		  report->boot_id, trail_rule_str(rule), subject->id.tgid, subject->id.start,
		  subject->id.exec_id, time);
	if (report_processes(report, &who, alert) || !alert->id[0] || !report_fill_empty(alert))
		goto fail;
	alert->text = sentence_rule(alert, rules[rule].what);
	if (alert->text)
		return alert;
fail:
	alert_free(alert);
	return NULL;
}
