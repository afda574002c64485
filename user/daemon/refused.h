/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens of watched names that failed (bpf/refused.bpf.c): which watch entry is meant, and the whole
 * path of a name that may have been written from anywhere.
 *
 * The file system is not asked: the name is hostile, what stands there now is not what stood there
 * then, and a look into an automounter or a FUSE file system may take for ever.
 */
#pragma once

#include "model/event.h"

struct app;

/* EVENT_REFUSED, from the sensor. */
void refused_event(struct app *app, const struct event *event);
