/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file was when it was scanned, by SHA-256: of its bytes, and of what was unpacked from it.
 * Two files with a digest in common hold the same bytes, on whichever hosts they are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"

#define DIGEST_HEX	    65 /* 64 hex digits, NUL */
#define DIGESTS_CONTENT_MAX 4

struct digests {
	char file[DIGEST_HEX]; /* "" = not known, and then nothing else is, either */
	char content[DIGESTS_CONTENT_MAX][DIGEST_HEX];
	uint32_t nr_content;
};

/*
 * From text, which can be anybody's: a digest is 64 lower-case hex digits, `content` are some with
 * single spaces between them. What is none is left out, and so are those beyond the first four.
 */
void digests_parse(struct span file, struct span content, struct digests *out);

bool digest_is(struct span text); /* 64 lower-case hex digits */
void digest_hex(const uint8_t bytes[static 32], char out[static DIGEST_HEX]);
