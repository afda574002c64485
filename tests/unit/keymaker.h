/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of the scanner: runs the tools that make keys, and reads files and their words. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "scan/bytes.h"

/* A shell command in the test's folder, which must succeed; its first line of output in `out`. */
static inline void shell(const char *dir, char *out, size_t size, const char *fmt, ...)
	_printf_(4, 5);
static inline void shell(const char *dir, char *out, size_t size, const char *fmt, ...)
{
	char command[4096], whole[8192];
	FILE *f;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	snprintf(whole, sizeof(whole), "cd '%s' && set -e; { %s; } 2>>'%s/stderr'", dir, command,
		 dir);
	f = popen(whole, "r");
	assert_non_null(f);
	if (out) {
		if (!fgets(out, (int)size, f))
			out[0] = '\0';
		out[strcspn(out, "\n")] = '\0';
	}
	while (fgetc(f) != EOF)
		;
	if (pclose(f) != 0)
		fail_msg("failed: %s", command);
}

/* All of a file, for free(); {NULL, 0} if it is not there. */
static inline _unused_ struct bytes slurp(const char *dir, const char *name)
{
	char path[4096];
	uint8_t *p = malloc(1 << 20);
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	if (f) {
		n = fread(p, 1, 1 << 20, f);
		fclose(f);
		return (struct bytes){p, n};
	}
	free(p);
	return (struct bytes){NULL, 0};
}
