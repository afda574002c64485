// SPDX-License-Identifier: GPL-2.0-or-later
/* Options, help and the choice of the subcommand, from the tables. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define NS_PER_S    1000000000ULL
#define HELP_COLUMN 26

const struct cli_command *const cli_commands[] = {
	&cmd_status, &cmd_alerts, &cmd_policy_check, &cmd_reload, &cmd_replay, &cmd_scan, NULL,
};

/* Two words are compared with two arguments. */
static bool name_matches(const char *name, int argc, char **argv, int *out_words)
{
	const char *space = strchr(name, ' ');
	size_t first = space ? (size_t)(space - name) : strlen(name);

	if (argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], name, first))
		return false;
	if (space && (argc < 2 || strcmp(argv[1], space + 1)))
		return false;
	*out_words = space ? 2 : 1;
	return true;
}

const struct cli_command *cli_find(int argc, char **argv, int *out_words)
{
	for (size_t i = 0; cli_commands[i]; i++)
		if (name_matches(cli_commands[i]->name, argc, argv, out_words))
			return cli_commands[i];
	return NULL;
}

static int parse_relative(const char *text, uint64_t now_ns, uint64_t *out_ns)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || !end[0] || end[1] || n > 1000000000)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t ns = n * units[i].seconds * NS_PER_S;

		if (*end != units[i].unit)
			continue;
		if (n > UINT64_MAX / NS_PER_S / units[i].seconds)
			return -EINVAL;
		*out_ns = ns < now_ns ? now_ns - ns : 0;
		return 0;
	}
	return -EINVAL;
}

static int parse_absolute(const char *text, uint64_t *out_ns)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d", "@%s"};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = {.tm_isdst = -1};
		char *end = strptime(text, formats[i], &tm);
		time_t t;

		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		t = mktime(&tm);
		if (t < 0)
			return -EINVAL;
		*out_ns = (uint64_t)t * NS_PER_S;
		return 0;
	}
	return -EINVAL;
}

int cli_parse_time(const char *text, uint64_t now_ns, uint64_t *out_ns)
{
	if (*text < '0' || (*text > '9' && *text != '@'))
		return -EINVAL;
	return parse_relative(text, now_ns, out_ns) == 0 ? 0 : parse_absolute(text, out_ns);
}

static int store_value(const struct cli_option *option, const char *value, uint64_t now_ns,
		       void *options)
{
	void *field = (char *)options + option->offset;
	struct cli_list *list = field;
	unsigned long long n;
	char *end;

	switch (option->kind) {
	case CLI_FLAG:
		*(bool *)field = true;
		return 0;
	case CLI_STRING:
		*(const char **)field = value;
		return 0;
	case CLI_LIST:
		if (list->nr == CLI_LIST_MAX)
			return -E2BIG;
		list->items[list->nr++] = value;
		return 0;
	case CLI_UINT:
		errno = 0;
		n = strtoull(value, &end, 10);
		if (errno || *value < '0' || *value > '9' || *end)
			return -EINVAL;
		*(uint64_t *)field = n;
		return 0;
	case CLI_TIME:
		return cli_parse_time(value, now_ns, field);
	}
	return -EINVAL;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *name,
					    size_t len, char letter)
{
	for (size_t i = 0; i < command->nr_options; i++) {
		const struct cli_option *option = &command->options[i];

		if (name ? strlen(option->name) == len && !memcmp(option->name, name, len)
			 : option->letter && option->letter == letter)
			return option;
	}
	return NULL;
}

struct parser {
	const struct cli_command *command;
	int argc, next;
	char **argv;
	uint64_t now_ns;
	void *options;
	char *error;
	size_t error_size;
};

static int fail(struct parser *parser, const char *fmt, ...) _printf_(2, 3);
static int fail(struct parser *parser, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(parser->error, parser->error_size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* value: what stood behind `=` or the letter, NULL = take the next argument. */
static int take_option(struct parser *parser, const struct cli_option *option, const char *value)
{
	int r;

	if (option->kind == CLI_FLAG && value)
		return fail(parser, "--%s takes no value", option->name);
	if (option->kind != CLI_FLAG && !value) {
		if (parser->next >= parser->argc)
			return fail(parser, "--%s needs %s", option->name, option->arg);
		value = parser->argv[parser->next++];
	}
	r = store_value(option, value, parser->now_ns, parser->options);
	if (r == -E2BIG)
		return fail(parser, "--%s was given more than %d times", option->name,
			    CLI_LIST_MAX);
	return r < 0 ? fail(parser, "--%s: not a %s: %s", option->name, option->arg, value) : 0;
}

static int take_long(struct parser *parser, const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct cli_option *option = find_option(parser->command, arg, len, 0);

	if (len == 4 && !memcmp(arg, "help", 4))
		return -ECANCELED;
	if (!option)
		return fail(parser, "no such option: --%.*s", (int)len, arg);
	return take_option(parser, option, equals ? equals + 1 : NULL);
}

/* "-fn20" is "-f -n 20". */
static int take_short(struct parser *parser, const char *letters)
{
	for (; *letters; letters++) {
		const struct cli_option *option = find_option(parser->command, NULL, 0, *letters);
		int r;

		if (!option && *letters == 'h')
			return -ECANCELED;
		if (!option)
			return fail(parser, "no such option: -%c", *letters);
		if (option->kind != CLI_FLAG)
			return take_option(parser, option, letters[1] ? letters + 1 : NULL);
		r = take_option(parser, option, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

int cli_parse(const struct cli_command *command, int argc, char **argv, uint64_t now_ns,
	      void *options, char *error, size_t error_size)
{
	struct parser parser = {command, argc, 0, argv, now_ns, options, error, error_size};
	bool only_args = false;
	int nr = 0;

	if (command->defaults)
		command->defaults(options);
	while (parser.next < argc) {
		char *arg = argv[parser.next++];
		int r = 0;

		if (only_args || arg[0] != '-' || !arg[1])
			argv[nr++] = arg;
		else if (!strcmp(arg, "--"))
			only_args = true;
		else
			r = arg[1] == '-' ? take_long(&parser, arg + 2)
					  : take_short(&parser, arg + 1);
		if (r < 0)
			return r;
	}
	if ((unsigned)nr < command->min_args)
		return fail(&parser, "needs %s", command->args);
	if ((unsigned)nr > command->max_args)
		return fail(&parser, "does not take this argument: %s", argv[command->max_args]);
	return nr;
}

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

int cli_main(int argc, char **argv)
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
