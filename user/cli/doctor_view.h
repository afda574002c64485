/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor and sweep say, as a person reads it. */
#pragma once

#include "cli/term.h"
#include "doctor/check.h"

/* A process and the keys in its memory. */
void doctor_view_process(const struct term *t, const struct process_facts *process);
/* The report, a block for each finding, then what could not be looked at and a sum. */
void doctor_view(const struct term *t, const struct doctor *doctor);
/* All checks, a line each. */
void doctor_view_checks(const struct term *t);
