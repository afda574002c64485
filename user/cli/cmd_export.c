// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail export`: records of the evidence log, as they stand. docs/journal.md. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "journal/select.h"

#define LOG_DEFAULT KT_STATEDIR "/evidence"

struct options {
	uint64_t since, until;
	const char *key, *format;
};

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	const struct select_options select = {
		.since_ns = options->since,
		.until_ns = options->until,
		.key = options->key,
	};
	const char *path = argc ? argv[0] : LOG_DEFAULT;
	uint64_t records, bad;
	int r;

	if (options->format && strcmp(options->format, "jsonl") != 0) {
		fprintf(stderr, "keytrail export: there is one format, jsonl\n");
		return CLI_USAGE;
	}
	/* It is compared with whole values; what would end one is in no name of a key. */
	if (options->key && (!*options->key || strpbrk(options->key, "\"\\"))) {
		fprintf(stderr, "keytrail export: '%s' is no name of a key\n", options->key);
		return CLI_USAGE;
	}
	r = select_records(path, &select, stdout, &records, &bad);
	if (r < 0) {
		fprintf(stderr, "keytrail export: %s: %s\n", path,
			r == -ENOENT ? "there is no evidence log" : strerror(-r));
		return CLI_FAILED;
	}
	if (bad)
		fprintf(stderr,
			"keytrail export: %" PRIu64 " line%s no record and left out: see `keytrail "
			"verify`\n",
			bad, bad == 1 ? " is" : "s are");
	return bad ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("since", 's', CLI_TIME, struct options, since, "TIME",
		   "Only records from then on: 15m, 2h, 7d, 2025-01-31 14:05"),
	CLI_OPTION("until", 'u', CLI_TIME, struct options, until, "TIME",
		   "Only records up to then"),
	CLI_OPTION("key", 'k', CLI_STRING, struct options, key, "FINGERPRINT",
		   "Only records that name this key: SHA256:..., SPKI digest or keygrip"),
	CLI_OPTION("format", 0, CLI_STRING, struct options, format, "FORMAT",
		   "jsonl: the lines of the log, byte for byte (the only one, and the default)"),
};

const struct cli_command cmd_export = {
	.name = "export",
	.args = "[DIR]",
	.max_args = 1,
	.summary = "Write records of the evidence log out",
	.about =
		"Writes the records of the evidence log in DIR (" LOG_DEFAULT "), or those that\n"
		"are asked for, to standard output, byte for byte: `keytrail verify FILE` proves on any\n"
		"host that each is whole. Exits 1 if the log has lines that are no records.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
