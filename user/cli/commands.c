// SPDX-License-Identifier: GPL-2.0-or-later
/* All subcommands, in the order in which help lists them. */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
	&cmd_status, &cmd_alerts, &cmd_policy_check, &cmd_reload, &cmd_replay, &cmd_scan, NULL,
};
