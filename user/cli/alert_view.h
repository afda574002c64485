/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An alert as a person reads it. Used by `keytrail alerts` and `keytrail replay`. */
#pragma once

#include <jansson.h>

#include "cli/term.h"

/* `alert` is an object of docs/alerts.md; what is missing in it is left out. Ends with an empty
 * line. */
void alert_view(const struct term *t, const json_t *alert);
