// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: it is open already when anybody begins to look.
 *
 * Opens the files, says "open" on its standard output and waits until standard input ends; then it
 * reads them. The descriptor of the first file is 3.
 */
#include "way.h"

int main(int argc, char **argv)
{
	int fds[64], worst = WAY_GOT;
	char byte;

	if (argc < 2 || argc > 64) {
		fprintf(stderr, "usage: hold-open FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		fds[i] = way_open(argv[i]);
		if (fds[i] < 0)
			return way_failed(argv[i]);
	}
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return way_failed("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (int i = 1; i < argc; i++) {
		char bytes[WAY_BYTES];
		/* Not read: who was given a copy of the descriptor moved its offset. */
		ssize_t n = pread(fds[i], bytes, sizeof(bytes), 0);
		int r = n < 0 ? way_failed("pread") : way_check(bytes, n);

		if (r != WAY_GOT)
			worst = r;
	}
	return worst;
}
