// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail replay`: a recorded trace through the whole way, without a kernel and without the
 * daemon. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/alert_view.h"
#include "cli/cli.h"
#include "cli/term.h"
#include "engine/replay.h"
#include "journal/journal.h"
#include "policy/check.h"
#include "policy/policy.h"

struct options {
	struct cli_list policy;
	const char *journal;
	bool json;
};

struct output {
	const struct options *options;
	struct term term;
	struct journal *journal; /* NULL: none is written */
	uint64_t now; /* latest time that was told, CLOCK_REALTIME ns */
	uint64_t alerts;
	bool failed;
};

/* The log begins with the time of what is told first: nobody looks at the clock. */
static uint64_t pass(struct output *output, uint64_t now)
{
	const bool first = !output->now;

	if (now > output->now)
		output->now = now;
	if (first)
		journal_sync(output->journal, output->now);
	return output->now;
}

static void on_evidence(void *ctx, const struct evidence *evidence)
{
	struct output *output = ctx;
	struct body body;

	body_access(&body, evidence);
	journal_append(output->journal, JOURNAL_ACCESS, &body, pass(output, evidence->now_ns));
}

static void on_gap(void *ctx, const struct evidence_gap *gap)
{
	struct output *output = ctx;
	struct body body;

	body_gap(&body, gap);
	journal_append(output->journal, JOURNAL_GAP, &body, pass(output, gap->now_ns));
}

static const struct engine_evidence evidence = {on_evidence, on_gap};

/* Written before it is shown, as the daemon does. */
static void keep_alert(struct output *output, const struct alert *alert)
{
	struct body body;

	body_alert(&body, alert);
	journal_append(output->journal, JOURNAL_ALERT, &body, pass(output, alert->time_ns));
	journal_flush(output->journal, output->now);
}

static void on_alert(void *ctx, const struct alert *alert)
{
	_cleanup_free_ char *line = alert_json(alert);
	struct output *output = ctx;

	output->alerts++;
	if (output->journal)
		keep_alert(output, alert);
	if (!line) {
		output->failed = true;
	} else if (output->options->json) {
		puts(line);
	} else {
		json_auto_t *object = json_loads(line, 0, NULL);

		if (object)
			alert_view(&output->term, object);
		else
			output->failed = true;
	}
	if (output->journal)
		fflush(stdout);
}

static int end_journal(struct output *output, int r)
{
	const char *what = "cannot be written";

	if (!r) {
		r = journal_sync(output->journal, output->now);
		journal_fault(output->journal, &what);
		if (r < 0)
			fprintf(stderr, "keytrail replay: the journal %s: %s\n", what,
				strerror(-r));
	}
	journal_free(output->journal);
	return r;
}

static int load_policy(const struct options *options, struct policy **out_policy)
{
	struct policy_files files = {NULL, 0};
	struct diag_list diags = {0};
	int r;

	if (options->policy.nr) {
		r = policy_load(options->policy.items, options->policy.nr, &diags, out_policy);
	} else {
		r = policy_default_files(&diags, &files);
		if (r == 0)
			r = policy_load((const char *const *)files.paths, files.nr, &diags,
					out_policy);
	}
	if (r < 0) {
		diag_print(&diags, stderr);
		fprintf(stderr, "keytrail replay: the policy cannot be used: %s\n", strerror(-r));
	}
	policy_files_fini(&files);
	diag_list_fini(&diags);
	return r;
}

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	struct output output = {.options = options};
	struct replay_options replay = {.alert = on_alert, .ctx = &output};
	struct replay_result result = {0};
	struct diag_list diags = {0};
	struct policy *policy = NULL;
	int r = load_policy(options, &policy);

	if (r < 0)
		return r == -EINVAL ? CLI_USAGE : CLI_FAILED;
	term_init(&output.term, stdout);
	replay.policy = policy;
	if (options->journal) {
		r = journal_new(&(struct journal_options){.dir = options->journal},
				&output.journal);
		replay.evidence = &evidence;
	}
	if (!r)
		r = replay_run(argv[0], &replay, &diags, &result);
	if (options->journal && end_journal(&output, r) < 0)
		r = r < 0 ? r : -EIO;
	diag_print(&diags, stderr);
	if (r == -ENOMEM || output.failed)
		fprintf(stderr, "keytrail replay: out of memory\n");
	diag_list_fini(&diags);
	policy_free(policy);
	if (r == 0 && !options->json)
		printf("%" PRIu64 " events and ticks, %" PRIu64 " alert%s\n", result.items,
		       output.alerts, output.alerts == 1 ? "" : "s");
	return r < 0 || output.failed ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("policy", 'p', CLI_LIST, struct options, policy, "FILE",
		   "Policy to judge by instead of the installed one; may be given again"),
	CLI_OPTION("journal", 0, CLI_STRING, struct options, journal, "DIR",
		   "Append what the daemon would record to the evidence log in DIR"),
	CLI_OPTION("json", 'j', CLI_FLAG, struct options, json, NULL,
		   "One JSON object per line (docs/alerts.md)"),
};

const struct cli_command cmd_replay = {
	.name = "replay",
	.args = "FILE",
	.min_args = 1,
	.max_args = 1,
	.summary = "Run a recorded trace through policy and alerting",
	.about =
		"Reads a trace that `keytraild --record FILE` wrote (\"-\" for standard input) and shows\n"
		"the alerts that the policy makes of it, with the same ids as the recorded run. Needs no\n"
		"daemon, no kernel side and no rights: a policy can be tried on yesterday's events.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
