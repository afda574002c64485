// SPDX-License-Identifier: GPL-2.0-or-later
/* Not a way: exchanges two names: exchange ONE OTHER (RENAME_EXCHANGE). */
#include "way.h"

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: exchange ONE OTHER\n");
		return 2;
	}
	if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) < 0)
		return way_failed("renameat2");
	return WAY_GOT;
}
