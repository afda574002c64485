// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Not a way to a key but to drown one: opens argv[2...] in turn, argv[1] times in all, in as many
 * processes as there are CPUs. Prints how many opens were made.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long nr = argc > 2 ? atol(argv[1]) : 0, cpus = sysconf(_SC_NPROCESSORS_ONLN), made = 0;
	int pipes[2];

	if (nr <= 0 || cpus < 1 || pipe(pipes))
		return 2;
	for (long c = 0; c < cpus; c++) {
		long done = 0;

		if (fork())
			continue;
		for (long i = c; i < nr; i += cpus) {
			int fd = open(argv[2 + i % (argc - 2)], O_RDONLY);

			if (fd >= 0) {
				done++;
				close(fd);
			}
		}
		return write(pipes[1], &done, sizeof(done)) == sizeof(done) ? 0 : 1;
	}
	for (long c = 0, done; c < cpus; c++)
		if (read(pipes[0], &done, sizeof(done)) == sizeof(done))
			made += done;
	while (wait(NULL) > 0)
		;
	printf("%ld\n", made);
	return 0;
}
