// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail verify`: proves the evidence log, or says where it is broken. docs/journal.md. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/syslogline.h"
#include "cli/cli.h"
#include "journal/verify.h"

#define LOG_DEFAULT KT_STATEDIR "/evidence"
#define COULD_NOT   2 /* exit status: neither proved nor found broken */
#define HEADS_MAX   1000000

struct options {
	struct cli_list heads;
	const char *log;
	bool json;
};

struct heads {
	struct verify_head *items;
	size_t nr, room;
};

static int add_head(struct heads *heads, const struct verify_head *head)
{
	if (heads->nr == heads->room) {
		size_t room = heads->room ? 2 * heads->room : 64;
		struct verify_head *more;

		if (heads->nr == HEADS_MAX)
			return -E2BIG;
		if (room > HEADS_MAX)
			room = HEADS_MAX;
		more = realloc(heads->items, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		heads->items = more;
		heads->room = room;
	}
	heads->items[heads->nr++] = *head;
	return 0;
}

/*
 * The head that a line of ours carries (RFC 5424): from its own structured data and nowhere else,
 * for what others wrote into the log may look like it. Who could write lines as of keytraild into
 * that log is not to be seen in them.
 */
static bool head_of_line(const char *text, struct verify_head *out_head)
{
	char seq[24], hash[65], head[96];
	struct syslog_line line;

	if (!syslog_line_parse(text, &line) || !line.rfc5424 ||
	    !syslog_line_param(&line, "chain_seq", seq, sizeof(seq)) ||
	    !syslog_line_param(&line, "chain_head", hash, sizeof(hash)))
		return false;
	snprintf(head, sizeof(head), "%s:%s", seq, hash);
	return verify_head_parse(head, out_head);
}

static int heads_of_log(const char *path, struct heads *heads)
{
	_cleanup_fclose_ FILE *opened = strcmp(path, "-") ? fopen(path, "re") : NULL;
	FILE *f = strcmp(path, "-") ? opened : stdin;
	_cleanup_free_ char *line = NULL;
	struct verify_head head;
	size_t size = 0;
	int r = 0;

	if (!f)
		return -errno;
	while (!r && getline(&line, &size, f) > 0)
		if (head_of_line(line, &head))
			r = add_head(heads, &head);
	return r < 0 ? r : ferror(f) ? -EIO : 0;
}

static int read_heads(const struct options *options, struct heads *heads)
{
	struct verify_head head;
	int r = 0;

	for (size_t i = 0; !r && i < options->heads.nr; i++) {
		if (!verify_head_parse(options->heads.items[i], &head)) {
			fprintf(stderr,
				"keytrail verify: '%s' is no head: SEQ:HASH, as chain_seq and "
				"chain_head of a heartbeat\n",
				options->heads.items[i]);
			return -EINVAL;
		}
		r = add_head(heads, &head);
	}
	if (!r && options->log)
		r = heads_of_log(options->log, heads);
	if (r < 0)
		fprintf(stderr, "keytrail verify: %s: %s\n", options->log ? options->log : "--head",
			strerror(-r));
	else if (options->log && !heads->nr)
		fprintf(stderr, "keytrail verify: %s has no head of a log\n", options->log);
	return !r && options->log && !heads->nr ? -ENODATA : r;
}

static void show_json(const struct verify_result *r)
{
	char head[LINE_HEX + 1], first[LINE_TIME + 1], last[LINE_TIME + 1], dropped[LINE_TIME + 1];
	json_auto_t *json = NULL;

	line_hex(r->head, head);
	line_time(r->first_ns, first);
	line_time(r->last_ns, last);
	line_time(r->dropped_ns, dropped);
	json = json_pack("{s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I}",
			 "unbroken", r->fault == VERIFY_NONE, "fault", verify_fault_str(r->fault),
			 "records", (json_int_t)r->records, "segments", (json_int_t)r->segments,
			 "bytes", (json_int_t)r->bytes, "first", (json_int_t)r->first, "last",
			 (json_int_t)r->last, "runs", (json_int_t)r->runs, "first_time", first,
			 "last_time", last, "head", head, "torn_bytes", (json_int_t)r->torn,
			 "heads_compared", (json_int_t)r->heads_compared, "heads_absent",
			 (json_int_t)r->heads_absent);
	if (json && r->dropped_ns)
		json_object_set_new(json, "dropped",
				    json_pack("{s:s, s:s}", "at", dropped, "why", r->dropped_why));
	if (json && r->fault)
		json_object_set_new(json, "broken",
				    json_pack("{s:s, s:I, s:I, s:s, s:I, s:I}", "file", r->file,
					      "line", (json_int_t)r->line, "seq",
					      (json_int_t)r->seq, "why", r->why, "places",
					      (json_int_t)r->breaks, "whole_from",
					      (json_int_t)r->whole_from));
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	fputc('\n', stdout);
}

static void show_what_is_there(const struct verify_result *r, bool selection)
{
	char head[LINE_HEX + 1], first[LINE_TIME + 1], last[LINE_TIME + 1];

	line_hex(r->head, head);
	line_time(r->first_ns, first);
	line_time(r->last_ns, last);
	if (!r->records)
		return;
	if (selection)
		printf("  records  %" PRIu64 " of %" PRIu64 " to %" PRIu64 ", in %" PRIu64
		       " run%s\n",
		       r->records, r->first, r->last, r->runs, r->runs == 1 ? "" : "s");
	else
		printf("  records  %" PRIu64 " to %" PRIu64 ", %" PRIu64 " file%s, %" PRIu64
		       " bytes\n",
		       r->first, r->last, r->segments, r->segments == 1 ? "" : "s", r->bytes);
	printf("  time     %s to %s\n", first, last);
	if (!selection)
		printf("  head     %" PRIu64 ":%s\n", r->last, head);
}

static void show(const char *path, const struct verify_result *r, size_t nr_heads, bool selection)
{
	char name[4096], dropped[LINE_TIME + 1];

	escape_bytes(path, strlen(path), name, sizeof(name), NULL);
	if (!r->fault) {
		printf("%s: unbroken\n", name);
	} else {
		printf("%s: BROKEN (%s)\n", name, verify_fault_str(r->fault));
		if (r->file[0] && r->line)
			printf("  at       %s, line %" PRIu64 ", record %" PRIu64 "\n", r->file,
			       r->line, r->seq);
		else if (r->line)
			printf("  at       line %" PRIu64 ", record %" PRIu64 "\n", r->line,
			       r->seq);
		else
			printf("  at       %s%srecord %" PRIu64 "\n", r->file,
			       r->file[0] ? ", " : "", r->seq);
		printf("  why      %s\n", r->why);
		if (r->breaks > 1)
			printf("  and      %" PRIu64 " more place%s after it\n", r->breaks - 1,
			       r->breaks == 2 ? "" : "s");
		if (r->whole_from)
			printf("  whole    from record %" PRIu64 " on\n", r->whole_from);
	}
	show_what_is_there(r, selection);
	if (r->first > 1 && r->dropped_ns && !selection) {
		line_time(r->dropped_ns, dropped);
		printf("  begins   at record %" PRIu64
		       ": what came before was dropped by rule (%s) on %s\n",
		       r->first, r->dropped_why, dropped);
	}
	if (r->torn)
		printf("  torn     %" PRIu64
		       " bytes at the end are no whole record: a crash leaves "
		       "that, or it is being written\n",
		       r->torn);
	if (nr_heads)
		printf("  heads    %" PRIu64 " compared, %" PRIu64
		       " of records that are not there%s\n",
		       r->heads_compared, r->heads_absent,
		       r->heads_compared ? "" : ": nothing is proved by them");
	else if (selection)
		printf("  heads    none was given: whoever made this file could have changed a "
		       "record and its hash\n");
	else
		printf("  heads    none was given: that the end was cut off, or all written anew, "
		       "only a head that left the host can tell\n");
}

static int verify(const char *path, const struct heads *heads, bool *out_selection,
		  struct verify_result *out_result)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	*out_selection = false;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return verify_directory(path, heads->items, heads->nr, out_result);
	*out_selection = true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : verify_selection(fd, heads->items, heads->nr, out_result);
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	const char *path = argc ? argv[0] : LOG_DEFAULT;
	struct verify_result result;
	struct heads heads = {};
	bool selection;
	int r = read_heads(options, &heads);

	if (!r) {
		r = verify(path, &heads, &selection, &result);
		if (r < 0)
			fprintf(stderr, "keytrail verify: %s: %s\n", path,
				r == -ENOENT ? "there is no evidence log" : strerror(-r));
	}
	if (!r && options->json)
		show_json(&result);
	else if (!r)
		show(path, &result, heads.nr, selection);
	free(heads.items);
	return r < 0 ? COULD_NOT : result.fault ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("head", 0, CLI_LIST, struct options, heads, "SEQ:HASH",
		   "A head that left the host (chain_seq, chain_head); may be given again"),
	CLI_OPTION("log", 0, CLI_STRING, struct options, log, "FILE",
		   "Take the heads from the syslog lines in FILE (- for standard input)"),
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL, "Print the result as JSON"),
};

const struct cli_command cmd_verify = {
	.name = "verify",
	.args = "[PATH]",
	.max_args = 1,
	.summary = "Prove that the evidence log is unbroken",
	.about =
		"Reads the evidence log in the directory PATH (" LOG_DEFAULT ") and proves\n"
		"that no record was changed, taken out, added or moved, or names the file, the line and\n"
		"the number of the first one that is broken and why. A PATH that is a file is taken for\n"
		"a selection that `keytrail export` wrote. That the end was cut off, or that all was\n"
		"written anew, shows only beside heads that left the host: --head, --log.\n"
		"Needs no daemon. Exits 0 if the log is unbroken, 1 if it is broken, 2 if that could\n"
		"not be found out.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
