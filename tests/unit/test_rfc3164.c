// SPDX-License-Identifier: GPL-2.0-or-later
/* The framing for /dev/log: same element, sentence first, nothing lost. */
#include "sinks/rfc3164.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "sinks/rfc5424.h"
#include "unit/alert_sample.h"
#include "unit/syslog_parse.h"

static void line_is_reframed(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1 a=\"b\"] "
		 "text here",
		 "<83>Jan  9 12:34:56 keytraild[815]: text here [k@1 a=\"b\"]"},
		{"<86>1 2025-12-31T23:59:59.000000+00:00 - keytraild 1 daemon [k@1] "
		 "\xef\xbb\xbfk\xc3\xa4se",
		 "<86>Dec 31 23:59:59 keytraild[1]: k\xc3\xa4se [k@1]"},
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1 a=\"\\]\\] "
		 "\\\"\"] t",
		 "<83>Jan  9 12:34:56 keytraild[815]: t [k@1 a=\"\\]\\] \\\"\"]"},
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1]",
		 "<83>Jan  9 12:34:56 keytraild[815]:  [k@1]"},
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1 a=\"b\"] x [k@1 a=\"f\"] [k@1[k@1",
		 "<83>Jan  9 12:34:56 keytraild[815]: x (k@1 a=\"f\"] (k@1(k@1 [k@1 a=\"b\"]"},
		{"", NULL},
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1 a=\"\\]",
		 NULL},
		{"<83>1 2025-13-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1] t", NULL},
		{"<83>1 2025-01-09 h keytraild 815 key-read [k@1] t", NULL},
		{"83 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read [k@1] t", NULL},
		{"<83>1 2025-01-09T12:34:56.123456+00:00 h keytraild 815 key-read - t", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t len = strlen(rows[i].in);
		_cleanup_free_ char *out = malloc(len + 1);
		long n = rfc3164_from_rfc5424(rows[i].in, len, out);

		if (!rows[i].out) {
			assert_int_equal(n, -EBADMSG);
			continue;
		}
		assert_in_range(n, 1, len);
		out[n] = '\0';
		assert_string_equal(out, rows[i].out);
	}
}

static void every_line_of_ours_can_be_reframed(void **state)
{
	static const char *const texts[] = {"plain", "", "with ] and \" and \\\\", "\n[x] y",
					    "käse"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		static const struct syslog_ident ident = {"k@1", 42};
		char line[SYSLOG_LINE_MAX], out[SYSLOG_LINE_MAX];
		struct alert_sample s;
		struct parsed p;
		long n, m;

		alert_sample_init(&s);
		s.alert.text = s.alert.path = (char *)texts[i];
		n = rfc5424_format(&s.alert, &ident, line);
		assert_true(n > 0);
		assert_true(parse_rfc5424(line, n, &p));
		m = rfc3164_from_rfc5424(line, n, out);
		assert_in_range(m, 1, n);
		assert_true(parse_clean_utf8(out, m));
		/* The element stands at the end, byte for byte. */
		assert_memory_equal(out + m - p.element_len, p.element, p.element_len);
		parsed_fini(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_reframed),
		cmocka_unit_test(every_line_of_ours_can_be_reframed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
