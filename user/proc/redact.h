/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds what must not be shown in a command line. The rules are in docs/alerts.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

/*
 * Sets secret[i] for each byte of `args` (words with NUL between them) that belongs to a secret,
 * and leaves the others as they are. NULs are never set. If `truncated`, args was cut at its end:
 * what may be the head of something longer counts as a secret too, since nobody can tell what it
 * is.
 *
 * Errs towards hiding. Pure; time grows with the length of args only.
 */
void redact_mark(struct span args, bool truncated, bool *secret);
