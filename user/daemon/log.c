// SPDX-License-Identifier: GPL-2.0-or-later
/* What the operator reads about the daemon itself. */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdlib.h>

void log_line(const char *prefix, const char *fmt, ...)
{
	/* systemd sets it for a service whose standard error is its journal. */
	const char *journal = getenv("JOURNAL_STREAM");
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%skeytraild: %s\n", journal ? prefix : "", text);
}
