/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of an alert into a sink's queue: formatted once, when it comes, and every gap told by an
 * alert of its own. What the three sinks differ in is the format and where the queue is emptied to.
 * Not thread safe.
 */
#pragma once

#include <stddef.h>

#include "alert/alert.h"
#include "sinks/queue.h"
#include "sinks/sink.h"

/*
 * Formats `alert` for `sink`. Returns the record's length in bytes; *out_record is malloc'd and the
 * caller's to free. -ENOMEM, or the format's own refusal (-EMSGSIZE, ...).
 */
typedef long (*outbox_format)(const struct sink *sink, const struct alert *alert,
			      char **out_record);

struct outbox {
	const struct sink *sink; /* borrowed; its ops->name is who a notice of loss speaks of */
	outbox_format format;
	struct queue *queue; /* owned */
	char host[65]; /* for the notice of loss, NUL-terminated; "" where there is no name */
};

/* What queue_new() returns. On an error there is nothing to free. */
int outbox_init(struct outbox *outbox, const struct sink *sink, outbox_format format,
		const struct queue_options *options);
/* What is in memory goes into the spool, if there is one. NULL queue: nothing to do. */
void outbox_done(struct outbox *outbox);

/* 0, or why the alert was dropped; then it is counted and will be told. */
int outbox_add(struct outbox *outbox, const struct alert *alert);

/* If something was dropped and there is room again, says so behind what is queued. To be called
 * before the queue is emptied and after each record taken from it. */
void outbox_tell_lost(struct outbox *outbox);
