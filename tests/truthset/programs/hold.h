/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs of the truth set share: each loads one key with one library, wipes what it read
 * the key from, uses the key once, says READY, and waits to be dumped.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn, unused)) static void hold_fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(2);
}

/* A file's bytes and a 0 after them. */
__attribute__((unused)) static unsigned char *hold_read(const char *path, size_t *out_len)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p = (unsigned char *)malloc(1 << 20);

	if (!f || !p)
		hold_fail(path);
	/* No copy in stdio's buffer. */
	setvbuf(f, NULL, _IONBF, 0);
	*out_len = fread(p, 1, (1 << 20) - 1, f);
	fclose(f);
	p[*out_len] = 0;
	return p;
}

__attribute__((unused)) static void hold_drop(unsigned char *p, size_t len)
{
	explicit_bzero(p, len);
	free(p);
}

/* With HOLD_CRASH in the environment the kernel makes the dump. */
__attribute__((noreturn, unused)) static void hold(void)
{
	puts("READY");
	fflush(stdout);
	if (getenv("HOLD_CRASH"))
		abort();
	for (;;)
		pause();
}
