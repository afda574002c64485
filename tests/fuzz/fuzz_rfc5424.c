// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An alert whose strings are any bytes: the line must parse, with the parser that the unit tests
 * use, as one message with one element, within the limit; and so must its /dev/log form stay one
 * line.
 *
 * The input is cut at NUL bytes into the strings of the alert; the first two bytes choose numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "sinks/rfc3164.h"
#include "sinks/rfc5424.h"
#include "unit/alert_sample.h"
#include "unit/syslog_parse.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct syslog_ident ident = {"keytrail@32473", 815};
	static char line[SYSLOG_LINE_MAX], other[SYSLOG_LINE_MAX];
	static struct parsed p;
	struct alert_sample s;
	char *text, *at, *end;
	long n, m;

	if (size < 2)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	alert_sample_init(&s);
	s.alert.type = data[0] % ALERT_TYPE_NR;
	s.alert.severity = data[0] / 16;
	s.alert.nr_processes = data[1] % 5;
	s.alert.event_flags = data[1];
	s.alert.summary = data[1] & 0x80;
	at = text + 2;
	end = text + size;
	for (char **field[] = {&s.alert.path,
			       &s.alert.text,
			       &s.processes[0].exe,
			       &s.processes[0].args,
			       &s.alert.via,
			       &s.alert.host,
			       &s.alert.unit,
			       &s.alert.container,
			       &s.alert.image,
			       &s.alert.image_id,
			       &s.alert.rule,
			       &s.alert.watch,
			       &s.alert.login_user,
			       &s.alert.owner_user,
			       &s.alert.cause,
			       &s.alert.new_path,
			       &s.processes[1].exe,
			       &s.processes[1].args,
			       &s.processes[1].user,
			       &s.alert.image_container,
			       NULL},
		  ***f = field;
	     *f; f++) {
		**f = at;
		at += strlen(at);
		if (at < end)
			at++;
	}
	n = rfc5424_format(&s.alert, &ident, line);
	check(n > 0 && n <= SYSLOG_LINE_MAX);
	check(parse_rfc5424(line, n, &p));
	check(!strcmp(p.sd_id, ident.sd_id));
	check(!strcmp(parsed_param(&p, "id"), s.alert.id));
	m = rfc3164_from_rfc5424(line, n, other);
	check(m > 0 && m <= n && parse_clean_utf8(other, m));
	/* The first thing that looks like the element is the element. */
	check(memmem(other, m, "[keytrail@32473", 15) == other + m - p.element_len);
	parsed_fini(&p);
	free(text);
	return 0;
}
