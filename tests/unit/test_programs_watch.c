// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/programs.c: that the database of rpm does not answer is told once, and once that it does.
 */
#include "daemon/programs.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct rpm_counts given;
static char told_text[512];

void rpm_counts(struct rpm_counts *out_counts)
{
	*out_counts = given;
}

void feed_health(struct app *app, enum health_level level, const char *what, const char *text)
{
	size_t len = strlen(told_text);

	snprintf(told_text + len, sizeof(told_text) - len, "%s %s; ",
		 level == HEALTH_OK ? "ok" : "degraded", what);
}

_printf_(2, 3) void log_line(const char *prefix, const char *fmt, ...)
{
}

void feed(struct app *app, const struct event *event)
{
}

uint64_t app_boottime(void)
{
	return 1;
}

bool mounts_answers(struct mounts *mounts, int fd)
{
	return true;
}

void inspect_answer(struct inspect *inspect)
{
}

int inspect_new(const struct inspect_ops *ops, void *userdata, const char *info,
		const struct rpm_reader *rpm, struct inspect **out_inspect)
{
	return -ENOMEM;
}

void inspect_free(struct inspect *inspect)
{
}

int inspect_fd(const struct inspect *inspect)
{
	return -1;
}

void inspect_want(struct inspect *inspect, struct span path, const struct inode_id *identity,
		  bool first)
{
}

void inspect_again(struct inspect *inspect, struct span path, const struct inode_id *identity,
		   bool first)
{
}

void inspect_tell(struct inspect *inspect, const struct inode_id *identity)
{
}

void deny_program(struct deny *deny, const struct event_program *program)
{
}

void inspect_stats(const struct inspect *inspect, struct inspect_stats *out_stats)
{
	*out_stats = (struct inspect_stats){};
}

static void answer_with(struct programs_watch *w, uint64_t answered, uint64_t timed_out,
			const char *expected)
{
	given = (struct rpm_counts){.answered = answered, .timed_out = timed_out};
	told_text[0] = '\0';
	assert_int_equal(on_answer(NULL, -1, 0, w), 0);
	assert_string_equal(told_text, expected);
}

static void silence_is_told_once(void **state)
{
	struct programs_watch w = {};

	answer_with(&w, 0, 0, "");
	answer_with(&w, 5, 0, "");
	answer_with(&w, 5, 1, "degraded rpm-silent; ");
	answer_with(&w, 5, 2, "");
	/* One answered and one did not: not over yet. */
	answer_with(&w, 6, 3, "");
	answer_with(&w, 6, 3, "");
	answer_with(&w, 7, 3, "ok rpm-silent; ");
	answer_with(&w, 8, 3, "");
	answer_with(&w, 8, 4, "degraded rpm-silent; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
