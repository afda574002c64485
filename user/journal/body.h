/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The body of a record: members as docs/journal.md lists them, each ending in a comma.
 *
 * Bounded: a text that is longer than its place is cut between characters and says so by "..."; a
 * member for which there is no room at all is left out, and the body says `"cut":true,`. Valid JSON
 * and UTF-8 whatever the texts are. No allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/alert.h"
#include "alert/evidence.h"
#include "journal/line.h"

struct body {
	size_t len;
	bool cut;
	char p[LINE_BODY_MAX];
};

void body_init(struct body *body);
void body_number(struct body *body, const char *name, uint64_t value);
void body_bool(struct body *body, const char *name, bool value);
void body_time(struct body *body, const char *name, uint64_t ns);
void body_hash(struct body *body, const char *name, const uint8_t hash[LINE_HASH]);
/* Text that base/escape.h made, or our own words; "" and NULL are left out. */
void body_text(struct body *body, const char *name, const char *text);
/* Bytes that anybody may have chosen; empty is left out. */
void body_bytes(struct body *body, const char *name, struct span bytes);

/* What a record of each kind says; the body is begun anew. */
void body_access(struct body *body, const struct evidence *evidence);
void body_alert(struct body *body, const struct alert *alert);
void body_gap(struct body *body, const struct evidence_gap *gap);
