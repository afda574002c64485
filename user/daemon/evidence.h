/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's evidence log: what goes into it besides what the engine hands over, its faults told
 * as health, and its head sent off the host. docs/journal.md. A log that cannot be written stops
 * nothing else.
 */
#pragma once

#include <jansson.h>

#include "alert/alert.h"
#include "daemon/app.h"
#include "engine/engine.h"

extern const struct engine_evidence evidence_ops; /* ctx is the app */

int evidence_start(struct app *app);
/* Writes the alert's record, not waiting for the disk, and puts its place into the alert. */
void evidence_alert(struct app *app, struct alert *alert);
void evidence_turn(struct app *app); /* at the end of each turn of the loop */
void evidence_second(struct app *app);
void evidence_clock(struct app *app, int64_t new_offset); /* before it is taken over */
void evidence_reload(struct app *app); /* another policy is in force */
void evidence_stop(struct app *app); /* the last records, on the disk, and a last heartbeat */

/* For the status; what is wrong is added to `warnings`. */
json_t *evidence_json(const struct app *app, json_t *warnings);
