// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail policy diff`: in what two policies differ, whatever their files look like. */
#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/policy_source.h"
#include "policy/show.h"

struct options {
	struct cli_list from, to;
};

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	_cleanup_(policy_freep) struct policy *from = NULL, *to = NULL;
	int code, nr;

	code = options->from.nr ? policy_source_load("policy diff", &options->from, &from)
				: policy_source_load_shipped("policy diff", &from);
	if (!code)
		code = policy_source_load("policy diff", &options->to, &to);
	if (code)
		return code;
	nr = policy_diff(from, to, stdout);
	if (nr < 0) {
		fprintf(stderr, "keytrail policy diff: out of memory\n");
		return CLI_FAILED;
	}
	return nr ? CLI_FAILED : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("from", 'f', CLI_LIST, struct options, from, "FILE",
		   "Policy to begin with instead of the shipped one; may be given again"),
	CLI_OPTION("to", 't', CLI_LIST, struct options, to, "FILE",
		   "Policy to compare instead of the installed one; may be given again"),
};

const struct cli_command cmd_policy_diff = {
	.name = "policy diff",
	.args = "",
	.summary = "Show in what two policies differ",
	.about =
		"Compares what two policies come to, not how they are written: settings, entries, "
		"rules,\n"
		"zones. Lines of the first only begin with -, of the second only with +. Without "
		"options it\n"
		"tells what this host's policy changes in the shipped one. Exits 0 if they are the "
		"same, 1 if\n"
		"they differ.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
