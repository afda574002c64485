// SPDX-License-Identifier: GPL-2.0-or-later
/* Help and completion, from the tables. */
#include <string.h>

#include "cli/cli.h"

#define HELP_COLUMN 26

void cli_help(const struct cli_command *command, FILE *f)
{
	fprintf(f, "Usage: keytrail %s%s%s%s\n\n%s\n", command->name,
		command->nr_options ? " [OPTION...]" : "", *command->args ? " " : "", command->args,
		command->about);
	if (command->nr_options)
		fprintf(f, "\nOptions:\n");
	for (size_t i = 0; i < command->nr_options; i++) {
		const struct cli_option *o = &command->options[i];
		char name[64];

		snprintf(name, sizeof(name), "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
			 o->arg ? "=" : "", o->arg ? o->arg : "");
		fprintf(f, "  %-*s %s\n", HELP_COLUMN, name, o->help);
	}
}

void cli_usage(FILE *f)
{
	fprintf(f, "Usage: keytrail COMMAND [OPTION...] [ARGUMENT...]\n\n"
		   "Follows key material on this host: shows what keytraild sees, checks its "
		   "policy.\n\n"
		   "Commands:\n");
	for (size_t i = 0; cli_commands[i]; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s %s", cli_commands[i]->name, cli_commands[i]->args);
		fprintf(f, "  %-*s %s\n", HELP_COLUMN, name, cli_commands[i]->summary);
	}
	fprintf(f, "  %-*s %s\n", HELP_COLUMN, "help [COMMAND]",
		"Tell about a command and its options");
	fprintf(f, "\n  %-*s %s\n", HELP_COLUMN, "--help", "This text");
	fprintf(f, "  %-*s %s\n", HELP_COLUMN, "--version", "Print the version");
}

/* The words that may follow `argv`: for the shell. */
void cli_complete(int argc, char **argv, FILE *f)
{
	const struct cli_command *command;
	int words = 0;

	if (argc > 0 && !strcmp(argv[0], "help")) {
		argc--;
		argv++;
	} else if (argc == 0) {
		fprintf(f, "help\n--help\n--version\n");
	}
	command = argc ? cli_find(argc, argv, &words) : NULL;
	for (size_t i = 0; command && i < command->nr_options; i++)
		fprintf(f, "--%s%s\n", command->options[i].name,
			command->options[i].arg ? "=" : "");
	for (size_t i = 0; !command && cli_commands[i]; i++) {
		const char *name = cli_commands[i]->name;
		size_t first = strcspn(name, " ");

		if (argc == 0)
			fprintf(f, "%.*s\n", (int)first, name);
		else if (argc == 1 && name[first] && strlen(argv[0]) == first &&
			 !memcmp(argv[0], name, first))
			fprintf(f, "%s\n", name + first + 1);
	}
}
