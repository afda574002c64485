/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way in which bytes that a process or a file system controls become text.
 *
 * Printable UTF-8 stays as it is. A backslash becomes \\, every byte that is part of an invalid
 * UTF-8 sequence, or of a character that is a control, separates lines, changes direction or is not
 * seen (utf8_is_plain()), becomes \xHH. The result is valid UTF-8 on one line, and escape_undo()
 * gives the bytes back. What a format needs on top (quotes in JSON, `]` in RFC 5424) is that
 * format's business and comes after this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Escapes `len` bytes of `in` into `out` (of `size` bytes, always NUL terminated if size > 0),
 * never ending inside an escape or a character. Returns the length written, without NUL; *truncated
 * (may be NULL) is set if not all of `in` fitted. Reentrant, does not allocate.
 */
size_t escape_bytes(const char *in, size_t len, char *out, size_t size, bool *truncated);

/* The inverse. Returns the number of bytes written to `out`, or -EINVAL for text that
 * escape_bytes() does not make, -ENOBUFS if `size` is too small. `out` is not terminated. */
long escape_undo(const char *in, size_t len, char *out, size_t size);
