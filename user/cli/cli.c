// SPDX-License-Identifier: GPL-2.0-or-later
/* Choosing the subcommand and parsing its options, from the tables. */
#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define NS_PER_S 1000000000ULL

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

static int refuse(struct parser *parser, const char *fmt, ...) _printf_(2, 3);
static int refuse(struct parser *parser, const char *fmt, ...)
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
		return refuse(parser, "--%s takes no value", option->name);
	if (option->kind != CLI_FLAG && !value) {
		if (parser->next >= parser->argc)
			return refuse(parser, "--%s needs %s", option->name, option->arg);
		value = parser->argv[parser->next++];
	}
	r = store_value(option, value, parser->now_ns, parser->options);
	if (r == -E2BIG)
		return refuse(parser, "--%s was given more than %d times", option->name,
			      CLI_LIST_MAX);
	return r < 0 ? refuse(parser, "--%s: not a %s: %s", option->name, option->arg, value) : 0;
}

static int take_long(struct parser *parser, const char *arg)
{
	const char *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct cli_option *option = find_option(parser->command, arg, len, 0);

	if (len == 4 && !memcmp(arg, "help", 4))
		return -ECANCELED;
	if (!option)
		return refuse(parser, "no such option: --%.*s", (int)len, arg);
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
			return refuse(parser, "no such option: -%c", *letters);
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
		return refuse(&parser, "needs %s", command->args);
	if ((unsigned)nr > command->max_args)
		return refuse(&parser, "does not take this argument: %s", argv[command->max_args]);
	return nr;
}
