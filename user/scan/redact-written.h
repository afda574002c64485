/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that stand in a dump in a written form: how far they reach, and which numbers they hold. */
#pragma once

#include "scan/finding.h"
#include "scan/secret.h"

#define REDACT_WRITTEN_MAX 65536 /* bytes of one */

/*
 * For each form that was noted (secrets_note_form()): hides the part of it that is secret, and adds
 * its numbers. -ENOMEM, or the errno of reading.
 */
int redact_written(int fd, struct secrets *secrets);

/* Of the bytes where a form begins: where its secret part lies. False: none seen. Pure. */
bool redact_written_extent(struct bytes bytes, enum finding_layout layout, size_t *out_at,
			   size_t *out_len);
