// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes or removes very many files, in as many processes as there are CPUs:
 *
 *	many-files make|remove PREFIX COUNT
 *
 * They are PREFIX0, PREFIX1, ... and empty. Prints how many were made or removed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long work(const char *prefix, int make, long first, long step, long count)
{
	long done = 0;

	for (long i = first; i < count; i += step) {
		char path[512];
		int fd;

		snprintf(path, sizeof(path), "%s%ld", prefix, i);
		if (!make) {
			done += unlink(path) == 0;
			continue;
		}
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0)
			continue;
		close(fd);
		done++;
	}
	return done;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[3]) : 0, cpus = sysconf(_SC_NPROCESSORS_ONLN), sum = 0;
	int make = argc == 4 && !strcmp(argv[1], "make"), pipes[2];

	if (count <= 0 || cpus < 1 || pipe(pipes) < 0) {
		fprintf(stderr, "usage: many-files make|remove PREFIX COUNT\n");
		return 2;
	}
	for (long c = 0; c < cpus; c++) {
		long done;

		if (fork())
			continue;
		done = work(argv[2], make, c, cpus, count);
		return write(pipes[1], &done, sizeof(done)) == sizeof(done) ? 0 : 1;
	}
	for (long c = 0, done; c < cpus; c++)
		if (read(pipes[0], &done, sizeof(done)) == sizeof(done))
			sum += done;
	while (wait(NULL) > 0)
		;
	printf("%ld\n", sum);
	return 0;
}
