// SPDX-License-Identifier: GPL-2.0-or-later
/* What every sink does between an alert and its queue. */
#include "sinks/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

int outbox_init(struct outbox *outbox, const struct sink *sink, outbox_format format,
		const struct queue_options *options)
{
	*outbox = (struct outbox){.sink = sink, .format = format};
	if (gethostname(outbox->host, sizeof(outbox->host) - 1) < 0)
		outbox->host[0] = '\0';
	return queue_new(options, &outbox->queue);
}

void outbox_done(struct outbox *outbox)
{
	queue_free(outbox->queue);
	outbox->queue = NULL;
}

void outbox_tell_lost(struct outbox *outbox)
{
	_cleanup_free_ char *record = NULL;
	struct queue_lost_text text;
	struct queue_lost lost;
	struct alert alert;
	long len;

	if (!queue_take_lost(outbox->queue, &lost))
		return;
	queue_lost_alert(&lost, outbox->sink->ops->name, outbox->host, &text, &alert);
	len = outbox->format(outbox->sink, &alert, &record);
	if (len < 0 || queue_push_notice(outbox->queue, record, (size_t)len) < 0)
		queue_give_lost(outbox->queue, &lost);
}

int outbox_add(struct outbox *outbox, const struct alert *alert)
{
	_cleanup_free_ char *record = NULL;
	long len = outbox->format(outbox->sink, alert, &record);

	if (len < 0) {
		queue_drop(outbox->queue, alert->time_ns);
		return (int)len;
	}
	outbox_tell_lost(outbox);
	return queue_push(outbox->queue, record, (size_t)len, alert->time_ns);
}
