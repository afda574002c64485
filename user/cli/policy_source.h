/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a command gets its policy from, and what `~` stands for here. */
#pragma once

#include "cli/cli.h"
#include "policy/policy.h"

/*
 * The files, or if there are none the installed policy. What is wrong is printed to stderr after
 * the command's name. 0, or an exit code.
 */
int policy_source_load(const char *command, const struct cli_list *files,
		       struct policy **out_policy);

/* The shipped files alone. */
int policy_source_load_shipped(const char *command, struct policy **out_policy);

/* Homes of this host's users, from the passwd file alone: no name service is asked. */
struct cli_homes {
	char **list;
	size_t nr;
};
int cli_homes_read(const char *passwd, struct cli_homes *out_homes); /* NULL: /etc/passwd */
void cli_homes_fini(struct cli_homes *homes);
