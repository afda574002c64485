/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon adds to events about dumps: which written file is one, and what the settings were
 * before they were changed.
 *
 * Settings are sysctls, without an inode that could be marked. The probes see them being changed;
 * in case they do not, they are read anew every few seconds and at each crash.
 */
#pragma once

#include <stdint.h>

#include "watch/written.h"

struct app;
struct dumps;

int dumps_new(struct app *app, struct dumps **out_dumps);
void dumps_free(struct dumps *dumps);

/* EVENT_DUMP, EVENT_WRITTEN, EVENT_SETTING, from the sensor. */
void dumps_event(struct dumps *dumps, const struct event *event);

/* EVENT_ACCESS of any object. */
void dumps_access(struct dumps *dumps, const struct event *event);

/* After the rings were drained. */
void dumps_run(struct dumps *dumps);

/* Once a second. */
void dumps_second(struct dumps *dumps);

/* The policy in force has changed; before the watcher walks. */
void dumps_set_policy(struct dumps *dumps);

void dumps_stats(const struct dumps *dumps, struct written_stats *out_stats);

/* Closes of watched copies after writing for which there was no room until the next dumps_run(). */
uint64_t dumps_copies_dropped(const struct dumps *dumps);
