/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An alert as one RFC 5424 line with STRUCTURED-DATA. Names and rules: docs/syslog.md.
 *
 * A line is at most SYSLOG_LINE_MAX bytes. What does not fit is shortened in the order of the table
 * in rfc5424.c, never inside a character or an escape, and `truncated="1"` says so. Whatever
 * strings the alert holds, the result is one line of valid UTF-8 with one SD-ELEMENT. Reads the
 * time zone (localtime_r), nothing else; no allocation; reentrant.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "alert/alert.h"
#include "sinks/sink.h"

#define SYSLOG_LINE_MAX 8192
#define SYSLOG_APP	"keytraild"
#define SYSLOG_FACILITY 10 /* authpriv */

struct syslog_ident {
	const char *
		sd_id; /* SD-NAME: printable ASCII without `=`, `"`, `]` and space, 1 to 32 bytes */
	uint32_t pid; /* PROCID */
};

/* 0 to 7, as syslog(3): what `severity` becomes in PRI. */
unsigned syslog_severity(enum severity severity);

/* Whether `sd_id` may stand as SD-ID. */
bool syslog_sd_id_valid(const char *sd_id);

/*
 * Writes the line, without newline or NUL, into `out` of SYSLOG_LINE_MAX bytes. Returns its length,
 * or -EINVAL if sd_id is not valid.
 */
long rfc5424_format(const struct alert *alert, const struct syslog_ident *ident, char *out);

/* Likewise for a heartbeat: MSGID `heartbeat`, severity info. */
long rfc5424_heartbeat(const struct heartbeat *heartbeat, const struct syslog_ident *ident,
		       char *out);
