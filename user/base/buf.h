/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that grow up to a limit: what came from a peer and is not a whole line yet, what waits to
 * be written to it.
 *
 * An append either happens whole or not at all. Not thread safe.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

struct buf {
	char *p; /* `len` bytes, not terminated; NULL while nothing was ever appended */
	size_t len, cap;
	size_t max; /* 0 = no limit but memory */
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf); /* wipes nothing: not for secrets */

/* -ENOBUFS: the limit would be passed; -ENOMEM. On failure nothing was appended. */
int buf_append(struct buf *buf, const char *p, size_t len);
int buf_appendf(struct buf *buf, const char *fmt, ...) _printf_(2, 3);

/* Drops the first `len` bytes (at most all of them); gives memory back when that empties a big one.
 */
void buf_consume(struct buf *buf, size_t len);
