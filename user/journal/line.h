/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One record of the evidence log as one line, and the hash that chains it to the one before:
 *
 *	{"seq":N,"time":"RFC3339","kind":"WORD",BODY"prev":"HEX","hash":"HEX"}\n
 *
 * BODY is nothing, or members that each end in a comma. `hash` is SHA-256 over the bytes of the
 *line before `,"hash":`, so over `prev` as well. The framing is to the byte, so that the chain can
 *be proved without parsing JSON, by anybody (docs/journal.md). Pure; no allocation but the
 *hasher's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/event.h"

#define LINE_MAX_BYTES 32768 /* with its newline */
#define LINE_HASH      32
#define LINE_HEX       (2 * LINE_HASH)
#define LINE_TIME      30 /* 2026-01-31T14:05:09.123456789Z */
/* What a line has beside its body: framing, numbers and hashes, rounded up. */
#define LINE_FRAME    320
#define LINE_BODY_MAX (LINE_MAX_BYTES - LINE_FRAME)

struct line {
	uint64_t seq;
	uint64_t time_ns; /* CLOCK_REALTIME */
	struct span kind, body;
	uint8_t prev[LINE_HASH], hash[LINE_HASH];
};

/* SHA-256, set up once: to look the algorithm up costs more than to hash a record. */
struct hasher;
struct hasher *hasher_new(void); /* NULL: out of memory */
void hasher_free(struct hasher *hasher);
DEFINE_CLEANUP(struct hasher *, hasher_free)
bool hasher_sum(struct hasher *hasher, const char *p, size_t len, uint8_t out[LINE_HASH]);

/* Time as it stands in a record; years 1970 to 2554. */
void line_time(uint64_t ns, char out[LINE_TIME + 1]);
bool line_time_parse(const char *p, uint64_t *out_ns); /* of LINE_TIME bytes */
void line_hex(const uint8_t hash[LINE_HASH], char out[LINE_HEX + 1]);
bool line_unhex(const char *p, uint8_t out[LINE_HASH]); /* of LINE_HEX lower-case digits */

/*
 * Writes seq, time, kind, body and prev of `line` as a whole line with its newline, and its hash
 * into line->hash. Returns the length; -EMSGSIZE: the body is longer than LINE_BODY_MAX; -EIO: the
 * hash could not be made.
 */
long line_seal(struct hasher *hasher, struct line *line, char out[LINE_MAX_BYTES]);

/*
 * Reads a line of `len` bytes, without newline. *out_line points into it. 0; -EBADMSG: it has not
 * the form of a record; -EILSEQ: it has, and its hash is not that of its content. In both cases
 * *out_line is untouched.
 */
int line_parse(struct hasher *hasher, const char *p, size_t len, struct line *out_line);

bool line_is(const struct line *line, const char *kind);
