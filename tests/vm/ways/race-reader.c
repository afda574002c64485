// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The other end of create-race: says "ready" on standard output, spins on opening FILE until it is
 * there, then reads it. Spins for ten seconds at most.
 */
#include <time.h>

#include "way.h"

int main(int argc, char **argv)
{
	time_t end = time(NULL) + 10;
	int fd;

	if (argc != 2 || write(STDOUT_FILENO, "ready\n", 6) != 6) {
		fprintf(stderr, "usage: race-reader FILE\n");
		return 2;
	}
	while ((fd = way_open(argv[1])) < 0)
		if (errno != ENOENT || time(NULL) > end)
			return way_failed(argv[1]);
	return way_read(fd);
}
