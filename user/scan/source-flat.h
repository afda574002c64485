/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's flattened format (makedumpfile -F, QEMU's dump-guest-memory): a dump made for a
 * pipe, as pieces that each say where they belong. Put back in order by an index, without writing
 * it anywhere.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/source.h"

bool source_flat_is(struct bytes head);

/*
 * inner: seekable, borrowed until the outer one is freed. *out_full: there were more pieces than an
 * index holds; what lies beyond is not there. *out_truncated: the last piece is missing. 1; 0: it
 * is not that format; -ENOMEM, or the errno of reading.
 */
int source_flat_open(struct source *inner, bool *out_full, bool *out_truncated,
		     struct source **out_source);
