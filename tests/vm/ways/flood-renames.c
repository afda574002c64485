// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Not a way to a key but to drown one: renames argv[2] to argv[3] and back, argv[1] times in all.
 * Prints how many renames were made.
 */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long nr = argc == 4 ? atol(argv[1]) : 0, made = 0;

	if (nr <= 0)
		return 2;
	while (made < nr && rename(argv[2 + made % 2], argv[3 - made % 2]) == 0)
		made++;
	printf("%ld\n", made);
	return made == nr ? 0 : 1;
}
