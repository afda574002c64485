// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a trace: through the reader, what is read through the writer and back, and all of it
 * through the engine, whose alerts must be valid whatever the events say.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/replay.h"
#include "trace/trace.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct policy *policy;

static void on_alert(void *ctx, const struct alert *alert)
{
	_cleanup_free_ char *line = alert_json(alert);
	json_t *json;

	check(line && !strchr(line, '\n'));
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	check(json != NULL);
	json_decref(json);
}

/* Writes what `in` reads; the second time, of its own output, byte by byte the same. */
static char *rewrite(char *text, size_t size, size_t *out_size)
{
	struct diag_list diags = {0};
	struct trace_reader *reader;
	struct trace_writer *writer;
	struct trace_item item;
	char *out = NULL;
	FILE *in = fmemopen(text, size, "r"), *f;

	check(in != NULL);
	if (trace_reader_new(in, "fuzz", &diags, &reader) < 0) {
		fclose(in);
		diag_list_fini(&diags);
		return NULL;
	}
	f = open_memstream(&out, out_size);
	check(f && !trace_writer_new(f, trace_reader_header(reader), &writer));
	while (trace_read(reader, &item) > 0) {
		if (item.type == TRACE_EVENT)
			check(!trace_write(writer, &item.event));
		else if (item.type == TRACE_TICK)
			check(!trace_write_tick(writer, item.now));
		else
			check(!trace_write_clock(writer, item.wall_offset_ns));
	}
	trace_writer_free(writer);
	trace_reader_free(reader);
	fclose(f);
	fclose(in);
	diag_list_fini(&diags);
	return out;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] =
		"version: 1\nwatch:\n"
		"  - {name: ssh-user-keys, class: ssh-user-key, severity: high, paths: [\"/k/*\"],"
		" allow: [{exe: /usr/bin/ssh}]}\n"
		"  - {name: dumps, class: dump, severity: low, paths: [\"/d/*\"]}\n";
	struct diag_list diags = {0};

	check(!policy_parse("fuzz", text, sizeof(text) - 1, &diags, &policy));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replay_options options = {.policy = policy,
					 .alert = on_alert,
					 .max_processes = 20,
					 .max_pending = 4};
	struct diag_list diags = {0};
	char *first, *second;
	size_t n1, n2;
	FILE *f;

	if (!size)
		return 0;
	first = rewrite((char *)data, size, &n1);
	if (!first)
		return 0;
	second = rewrite(first, n1, &n2);
	check(second && n1 == n2 && !memcmp(first, second, n1));
	f = fmemopen(first, n1, "r");
	check(f && replay_file(f, "fuzz", &options, &diags, NULL) == 0);
	fclose(f);
	diag_list_fini(&diags);
	free(first);
	free(second);
	return 0;
}
