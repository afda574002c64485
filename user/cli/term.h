/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people see: colours, width and wrapping, numbers and times in words. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_NR };

struct term {
	FILE *f;
	bool colour;
	unsigned width; /* columns */
};

/* Colours only if `f` is a terminal, NO_COLOR is unset or empty, and TERM is not "dumb". */
void term_init(struct term *term, FILE *f);

/* Prints text in a style. `text` comes from escaped strings or our own words: no byte of it is a
 * control character; one that is nevertheless becomes `?`. */
void term_put(const struct term *term, enum style style, const char *text);
void term_putf(const struct term *term, enum style style, const char *fmt, ...) _printf_(3, 4);

/* A paragraph broken at spaces, each line after `indent` columns; a word longer than a line stands
 * whole. */
void term_wrap(const struct term *term, enum style style, unsigned indent, const char *text);

/* "12 s", "4 min", "3 h 20 min", "12 d 4 h". */
void term_duration(uint64_t seconds, char out[32]);
/* Local time, "2025-01-31 14:05:09". */
void term_time(double seconds, char out[32]);
