// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail policy check`: the policy as the daemon would read it, with every error and its place.
 */
#include "cli/cli.h"
#include "policy/check.h"

static int run(const void *options, int argc, char **argv)
{
	return policy_check_files((const char *const *)argv, argc, stdout);
}

const struct cli_command cmd_policy_check = {
	.name = "policy check",
	.args = "[FILE...]",
	.max_args = 1024,
	.summary = "Check policy files as the daemon reads them",
	.about = "Reads the files, or the installed policy if none is given, with the code that "
		 "the daemon\n"
		 "uses, and prints each error and warning as FILE:LINE:COLUMN. Needs no daemon and "
		 "no\n"
		 "rights. Exits 0 if the policy is good, 2 if it is not.",
	.run = run,
};
