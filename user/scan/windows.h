/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From segments to windows: reads memory piece by piece, leaves zeros out, and has a crew of
 * threads look at it. Rooms for the pieces are few and used again, so memory in use does not depend
 * on the dump.
 *
 * What stands in a seekable source is read by all threads, each its own pieces. What comes as a
 * stream is read (and unpacked) by the calling thread, which also looks when the others do not keep
 * up.
 */
#pragma once

#include <stdatomic.h>

#include "scan/container.h"
#include "scan/crew.h"

#define WINDOW_CORE (1 << 20) /* bytes that a window is responsible for */

struct windows;

int windows_new(struct crew *crew, struct windows **out_windows); /* crew: NULL or borrowed */
void windows_free(struct windows *windows); /* wipes */
DEFINE_CLEANUP(struct windows *, windows_free)
#define _cleanup_windows_ _cleanup_(windows_freep)

/* All of a pass. */
struct windows_pass {
	unsigned align;
	void (*look)(void *userdata, unsigned worker, const struct window *window);
	/* As struct detector's piece(): after all looks at the piece, also when the pass is over,
	 * and the piece's memory is not shown any more. May be NULL. */
	void (*passed)(void *userdata, unsigned worker, const struct window *piece);
	/* Of the first worker, now and then: how far it is. */
	void (*tick)(void *userdata, uint64_t looked_at);
	void *userdata;
	const atomic_bool *stop; /* ends the pass early */
	uint64_t pieces; /* so far: 0 for a start, then it goes on from table to table */
	/* What came of it. */
	atomic_ullong looked_at; /* bytes of memory, zeros included */
	atomic_ullong flags; /* SCAN_* */
	atomic_int error; /* of reading */
};

/* Segments that stand in a seekable source. The pass's error. */
int windows_of_table(struct windows *windows, struct windows_pass *pass, struct source *source,
		     const struct segment *segments, size_t nr);

/*
 * Of a stream: next() gives segments as struct container_type's does; fill() their bytes, `at`
 * bytes from their beginning on, in order: fewer than len at the end, or a negative errno.
 */
struct windows_stream {
	int (*next)(void *userdata, struct segment *out_segment);
	long (*fill)(void *userdata, const struct segment *segment, void *out, size_t len,
		     uint64_t at);
	void *userdata;
};
int windows_of_stream(struct windows *windows, struct windows_pass *pass,
		      const struct windows_stream *stream);
