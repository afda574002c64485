/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of keytraild in a log that others write into as well, read back: RFC 5424, and RFC 3164
 * with the element behind the sentence (docs/syslog.md), with or without PRI. What a line says is
 * said by whoever could write into that log.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct syslog_line {
	char host[256]; /* as the line has it, "" = it names none */
	bool rfc5424;
	const char *data; /* its element, from `[` on; points into the line */
};

/*
 * NUL terminated. False: it is none of ours. Of an RFC 5424 line the element is the first of its
 * structured data; of an RFC 3164 line the first `[keytrail@` of the text, as no sentence of ours
 * holds that.
 */
bool syslog_line_parse(const char *line, struct syslog_line *out);

/* The value of a parameter, without RFC 5424's backslashes. False: it is not there, empty, or
 * longer than `size` - 1. */
bool syslog_line_param(const struct syslog_line *line, const char *name, char *out, size_t size);
