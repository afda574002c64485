// SPDX-License-Identifier: GPL-2.0-or-later
/* No library: a file's bytes in memory of malloc(), as programs keep what they have read. */
#include "hold.h"

static void *volatile kept; /* else the compiler sees that nobody reads the copy */

/* text FILE [BYTES_BEFORE] */
int main(int argc, char **argv)
{
	size_t len, shift = argc > 2 ? (size_t)atoi(argv[2]) : 0;
	unsigned char *file, *copy;

	if (argc < 2)
		hold_fail("usage");
	file = hold_read(argv[1], &len);
	copy = malloc(len + shift + 16);
	if (!copy)
		hold_fail("no memory");
	memcpy(copy + shift, file, len);
	kept = copy;
	hold_drop(file, len);
	hold();
}
