// SPDX-License-Identifier: GPL-2.0-or-later
/* `keytrail`, the command: finds out which one is meant and runs it. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/cli.h"

#define NS_PER_S 1000000000ULL

static int run_help(int argc, char **argv)
{
	const struct cli_command *command;
	int words;

	if (argc == 0) {
		cli_usage(stdout);
		return 0;
	}
	command = cli_find(argc, argv, &words);
	if (!command) {
		fprintf(stderr, "keytrail: no such command: %s\n", argv[0]);
		return CLI_USAGE;
	}
	cli_help(command, stdout);
	return 0;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	_cleanup_free_ void *options = calloc(1, command->options_size ? command->options_size : 1);
	struct timespec now;
	char error[256];
	int nr;

	if (!options) {
		fprintf(stderr, "keytrail: out of memory\n");
		return CLI_FAILED;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	nr = cli_parse(command, argc, argv, now.tv_sec * NS_PER_S + now.tv_nsec, options, error,
		       sizeof(error));
	if (nr == -ECANCELED) {
		cli_help(command, stdout);
		return 0;
	}
	if (nr < 0) {
		fprintf(stderr, "keytrail %s: %s\nTry: keytrail help %s\n", command->name, error,
			command->name);
		return CLI_USAGE;
	}
	return command->run(options, nr, argv);
}

static int run_main(int argc, char **argv)
{
	const struct cli_command *command;
	int words, r;

	if (argc < 2) {
		cli_usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("keytrail %s\n", KEYTRAIL_VERSION);
		return 0;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return run_help(argc - 2, argv + 2);
	if (!strcmp(argv[1], "complete") && argc > 2 && !strcmp(argv[2], "--")) {
		cli_complete(argc - 3, argv + 3, stdout);
		return 0;
	}
	command = cli_find(argc - 1, argv + 1, &words);
	if (!command) {
		fprintf(stderr, "keytrail: no such command: %s%s%s\nTry: keytrail help\n", argv[1],
			argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
		return CLI_USAGE;
	}
	r = run_command(command, argc - 1 - words, argv + 1 + words);
	if (fflush(stdout) || ferror(stdout)) {
		/* A reader that went away (| head) is no failure. */
		if (errno == EPIPE)
			return r;
		fprintf(stderr, "keytrail: cannot write the output: %s\n", strerror(errno));
		return CLI_FAILED;
	}
	return r;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN); /* a reader that goes away is seen as EPIPE */
	return run_main(argc, argv);
}
