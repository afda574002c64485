/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether this kernel lets this process trace, and if not, why and what to do. */
#pragma once

#include "sensor/sensor.h"

/* Asked before anything is loaded. 0, or negative errno and *out_refusal. */
int support_check(struct sensor_refusal *out_refusal);

/* After a load or attachment failed with `err` (negative errno): the most likely reason in words.
 */
void support_explain(int err, const char *detail, struct sensor_refusal *out_refusal);
