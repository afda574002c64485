// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exec-again FILE PROGRAM [ARG...]: starts FILE, which must fail, and then, as the same process,
 * PROGRAM.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	execv(argv[1], (char *[]){argv[1], NULL});
	if (errno != ENOENT) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
