// SPDX-License-Identifier: GPL-2.0-or-later
/* A trace through the engine. */
#include "engine/replay.h"

#include <errno.h>
#include <string.h>

#include "trace/trace.h"

DEFINE_CLEANUP(struct trace_reader *, trace_reader_free)
DEFINE_CLEANUP(struct engine *, engine_free)

static void no_alert(void *ctx, const struct alert *alert)
{
}

/*
 * Without recorded ticks: time passes up to the next event, stopping where something is due. Events
 * of the two rings are not in the order of time; it never runs backwards.
 */
static void pass_time(struct engine *engine, uint64_t *now, uint64_t until)
{
	uint64_t next;

	if (until <= *now)
		return;
	while ((next = engine_next(engine)) <= until) {
		if (next > *now)
			*now = next;
		engine_tick(engine, *now);
		if (engine_next(engine) <= *now) /* due, and cannot be done: not by time */
			break;
	}
	*now = until;
	engine_tick(engine, until);
}

static void note_time(struct replay_result *result, uint64_t time)
{
	if (!result->first || time < result->first)
		result->first = time;
	if (time > result->last)
		result->last = time;
}

int replay_file(FILE *f, const char *name, const struct replay_options *options,
		struct diag_list *diags, struct replay_result *out_result)
{
	_cleanup_(trace_reader_freep) struct trace_reader *reader = NULL;
	_cleanup_(engine_freep) struct engine *engine = NULL;
	struct replay_result result = {0};
	const struct trace_header *header;
	struct trace_item item;
	uint64_t now = 0;
	bool ticks = false;
	int r = trace_reader_new(f, name, diags, &reader);

	if (r < 0)
		return r;
	header = trace_reader_header(reader);
	engine = engine_new(&(struct engine_config){
		.policy = options->policy,
		.host = header->host,
		.boot_id = header->boot_id,
		.wall_offset_ns = header->wall_offset_ns,
		.max_processes = options->max_processes,
		.max_pending = options->max_pending,
		.alert = options->alert ? options->alert : no_alert,
		.ctx = options->ctx,
		.evidence = options->evidence,
		.trail = options->trail,
	});
	if (!engine)
		return -ENOMEM;
	while ((r = trace_read(reader, &item)) > 0) {
		result.items++;
		switch (item.type) {
		case TRACE_EVENT:
			note_time(&result, item.event.time);
			if (!ticks)
				pass_time(engine, &now, item.event.time);
			engine_feed(engine, &item.event);
			break;
		case TRACE_TICK:
			ticks = true;
			note_time(&result, item.now);
			now = item.now;
			engine_tick(engine, now);
			break;
		case TRACE_CLOCK:
			engine_set_wall_offset(engine, item.wall_offset_ns);
			break;
		}
	}
	/* What waits for more (a key's identity, the end of a window) gets no more. */
	if (!ticks)
		pass_time(engine, &now, result.last + SETTLE_WAIT_NS + ENGINE_KEY_WAIT_START_NS);
	engine_flush(engine, now);
	engine_stats(engine, &result.stats);
	if (out_result)
		*out_result = result;
	return r;
}

int replay_run(const char *path, const struct replay_options *options, struct diag_list *diags,
	       struct replay_result *out_result)
{
	_cleanup_fclose_ FILE *f = NULL;

	if (!strcmp(path, "-"))
		return replay_file(stdin, "standard input", options, diags, out_result);
	f = fopen(path, "re");
	if (!f) {
		int error = errno;

		diag_add(diags, DIAG_ERROR, path, 0, 0, "%s", strerror(error));
		return -error;
	}
	return replay_file(f, path, options, diags, out_result);
}
