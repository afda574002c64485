// SPDX-License-Identifier: GPL-2.0-or-later
/* All subcommands, in the order in which help lists them. */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
	&cmd_status,	    &cmd_alerts,      &cmd_trail,	 &cmd_policy_check,
	&cmd_policy_show,   &cmd_policy_diff, &cmd_policy_test,	 &cmd_policy_discover,
	&cmd_explain,	    &cmd_inventory,   &cmd_learn,	 &cmd_doctor,
	&cmd_sweep,	    &cmd_reload,      &cmd_replay,	 &cmd_scan,
	&cmd_needle_make,   &cmd_needle_list, &cmd_needle_merge, &cmd_needle_sign,
	&cmd_needle_verify, &cmd_verify,      &cmd_export,	 NULL,
};
