/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes by position, wherever they come from. A seekable source (file, block device) gives any, to
 * several threads at a time. A stream (pipe, what is unpacked) gives them in ascending order, to
 * one thread; its first bytes are kept and can be had again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define SOURCE_KEPT	    (8 << 20) /* bytes of a stream that stay */
#define SOURCE_SIZE_UNKNOWN UINT64_MAX

struct source;

/* Where a stream's bytes come from. */
struct source_stream {
	/* The next bytes, len at most; 0 is the end, else a negative errno. */
	long (*read)(void *self, void *out, size_t len);
	/* Back to the first byte: 0, or -ESPIPE. NULL: cannot; can_rewind() tells without doing. */
	int (*rewind)(void *self);
	bool (*can_rewind)(void *self);
	void (*free)(void *self); /* may be NULL */
	void *self;
};

/* Where another seekable source's bytes come from. */
struct source_mapping {
	/* As source_read(), from several threads at a time. */
	long (*read)(void *self, void *out, size_t len, uint64_t offset);
	void (*free)(void *self); /* may be NULL */
	void *self;
};

/* fd stays the caller's and is read by position if that is possible, else by read(). -ENOMEM. */
int source_new_fd(int fd, struct source **out_source);
/* Owns stream->self from success on. size: as announced, or SOURCE_SIZE_UNKNOWN. -ENOMEM. */
int source_new_stream(const struct source_stream *stream, uint64_t size,
		      struct source **out_source);
int source_new_mapping(const struct source_mapping *mapping, uint64_t size,
		       struct source **out_source); /* likewise */
/* The memory of a process, whose holes are no error; sizes and ends mean nothing. */
int source_new_memory(int fd, struct source **out_source);
void source_free(struct source *source); /* wipes what it kept */
DEFINE_CLEANUP(struct source *, source_free)
#define _cleanup_source_ _cleanup_(source_freep)

bool source_seekable(const struct source *source);
uint64_t source_size(const struct source *source);

/*
 * As many bytes as there are, len at most; fewer are the end of the source. -ESPIPE: a stream's
 * bytes that went by and were not kept. Pages that cannot be read are zeros, and remembered
 * (source_unreadable()); more than a million of them are -EIO.
 */
long source_read(struct source *source, void *out, size_t len, uint64_t offset);

/*
 * The next data at or after `offset`, where a sparse file says so; false if there is none before
 * `end`. For what is not sparse: [offset, end).
 */
bool source_data(struct source *source, uint64_t offset, uint64_t end, uint64_t *out_from,
		 uint64_t *out_to);

/* All from the beginning, for a second pass: 0, or -ESPIPE. */
int source_rewind(struct source *source);
bool source_repeatable(const struct source *source); /* will that be possible? */
void source_forget(struct source *source); /* a stream's first bytes, from now on */
bool source_unreadable(const struct source *source);
uint64_t source_position(const struct source *source); /* where the last read ended */

/*
 * SHA-256 of all its bytes, taken as they are read: begin before the first read, of a file or a
 * stream, which is then to be read by one thread. -ENOMEM, -EOPNOTSUPP (memory, mappings).
 */
int source_digest_begin(struct source *source);
/*
 * Reads what was not: little, where a source is read from front to back; of one that is not, all
 * that stands behind the first jump. false: it cannot be told (it could not be read to its end, or
 * that would be more than SOURCE_REST bytes; a hole too large; nobody began).
 */
#define SOURCE_REST (4ULL << 30)
bool source_digest_end(struct source *source, uint8_t out[static 32]);
