// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes or removes very many files, in as many processes as there are CPUs:
 *
 *	many-files make|remove PREFIX COUNT
 *	many-files give PREFIX COUNT UID
 *
 * They are PREFIX0, PREFIX1, ... and empty. Given, each belongs to the next uid from UID on, before
 * it gets its name. Prints how many were made or removed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static long first_uid = -1;

static int give(const char *path, long i)
{
	char other[600];

	snprintf(other, sizeof(other), "%s", path);
	*strrchr(other, '/') = '\0';
	snprintf(other + strlen(other), 64, "/.given-%ld", i);
	return close(open(other, O_WRONLY | O_CREAT | O_EXCL, 0600)) < 0 ||
	       chown(other, first_uid + i, (gid_t)-1) < 0 || rename(other, path) < 0;
}

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
		if (first_uid >= 0) {
			done += give(path, i) == 0;
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
	long count = argc >= 4 ? atol(argv[3]) : 0, cpus = sysconf(_SC_NPROCESSORS_ONLN), sum = 0;
	int make = argc >= 4 && strcmp(argv[1], "remove"), pipes[2];

	if (argc == 5 && !strcmp(argv[1], "give") && strchr(argv[2], '/'))
		first_uid = atol(argv[4]);

	if (count <= 0 || (argc == 5) != (first_uid >= 0) || cpus < 1 || pipe(pipes) < 0) {
		fprintf(stderr, "usage: many-files make|remove PREFIX COUNT\n"
				"       many-files give PREFIX COUNT UID\n");
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
