/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What show.c and explain.c share. */
#pragma once

#include "policy/policy-internal.h"

/* The keys of a rule as they would be written, not escaped. */
void rule_text(const struct rule *rule, char *out, size_t size);
