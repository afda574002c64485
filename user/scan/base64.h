/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 (RFC 4648) as keys are wrapped in it. */
#pragma once

#include "scan/bytes.h"

#define BASE64_DECODED_MAX(len) ((len) / 4 * 3 + 3)
#define BASE64_ENCODED_MAX(len) (((len) + 2) / 3 * 4 + 1)

/*
 * Decodes `in`, in which blanks and line ends may stand anywhere and `=` only at the end. out: room
 * for BASE64_DECODED_MAX(in.len) bytes. Returns the length, -EINVAL for a foreign character or an
 * incomplete last group. The table walk leaves no copy behind but in out.
 */
long base64_decode(struct bytes in, uint8_t *out);

/* Without padding and line ends, as fingerprints are written; NUL terminated. Returns the length.
 * out: BASE64_ENCODED_MAX(in.len) bytes. */
size_t base64_encode(struct bytes in, char *out);

/*
 * For text out of a dump: decodes as far as it is base64, of either alphabet (RFC 4648 section 4 or
 * 5), up to `size` bytes of out. Blanks, line ends, and line ends that are written as \n or \r, are
 * passed over. Returns the length; what is left of a group counts as far as it makes bytes.
 * *out_used: how much of `in` was read; not NULL.
 */
size_t base64_decode_some(struct bytes in, uint8_t *out, size_t size, size_t *out_used);
