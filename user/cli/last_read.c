// SPDX-License-Identifier: GPL-2.0-or-later
/* Who read a key last, out of the trail; and how far the daemon's search is, out of its status. */
#include "cli/last_read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/daemon.h"
#include "cli/term.h"
#include "model/own.h"

void last_reads_open(const char *trail, struct last_reads *out_reads)
{
	ssize_t n;

	*out_reads = (struct last_reads){
		.but = {OWN_PROGRAMS},
	};
	n = readlink("/proc/self/exe", out_reads->self, sizeof(out_reads->self) - 1);
	if (n > 0)
		out_reads->but[OWN_PROGRAMS_NR] = out_reads->self;
	out_reads->error = trail_store_open(trail ? trail : LAST_READ_TRAIL, &out_reads->trail);
	if (!out_reads->error && trail_store_since(out_reads->trail, &out_reads->since_ns) < 0)
		out_reads->since_ns = 0;
}

void last_reads_close(struct last_reads *reads)
{
	if (reads->trail)
		trail_store_free(reads->trail);
	reads->trail = NULL;
}

int last_reads_of(const struct last_reads *reads, const char *path, struct trail_last_read *out)
{
	return reads->trail ? trail_store_last_read(reads->trail, path, reads->but, out)
			    : reads->error;
}

static const char *user_of(const struct trail_last_read *read, char buf[static 16])
{
	if (*read->user)
		return read->user;
	snprintf(buf, 16, "%" PRIu32, read->uid);
	return buf;
}

void last_reads_print(const struct last_reads *reads, const char *path)
{
	_cleanup_(trail_last_read_fini) struct trail_last_read read = {0};
	int r = last_reads_of(reads, path, &read);
	char when[32], uid[16];

	if (r == 0) {
		term_time((double)read.time_ns / 1e9, when);
		printf("  last read %s by %s (%s%s%s)\n", when, *read.exe ? read.exe : "?",
		       user_of(&read, uid),
		       *read.login && strcmp(read.login, read.user) ? ", login " : "",
		       *read.login && strcmp(read.login, read.user) ? read.login : "");
	} else if (r == -ENOENT && reads->trail && reads->since_ns) {
		term_time((double)reads->since_ns / 1e9, when);
		printf("  last read: no record since %s\n", when);
	} else if (r == -ENOENT) {
		printf("  last read: no record\n");
	} else {
		printf("  last read: not known (%s)\n", strerror(-r));
	}
}

bool last_reads_json(const struct last_reads *reads, const char *path, json_t *object)
{
	_cleanup_(trail_last_read_fini) struct trail_last_read read = {0};
	json_t *last = json_null(), *since = json_null();

	if (last_reads_of(reads, path, &read) == 0)
		last = json_pack("{s:f, s:s, s:s, s:I, s:s, s:I}", "time",
				 (double)read.time_ns / 1e9, "exe", read.exe, "user", read.user,
				 "uid", (json_int_t)read.uid, "login_user", read.login, "pid",
				 (json_int_t)read.pid);
	if (reads->since_ns)
		since = json_real((double)reads->since_ns / 1e9);
	return json_object_set_new(object, "last_read", last) == 0 &&
	       json_object_set_new(object, "records_since", since) == 0;
}

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(object, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void print_search(const json_t *search)
{
	const char *state = json_string_value(json_object_get(search, "state"));
	const bool now = state && !strcmp(state, "searching");
	const json_t *counts = json_object_get(search, now ? "now" : "last");
	double ended = json_number_value(json_object_get(search, "ended"));
	char when[32];

	if (!state)
		return;
	if (!strcmp(state, "off")) {
		fprintf(stderr, "The daemon does not search for keys (settings.discover).\n");
		return;
	}
	fprintf(stderr, "The daemon's search: ");
	if (now)
		fprintf(stderr, "tree %" PRIu64 " of %" PRIu64 ", ", number(search, "tree"),
			number(search, "trees"));
	else if (ended > 0) {
		term_time(ended, when);
		fprintf(stderr, "ended %s, ", when);
	} else {
		fprintf(stderr, "has not begun, ");
	}
	fprintf(stderr,
		"%" PRIu64 " names looked at, %" PRIu64 " files opened, %" PRIu64
		" looked into; %" PRIu64 " keys watched that no name leads to",
		number(counts, "names"), number(counts, "opened"), number(counts, "asked"),
		number(search, "watched"));
	if (number(search, "apart"))
		fprintf(stderr, "; %" PRIu64 " places left alone that may not answer",
			number(search, "apart"));
	if (json_is_true(json_object_get(counts, "bounded")))
		fprintf(stderr, "; a limit was reached");
	if (!now)
		fprintf(stderr, "; next in %" PRIu64 " s", number(search, "next_in_s"));
	fprintf(stderr, "\n");
}

void last_reads_print_search(const char *socket)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *request = json_pack("{s:s}", "do", "status"), *reply = NULL;

	/* Nobody need run: an inventory does without. */
	if (!request || control_client_new(socket, &client) < 0 ||
	    control_client_send(client, request) < 0 || control_client_next(client, &reply) < 0)
		return;
	print_search(json_object_get(json_object_get(reply, "result"), "search"));
}
