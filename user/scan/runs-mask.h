/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Within runs.c: what 64 words of memory look like, a bit each. */
#pragma once

#include <stdint.h>

#include "scan/code.h"
#include "scan/runs.h"

#define MASK_BYTES 512

struct word_mask {
	uint64_t random; /* may be a word of a key: not 0 or ffff on top, few bytes of code */
	uint64_t maybe; /* the same but for more bytes of code: one of four may be so */
	uint64_t high; /* of those: has a byte over 7f; text has none. Other words say nothing */
};

/* p: MASK_BYTES readable bytes, of any alignment. */
typedef void word_mask_fn(const uint8_t *p, struct word_mask *out);

word_mask_fn *word_mask_code(enum scan_code code); /* NULL: the machine cannot */
