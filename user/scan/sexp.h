/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens of an s-expression (RFC 9804, as libgcrypt writes it): canonical `3:abc`, `#616263#`,
 * `"abc"`, bare words, and brackets. No recursion; no memory but what is passed in.
 */
#pragma once

#include "scan/bytes.h"

enum sexp_token { SEXP_END, SEXP_OPEN, SEXP_CLOSE, SEXP_ATOM, SEXP_BAD };

/*
 * Takes one token. For SEXP_ATOM out_atom is a view into `in`, or, for the hex and quoted forms,
 * what was decoded into `memory` (of `size` bytes; too little is SEXP_BAD), which may hold secrets
 * then.
 */
enum sexp_token sexp_next(struct bytes *in, uint8_t *memory, size_t size, struct bytes *out_atom);
