// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reader FILE [crash]: reads it, as a program does that finds its credentials there; and then falls
 * over, if it is told to.
 */
#include <stdio.h>

int main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	int nr = 0;

	if (!f)
		return 1;
	setvbuf(f, NULL, _IONBF, 0); /* nothing of it is to stand in a core */
	while (fgetc(f) != EOF)
		nr++;
	fclose(f);
	if (argc > 2)
		*(volatile int *)0 = nr;
	return nr ? 0 : 1;
}
