/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters: where one ends, and whether a reader sees it for what it is. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length of the well-formed UTF-8 sequence at p, of at most `left` (> 0) bytes (Unicode 15, table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF), 0 if there is none. *out_code is
 * set with it.
 */
size_t utf8_char(const unsigned char *p, size_t left, uint32_t *out_code);

/*
 * May the character stand in a line as it is? Not if it is a control (C0, DEL, C1), separates lines
 * or paragraphs, changes the direction of its neighbours, or is not seen at all: what Unicode 15
 * has as Default_Ignorable_Code_Point (zero width, joiners, tags, variation selectors, fillers) and
 * as Bidi_Control, and the marks of interlinear annotation.
 */
bool utf8_is_plain(uint32_t code);
