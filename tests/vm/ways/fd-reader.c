// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads from a descriptor that it was started with: fd-reader NUMBER. */
#include "way.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fd-reader NUMBER\n");
		return 2;
	}
	return way_read(atoi(argv[1]));
}
