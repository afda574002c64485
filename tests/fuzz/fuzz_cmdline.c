// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as arguments: bounded printable text, nothing changed by redacting twice, and a
 * password that stands behind --password among them is never in the text. A script that they claim
 * is one whole argument behind the first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proc/claim.h"
#include "proc/cmdline.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text, size_t n)
{
	check(n == strlen(text) && n <= CMDLINE_TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

/* From a copy, so that reading past its end is seen. */
static void check_claim(const uint8_t *data, size_t size)
{
	static const char *const exes[] = {
		"/usr/bin/python3.11", "/usr/bin/perl", "/usr/bin/bash", "/usr/bin/ruby3", "sh",
		"/usr/bin/node"};
	char *copy = malloc(size ? size : 1);

	check(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	for (size_t i = 0; i < 2 * sizeof(exes) / sizeof(exes[0]); i++) {
		struct span got =
			script_claimed(span_of(exes[i / 2]), (struct span){copy, size}, i % 2);

		if (!got.len)
			continue;
		check(got.p > copy && got.p + got.len <= copy + size && got.p[-1] == '\0');
		check(!memchr(got.p, '\0', got.len));
		check(got.p + got.len == copy + size || got.p[got.len] == '\0');
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char option[] = "\0--password\0Xq7secretZ\0";
	char text[CMDLINE_TEXT_MAX + 1], once[2 * CMDLINE_ARGS_MAX], twice[2 * CMDLINE_ARGS_MAX];
	struct span args = {(const char *)data, size};
	bool cut1, cut2;
	size_t n1, n2;
	char *with;

	check_claim(data, size);
	for (int flags = 0; flags < 4; flags++)
		check_text(text, cmdline_text(args, flags & 1, flags & 2, text));
	for (int truncated = 0; truncated < 2; truncated++) {
		n1 = cmdline_redact(args, truncated, once, sizeof(once), &cut1);
		if (n1 > CMDLINE_ARGS_MAX)
			continue;
		n2 = cmdline_redact((struct span){once, n1}, cut1, twice, sizeof(twice), &cut2);
		check(n2 <= sizeof(twice));
	}
	with = malloc(size + sizeof(option));
	check(with != NULL);
	memcpy(with, data, size);
	memcpy(with + size, option, sizeof(option));
	for (size_t cut = 0; cut < 14; cut++) {
		args = (struct span){with, size + sizeof(option) - 1 - cut};
		cmdline_text(args, cut > 0, true, text);
		check(strstr(text, "q7s") == NULL || memmem(data, size, "q7s", 3));
	}
	free(with);
	return 0;
}
