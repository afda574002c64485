/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scan found, as a person reads it: a block for each key, a line for each dump. */
#pragma once

#include "scanq/scan_verdict.h"
#include "cli/term.h"

/* file: escaped. all: also keys that do not count (found_key_counts()). Sorts nothing. */
void scan_view(const struct term *t, const char *file, const struct scan_verdict *verdict,
	       bool all);
