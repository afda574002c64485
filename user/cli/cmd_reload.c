// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail reload`: the daemon reads its policy again. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/daemon.h"

struct options {
	const char *socket;
};

static int run(const void *p, int argc, char **argv)
{
	const struct options *options = p;
	json_auto_t *result = NULL;
	int r = daemon_call(options->socket, json_pack("{s:s}", "do", "reload"), &result);

	if (r != 0)
		return r;
	daemon_print_lines(result, "warnings");
	printf("policy reloaded, generation %" JSON_INTEGER_FORMAT "\n",
	       json_integer_value(json_object_get(result, "generation")));
	return 0;
}

static const struct cli_option options[] = {
	CLI_OPTION("socket", 0, CLI_STRING, struct options, socket, "PATH",
		   "Control socket of the daemon"),
};

const struct cli_command cmd_reload = {
	.name = "reload",
	.args = "",
	.summary = "Let the daemon read its policy again (root)",
	.about = "Lets keytraild read its policy files again, as SIGHUP does, and tells the "
		 "result.\n"
		 "A policy with errors is refused: they are printed and the old policy stays in "
		 "force.",
	.options = options,
	.nr_options = sizeof(options) / sizeof(options[0]),
	.options_size = sizeof(struct options),
	.run = run,
};
