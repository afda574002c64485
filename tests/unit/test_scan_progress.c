// SPDX-License-Identifier: GPL-2.0-or-later
/* The progress line of a scan: share, rate, time left; the end of a long name. */
#include "cli/scan_progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* These belong to the program, not to the library that tests are linked with. */
#include "cli/scan_progress.c"
#include "cli/term.c"

#define S 1000000000ULL

static const char *line(const char *file, uint64_t done, uint64_t total, uint64_t ns)
{
	static char out[512];
	struct scan_progress p = {.file = file};

	scan_progress_line(&p, done, total, ns, out, sizeof(out));
	return out;
}

static void share_rate_and_time_left_are_shown(void **state)
{
	assert_string_equal(line("core", 0, 1000, 0),
			    "core  ........................   0%, 0 MB/s");
	assert_string_equal(line("core", 500000000, 1000000000, 2 * S),
			    "core  ############............  50%, 250 MB/s, 2 s left");
	/* Longer than announced: a file that grows. */
	assert_string_equal(line("core", 2000000000, 1000000000, 2 * S),
			    "core  ######################## 100%, 1000 MB/s, 0 s left");
}

static void a_stream_has_no_share(void **state)
{
	assert_string_equal(line("-", 500000000, SCAN_SIZE_UNKNOWN, 2 * S), "-  500 MB, 250 MB/s");
}

static void of_a_long_name_the_end_is_shown(void **state)
{
	assert_string_equal(line("/var/lib/systemd/coredump/core.nginx.33.zst", 0,
				 SCAN_SIZE_UNKNOWN, S),
			    "emd/coredump/core.nginx.33.zst  0 MB, 0 MB/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share_rate_and_time_left_are_shown),
		cmocka_unit_test(a_stream_has_no_share),
		cmocka_unit_test(of_a_long_name_the_end_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
