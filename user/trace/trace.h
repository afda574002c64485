/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded run: every event the engine was fed, in order, as JSON lines. docs/trace.md has the
 * format.
 *
 * The first line is the header, each further one an event, a tick (engine_tick() was called) or a
 * change of the wall clock. A field that has its default is not written; a field that is not there
 * has its default. Bytes that a process controls are escaped as base/escape.h says before they
 * become JSON, so that every byte comes back as it was.
 *
 * Writer and reader use memory that does not grow with the trace. Not thread safe.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"
#include "model/event.h"

#define TRACE_VERSION	 3 /* 1: a scan-verdict has no digests; 2: no `container` */
#define TRACE_LINE_MAX	 131072 /* bytes, newline included */
#define TRACE_STRING_MAX 8192 /* bytes of one string before escaping */

struct trace_header {
	uint32_t version; /* set by the reader; the writer writes TRACE_VERSION */
	char host[256];
	char boot_id[64];
	char policy[512]; /* which policy was in force: files or digest; for people */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME when the trace began */
};

struct trace_writer;

/*
 * Writes the header. The file stays the caller's, who also flushes and closes it, after
 * trace_writer_free(). -EIO, -ENOMEM.
 */
int trace_writer_new(FILE *f, const struct trace_header *header, struct trace_writer **out_writer);
void trace_writer_free(struct trace_writer *writer);

/* 0; -EMSGSIZE: a string over TRACE_STRING_MAX (nothing was written); -EINVAL: no such type of
 * event; -EIO: the file does not take it. Arguments are written as they are: who must not keep
 * secrets redacts them first (proc/cmdline.h). */
int trace_write(struct trace_writer *writer, const struct event *ev);
int trace_write_tick(struct trace_writer *writer, uint64_t now);
int trace_write_clock(struct trace_writer *writer, int64_t wall_offset_ns);

enum trace_item_type { TRACE_EVENT = 1, TRACE_TICK, TRACE_CLOCK };

struct trace_item {
	enum trace_item_type type;
	struct event event; /* its spans are valid until the next trace_read() */
	uint64_t now; /* TRACE_TICK */
	int64_t wall_offset_ns; /* TRACE_CLOCK */
};

struct trace_reader;

/*
 * Reads the header. `name` stands for the file in messages, which go to `diags` (both must outlive
 * the reader). The file stays the caller's. -EPROTONOSUPPORT: written by a newer keytrail; -EINVAL:
 * not a trace; -EIO; -ENOMEM. Each with a message.
 */
int trace_reader_new(FILE *f, const char *name, struct diag_list *diags,
		     struct trace_reader **out_reader);
void trace_reader_free(struct trace_reader *reader);
const struct trace_header *trace_reader_header(const struct trace_reader *reader);

/*
 * The next item: 1 with it, 0 at the end, -EINVAL (message with line and column), -EIO. A last line
 * that was cut off (the writer was stopped) is a warning and the end.
 */
int trace_read(struct trace_reader *reader, struct trace_item *out_item);
