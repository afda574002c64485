/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of `keytrail`, described by tables that drive parsing, help and the man page's
 * test.
 *
 * A command is one `const struct cli_command` in a file of its own, listed in commands.c. Its
 * options land in a struct of its own, filled by cli_parse(); CLI_OPTION checks at compile time
 * that the field has the type that the kind of option writes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes, beside 0. */
#define CLI_FAILED	1
#define CLI_USAGE	2 /* wrong use, or a policy with errors */
#define CLI_UNAVAILABLE 69 /* the daemon does not run (EX_UNAVAILABLE) */
#define CLI_NOPERM	77 /* not allowed (EX_NOPERM) */

enum cli_kind {
	CLI_FLAG, /* bool */
	CLI_UINT, /* uint64_t */
	CLI_STRING, /* const char *, points into argv */
	CLI_LIST, /* struct cli_list, may be given several times */
	CLI_TIME, /* uint64_t: CLOCK_REALTIME, ns */
};

#define CLI_LIST_MAX 64

struct cli_list {
	const char *items[CLI_LIST_MAX]; /* point into argv */
	size_t nr;
};

struct cli_option {
	const char *name; /* long form, without -- */
	char letter; /* short form, 0 = none */
	enum cli_kind kind;
	size_t offset; /* of the field in the options struct */
	const char *arg; /* what the value is called in help; NULL for a flag */
	const char *help; /* one line, no full stop */
};

/* clang-format off */
#define CLI_TYPE_OF_CLI_FLAG bool
#define CLI_TYPE_OF_CLI_UINT uint64_t
#define CLI_TYPE_OF_CLI_STRING const char *
#define CLI_TYPE_OF_CLI_LIST struct cli_list
#define CLI_TYPE_OF_CLI_TIME uint64_t
/* clang-format on */

/* One row of an options table: {long name, letter, CLI_kind, struct, field, name of the value,
 * help}. */
#define CLI_OPTION(name_, letter_, kind_, type_, field_, arg_, help_)               \
	{                                                                           \
		.name = name_, .letter = letter_, .kind = kind_,                    \
		.offset = offsetof(type_, field_) +                                 \
			  0 * sizeof(char[__builtin_types_compatible_p(             \
						  __typeof__(((type_ *)0)->field_), \
						  CLI_TYPE_OF_##kind_)              \
						  ? 1                               \
						  : -1]),                           \
		.arg = arg_, .help = help_,                                         \
	}

struct cli_command {
	const char *name; /* one word or two: "policy check" */
	const char *args; /* "[FILE...]", "" = none */
	unsigned min_args, max_args; /* positional */
	const char *summary; /* one line, no full stop */
	const char *about; /* for `keytrail help NAME`: wrapped paragraphs */
	const struct cli_option *options;
	size_t nr_options;
	size_t options_size; /* of the struct that `options` fill; it starts zeroed */
	void (*defaults)(void *options); /* may be NULL */
	/* Returns the exit code. argv holds the positional arguments only. */
	int (*run)(const void *options, int argc, char **argv);
};

/* All commands, in the order of help, NULL at the end. */
extern const struct cli_command *const cli_commands[];

extern const struct cli_command cmd_status, cmd_alerts, cmd_policy_check, cmd_policy_show,
	cmd_policy_diff, cmd_policy_test, cmd_policy_discover, cmd_explain, cmd_inventory,
	cmd_reload, cmd_replay, cmd_scan, cmd_needle_make, cmd_needle_list, cmd_needle_merge,
	cmd_needle_sign, cmd_needle_verify, cmd_verify, cmd_export, cmd_learn, cmd_doctor,
	cmd_sweep, cmd_trail;

/*
 * Parses what follows the command's name into `options` (of options_size bytes, aligned for any
 * type) and moves the positional arguments to the front of argv. Returns their number; -EINVAL with
 * a message in `error`; -ECANCELED: help was asked for. `now_ns`: what relative times count from.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, uint64_t now_ns,
	      void *options, char *error, size_t error_size);

/* The command that argv begins with, *out_words of it being its name. NULL if none. */
const struct cli_command *cli_find(int argc, char **argv, int *out_words);

void cli_help(const struct cli_command *command, FILE *f);
void cli_usage(FILE *f);
void cli_complete(int argc, char **argv, FILE *f); /* words that may follow, for the shell */

/* "90s", "15m", "2h", "7d" before now; "2025-01-31", "2025-01-31 14:05[:09]" (local), "@SECONDS".
 */
int cli_parse_time(const char *text, uint64_t now_ns, uint64_t *out_ns);
