// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail alerts`: what was raised, for people or as JSON lines. Schema: docs/alerts.md. */
#include <string.h>

#include "cli/alert_view.h"
#include "cli/cli.h"
#include "cli/daemon.h"
#include "cli/term.h"

/* What a person sees who asks for nothing in particular; a program, or who names a time, gets all.
 */
#define DEFAULT_LIMIT 20
#define NOT_GIVEN     UINT64_MAX

struct options {
	bool follow, json;
	uint64_t since, limit;
	const char *type, *severity, *socket;
};

static json_t *make_request(const struct options *options)
{
	uint64_t limit = options->limit;
	json_t *request;

	if (limit == NOT_GIVEN)
		limit = options->json || options->since ? INT64_MAX : DEFAULT_LIMIT;
	request = json_pack("{s:s, s:I, s:b, s:s*, s:s*}", "do", "alerts", "limit",
			    (json_int_t)limit, "follow", (int)options->follow, "type",
			    options->type, "severity", options->severity);

	if (request && options->since)
		json_object_set_new(request, "since", json_real(options->since / 1e9));
	return request;
}

static int run(const void *p, int argc, char **argv)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	const struct options *options = p;
	struct term term;
	int r;

	if (options->limit > INT64_MAX && options->limit != NOT_GIVEN) {
		fprintf(stderr, "keytrail alerts: --limit is too large\n");
		return CLI_USAGE;
	}
	term_init(&term, stdout);
	r = daemon_ask(options->socket, make_request(options), &client);
	while (r == 0) {
		json_auto_t *reply = NULL;
		const json_t *alert;

		r = daemon_next(client, &reply);
		if (r != 0)
			break;
		alert = json_object_get(reply, "alert");
		if (!alert) { /* the end of what the store has */
			if (!options->follow)
				return 0;
			continue;
		}
		if (options->json) {
			json_dumpf(alert, stdout, JSON_COMPACT);
			fputc('\n', stdout);
		} else {
			alert_view(&term, alert);
		}
		if (options->follow && fflush(stdout))
			return 0; /* the reader went away */
	}
	return r;
}

static void defaults(void *p)
{
	struct options *options = p;

	options->limit = NOT_GIVEN;
}

static const struct cli_option options[] = {
	CLI_OPTION("follow", 'f', CLI_FLAG, struct options, follow, NULL,
		   "Go on with what is raised from now on, until interrupted"),
	CLI_OPTION("since", 's', CLI_TIME, struct options, since, "TIME",
		   "Only alerts from then on: 15m, 2h, 7d, 2025-01-31 14:05"),
	CLI_OPTION("limit", 'n', CLI_UINT, struct options, limit, "NUMBER",
		   "At most the newest NUMBER that are stored (20; with --since or --json: all)"),
	CLI_OPTION("type", 't', CLI_STRING, struct options, type, "TYPE",
		   "Only this type: key-read, dump-read, events-lost, ..."),
	CLI_OPTION("severity", 0, CLI_STRING, struct options, severity, "LEVEL",
		   "Only this severity and above: info, low, medium, high, critical"),
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "One JSON object per line (docs/alerts.md)"),
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_alerts = {
	.name = "alerts",
	.args = "",
	.summary = "Show alerts, stored and as they come",
	.about = "Shows the newest alerts of the daemon's store, oldest first: when, what in one "
		 "sentence,\n"
		 "the object and its key, the process and its ancestors, and the rule that "
		 "decided.\n"
		 "Control characters in names are shown as \\xHH.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.defaults = defaults,
	.run = run,
};
