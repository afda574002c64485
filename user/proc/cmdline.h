/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process's arguments as people see them: bounded, escaped, and without the secrets in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

#define CMDLINE_TEXT_MAX 256 /* longest text, without NUL */
#define CMDLINE_ARGS_MAX 4096 /* of arguments that are longer, the rest is not looked at */

/*
 * Copies `args` (words with NUL between them) with each secret replaced by ***. What may be the
 * head of a word that was cut off (truncated) is replaced by an ellipsis. Doing it again changes
 * nothing. Returns the length written; *out_truncated: args was truncated, or did not fit.
 */
size_t cmdline_redact(struct span args, bool truncated, char *out, size_t size,
		      bool *out_truncated);

/*
 * One line for people: words joined by blanks, those with blanks in quotes, escaped
 * (base/escape.h), ending in an ellipsis if something is missing. With `redact`, as
 * cmdline_redact() does before. `out` has room for CMDLINE_TEXT_MAX + 1 bytes. Returns the length.
 * Reentrant, does not allocate.
 */
size_t cmdline_text(struct span args, bool truncated, bool redact, char *out);
