// SPDX-License-Identifier: GPL-2.0-or-later
/* Parsing of the command line, with a table of this test's own. */
#include "cli/cli.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

/* The parser belongs to the program, not to the library that tests are linked with. */
#include "cli/cli.c"

struct given {
	bool flag, other;
	uint64_t number, since;
	const char *word;
	struct cli_list list;
};

static void set_defaults(void *p)
{
	((struct given *)p)->number = 20;
}

static const struct cli_option given_options[] = {
	CLI_OPTION("flag", 'f', CLI_FLAG, struct given, flag, NULL, ""),
	CLI_OPTION("other", 'o', CLI_FLAG, struct given, other, NULL, ""),
	CLI_OPTION("number", 'n', CLI_UINT, struct given, number, "NUMBER", ""),
	CLI_OPTION("since", 0, CLI_TIME, struct given, since, "TIME", ""),
	CLI_OPTION("word", 'w', CLI_STRING, struct given, word, "WORD", ""),
	CLI_OPTION("list", 'l', CLI_LIST, struct given, list, "ITEM", ""),
};

static const struct cli_command one = {
	.name = "one",
	.args = "[FILE...]",
	.max_args = 2,
	.options = given_options,
	.nr_options = ARRAY_SIZE(given_options),
	.options_size = sizeof(struct given),
	.defaults = set_defaults,
};
static const struct cli_command two_words = {.name = "two words", .args = "FILE", .min_args = 1};

const struct cli_command *const cli_commands[] = {&one, &two_words, NULL};

#define NOW 1736426096000000000ULL

/* `line` split at spaces; outputs as cli_parse(). */
static int parse(const struct cli_command *command, const char *line, struct given *given,
		 char error[128])
{
	static char copy[1024];
	static char *argv[128];
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	memset(given, 0, sizeof(*given));
	return cli_parse(command, argc, argv, NOW, given, error, 128);
}

static void all_forms_of_options_are_taken(void **state)
{
	struct given g;
	char error[128];

	assert_int_equal(parse(&one, "", &g, error), 0);
	assert_int_equal(g.number, 20);
	assert_int_equal(parse(&one, "a --flag b", &g, error), 2);
	assert_true(g.flag);
	assert_int_equal(parse(&one, "-fon7", &g, error), 0);
	assert_true(g.flag && g.other);
	assert_int_equal(g.number, 7);
	assert_int_equal(parse(&one, "-n 8 --word x=y", &g, error), 0);
	assert_int_equal(g.number, 8);
	assert_string_equal(g.word, "x=y");
	assert_int_equal(parse(&one, "--number=9 --word=", &g, error), 0);
	assert_int_equal(g.number, 9);
	assert_string_equal(g.word, "");
	assert_int_equal(parse(&one, "-l a --list b --list=c", &g, error), 0);
	assert_int_equal(g.list.nr, 3);
	assert_string_equal(g.list.items[2], "c");
	assert_int_equal(parse(&one, "-- --flag -x", &g, error), 2);
	assert_false(g.flag);
	assert_int_equal(parse(&one, "-", &g, error), 1); /* standard input is an argument */
	assert_int_equal(parse(&one, "--word --flag", &g, error), 0);
	assert_string_equal(g.word, "--flag");
}

static void wrong_use_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{"--nonsense", "no such option: --nonsense"},
		{"--fla", "no such option: --fla"},
		{"--flags", "no such option: --flags"},
		{"-x", "no such option: -x"},
		{"-fx", "no such option: -x"},
		{"--flag=1", "takes no value"},
		{"--number", "--number needs NUMBER"},
		{"-n", "--number needs NUMBER"},
		{"--number x", "--number: not a NUMBER: x"},
		{"--number -1", "not a NUMBER"},
		{"--number 1x", "not a NUMBER"},
		{"--number=", "not a NUMBER"},
		{"--number 99999999999999999999", "not a NUMBER"},
		{"--since soon", "--since: not a TIME: soon"},
		{"a b c", "does not take this argument: c"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct given g;
		char error[128] = "";

		assert_int_equal(parse(&one, rows[i].line, &g, error), -EINVAL);
		if (!strstr(error, rows[i].reason))
			fail_msg("%s: %s", rows[i].line, error);
	}
}

static void arguments_are_counted(void **state)
{
	struct given g;
	char error[128];

	assert_int_equal(parse(&two_words, "", &g, error), -EINVAL);
	assert_string_equal(error, "needs FILE");
}

static void help_can_be_asked_for_anywhere(void **state)
{
	struct given g;
	char error[128];

	assert_int_equal(parse(&one, "--help", &g, error), -ECANCELED);
	assert_int_equal(parse(&one, "a -fh", &g, error), -ECANCELED);
	assert_int_equal(parse(&one, "-- -h", &g, error), 1);
}

static void a_list_has_an_end(void **state)
{
	struct given g;
	char error[128], line[1024] = "";

	for (int i = 0; i < CLI_LIST_MAX; i++)
		strcat(line, "-la ");
	assert_int_equal(parse(&one, line, &g, error), 0);
	strcat(line, "-la ");
	assert_int_equal(parse(&one, line, &g, error), -EINVAL);
	assert_int_equal(g.list.nr, CLI_LIST_MAX);
}

static void commands_are_found_by_all_their_words(void **state)
{
	static char w_one[] = "one", w_two[] = "two", w_words[] = "words", w_on[] = "on";
	char *rows[][2] = {{w_one, w_two}, {w_two, w_words}, {w_two, w_one}, {w_on, w_one}};
	int words = 0;

	assert_ptr_equal(cli_find(2, rows[0], &words), &one);
	assert_int_equal(words, 1);
	assert_ptr_equal(cli_find(2, rows[1], &words), &two_words);
	assert_int_equal(words, 2);
	assert_null(cli_find(1, rows[1], &words));
	assert_null(cli_find(2, rows[2], &words));
	assert_null(cli_find(2, rows[3], &words));
	assert_null(cli_find(0, rows[0], &words));
}

static void times_are_understood(void **state)
{
	static const struct {
		const char *text;
		uint64_t s; /* 0: refused */
	} rows[] = {
		{"90s", 1736426096 - 90},
		{"15m", 1736426096 - 15 * 60},
		{"2h", 1736426096 - 2 * 3600},
		{"7d", 1736426096 - 7 * 86400},
		{"1w", 1736426096 - 7 * 86400},
		{"@1736426000", 1736426000},
		{"2025-01-09", 1736380800},
		{"2025-01-09 12:34", 1736426040},
		{"2025-01-09 12:34:56", 1736426096},
		{"2025-01-09T12:34:56", 1736426096},
		{"", 0},
		{"15", 0},
		{"15 m", 0},
		{"15mm", 0},
		{"-15m", 0},
		{"m", 0},
		{"2025-13-09", 0},
		{"2025-01-09 12", 0},
		{"2025-01-09x", 0},
		{"99999999999999999999s", 0},
		{"yesterday", 0},
		{"@", 0},
	};

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t ns = 0;
		int r = cli_parse_time(rows[i].text, NOW, &ns);

		if (r != (rows[i].s ? 0 : -EINVAL) || ns != rows[i].s * NS_PER_S)
			fail_msg("%s: %d, %llu", rows[i].text, r, (unsigned long long)ns);
	}
	{
		uint64_t ns = 1;

		assert_int_equal(cli_parse_time("1000000000w", NOW, &ns), -EINVAL);
		assert_int_equal(cli_parse_time("5000w", NOW, &ns), 0); /* before 1970 */
		assert_int_equal(ns, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_of_options_are_taken),
		cmocka_unit_test(wrong_use_is_refused_with_a_reason),
		cmocka_unit_test(arguments_are_counted),
		cmocka_unit_test(help_can_be_asked_for_anywhere),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(commands_are_found_by_all_their_words),
		cmocka_unit_test(times_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
