/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts of other hosts as nodes and edges of a trail. They come out of a central log, so each is a
 * claim: of the host that the line names, or of whoever could write into that log. Nothing of them
 * is believed beyond what is shown: texts are checked and escaped anew, a digest and a fingerprint
 * must be well-formed, and nothing of a claim changes what this host has seen itself.
 */
#pragma once

#include "trail/trail.h"

struct trail_claims;

struct trail_claims_stats {
	uint64_t lines, alerts; /* read; taken */
	uint64_t foreign; /* lines that are no alert of ours */
	uint64_t skipped; /* alerts of hosts that are left out, or of no host */
};

/*
 * skip: true for hosts whose alerts are not taken (this one, which knows better); may be NULL.
 * NULL: out of memory.
 */
struct trail_claims *trail_claims_new(const struct trail_sink *sink,
				      bool (*skip)(void *ctx, const char *host), void *ctx);
void trail_claims_free(struct trail_claims *claims);

/* One line, NUL terminated, without newline: syslog (base/syslogline.h), or an alert as JSON. */
void trail_claims_line(struct trail_claims *claims, const char *line);

/* All lines of a file. Lines longer than 64 KiB are passed over. -errno. */
int trail_claims_file(struct trail_claims *claims, const char *path);

void trail_claims_stats(const struct trail_claims *claims, struct trail_claims_stats *out_stats);
