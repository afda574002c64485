/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walking text that base/escape.h made, in units that must not be torn: a character, `\\` or
 * `\xHH`.
 *
 * Who prints or shortens such text goes by units. It need not be valid: a byte that cannot stand in
 * one line of UTF-8 is a unit of its own and says so. Pure, no allocation.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum text_kind {
	TEXT_CHAR, /* a printable character, 1 to 4 bytes */
	TEXT_ESCAPE, /* `\\` or `\xHH` */
	TEXT_RAW, /* one byte that escape_bytes() would not have left as it is */
};

/* The unit at `p`, of at most `len` (> 0) bytes. Returns its length in bytes, 1 to 4. */
size_t text_unit(const char *p, size_t len, enum text_kind *out_kind);

/* Columns that a unit takes on a terminal: 0 for combining marks, 2 for wide characters. */
unsigned text_columns(const char *p, size_t len);
