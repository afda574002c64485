/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks of `keytrail doctor`: what they say is in one table (checks.c), what they ask in
 * checks-*.c, each a function from facts to findings. Nothing here looks at a host.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "doctor/host.h"
#include "doctor/process.h"
#include "policy/policy.h"

#define DOCTOR_SCHEMA "keytrail-doctor/1"
#define SWEEP_SCHEMA  "keytrail-sweep/1"

enum check_area { AREA_HOLDER, AREA_HOST, AREA_SELF, AREA_NR };
const char *check_area_str(enum check_area area); /* "holder" */

/* In the order of the table. Their names are for ever. */
enum check_id {
	/* a process that holds a key */
	CHECK_CORE_IN_PROGRESS,
	CHECK_KEY_IN_CORE,
	CHECK_HOLDER_DUMPABLE,
	CHECK_HOLDER_SUID_CORE,
	CHECK_CORE_FOR_USER,
	CHECK_KEY_SWAPPABLE,
	CHECK_CORE_LIMIT_SOFT,
	CHECK_KEY_INHERITED,
	/* this host's settings */
	CHECK_SUID_DUMPABLE,
	CHECK_CORE_RELATIVE,
	CHECK_CORE_HELPER,
	CHECK_CORE_REPORTER,
	CHECK_CORE_SOCKET,
	CHECK_CORES_KEPT,
	CHECK_CORES_IN_JOURNAL,
	CHECK_DUMPS_REMOTE,
	CHECK_DUMPS_SHARED,
	CHECK_DUMPS_WRITABLE,
	CHECK_DUMPS_READABLE,
	CHECK_DUMPS_FOREVER,
	CHECK_SWAP_PLAIN,
	CHECK_HIBERNATION,
	CHECK_PTRACE_SCOPE,
	CHECK_KDUMP_REMOTE,
	CHECK_KDUMP_USER_PAGES,
	CHECK_CRASH_UPLOAD,
	CHECK_LOGS_STAY,
	/* what keytrail itself sees */
	CHECK_DAEMON_OFF,
	CHECK_SENSOR_BLIND,
	CHECK_WATCHES_NOTHING,
	CHECK_HOOKS_MISSING,
	CHECK_LOCKDOWN,
	CHECK_EVENTS_LOST,
	CHECK_PLACES_UNWATCHED,
	CHECK_DUMPS_UNSCANNED,
	CHECK_CHILDREN_NOBODY,
	CHECK_MEMORY_OFF,
	CHECK_REFUSED_OFF,
	CHECK_NR
};

struct check {
	const char *id; /* "core-relative" */
	enum check_area area;
	enum severity severity; /* the highest that it gives */
	const char *title; /* a sentence without its full stop */
	const char *looks_at; /* paths, or what the daemon says */
	const char *why;
	const char *mend; /* one command or setting; findings may have a better one */
};

extern const struct check checks[CHECK_NR];

/* A finding, or (error != 0) that the check could not look. Text escaped. */
struct finding_text {
	const char *path, *value; /* what was seen where */
	const char *mend; /* NULL: the check's */
	const struct process_facts *process; /* NULL: of the host */
	enum severity severity; /* 0: the check's */
};

struct doctor_finding {
	const struct check *check;
	enum severity severity;
	int error; /* 0: it is a finding */
	uint32_t pid; /* 0: of the host */
	char subject[416]; /* "/usr/sbin/nginx[123], nginx.service"; "" = the host */
	char path[256], value[640];
	char mend[640];
};

struct doctor_report {
	struct doctor_finding *items;
	size_t nr;
	bool no_memory; /* something is missing */
};

enum daemon_state { DAEMON_NOT_ASKED, DAEMON_ANSWERED, DAEMON_AWAY, DAEMON_DENIED };

struct doctor {
	const struct host_facts *host; /* NULL: not looked at */
	const struct process_facts *holders;
	size_t nr_holders;
	uint64_t holders_left_out; /* that there are besides: nothing is known of them */
	enum daemon_state daemon;
	const json_t *status; /* what `keytrail status --json` shows; NULL unless it answered */
	struct doctor_report report;
};

void doctor_find(struct doctor *doctor, enum check_id id, const struct finding_text *text);
/* It could not look at `path`, error being -errno. */
void doctor_blind(struct doctor *doctor, enum check_id id, const char *path, int error,
		  const struct process_facts *process);

void checks_holders(struct doctor *doctor);
void checks_host(struct doctor *doctor);
void checks_self(struct doctor *doctor);

/* All of them; then the report is sorted: findings before what could not be looked at, the worst
 * first, then in the order of the table, then by process. */
void doctor_run(struct doctor *doctor);
void doctor_fini(struct doctor *doctor); /* the report */

enum doctor_outcome { DOCTOR_GOOD = 0, DOCTOR_FOUND = 1, DOCTOR_COULD_NOT = 2 };

/* Of what matters at `fail_on` and above: a finding counts before what could not be looked at. */
enum doctor_outcome doctor_outcome(const struct doctor *doctor, enum severity fail_on);

/* The report as one object, docs/doctor.md; NULL: out of memory. */
json_t *doctor_json(const struct doctor *doctor);
/* What a process holds and where: for sweep and doctor alike. NULL: out of memory. */
json_t *process_json(const struct process_facts *process);
