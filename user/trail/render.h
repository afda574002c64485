/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trail for people, for programs, and as a picture. Pure: from the view alone, times in UTC.
 * Strings of a view are escaped; what a format needs on top is done here.
 */
#pragma once

#include <stdio.h>

#include "trail/store.h"

/*
 * A tree for each key: when, how it is known, and what, the way the bytes went:
 *	2026-01-02 03:04:05  observed     read by signd[901] (user signer, unit signd.service)
 */
void trail_render_text(const struct trail_view *view, FILE *f);

/* One JSON object, docs/trail.md says with which fields. -ENOMEM. */
int trail_render_json(const struct trail_view *view, FILE *f);

/* Graphviz: `dot -Tsvg`. */
void trail_render_dot(const struct trail_view *view, FILE *f);
