/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digest by which the evidence log says which policy was in force. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "journal/line.h"

struct policy;

/*
 * SHA-256 of the effective policy: of its lines as `keytrail policy diff` compares them
 * (policy_texts_make()), a newline behind each. Where the files lie makes no difference. False: out
 * of memory.
 */
bool policy_digest(const struct policy *policy, uint8_t out[static LINE_HASH]);

/* The same as text, "" if it cannot be had. */
const char *policy_digest_hex(const struct policy *policy, char out[static LINE_HEX + 1]);
