// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: a descriptor kept over exec, at number 3 or $WAY_FD ("last": the highest that
 * fs.nr_open allows), with $WAY_FILL other descriptors open below. This program opens the file and
 * never reads it; fd-reader, which it becomes, does.
 */
#include <sys/resource.h>

#include "way.h"

/* The highest number that a descriptor can have here. */
static int last_number(void)
{
	FILE *f = fopen("/proc/sys/fs/nr_open", "re");
	int nr = 0;

	if (!f || fscanf(f, "%d", &nr) != 1)
		nr = 0;
	if (f)
		fclose(f);
	return nr - 1;
}

static int become_reader(const char *path)
{
	char reader[PATH_MAX], number[16], *want = getenv("WAY_FD"), *fill = getenv("WAY_FILL");
	int fd, at = 3, others = fill ? atoi(fill) : 0;
	struct rlimit files;

	if (want)
		at = strcmp(want, "last") ? atoi(want) : last_number();
	files.rlim_cur = files.rlim_max = (at > others ? at : others) + 8;
	if (want && !strcmp(want, "last"))
		files.rlim_cur = files.rlim_max = at + 1;
	snprintf(number, sizeof(number), "%d", at);
	way_beside("fd-reader", reader);
	closefrom(3);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return errno == EPERM ? way_lacks("setrlimit") : way_failed("setrlimit");
	for (int i = 0; i < others; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			return way_failed("/dev/null");
	/* A large table takes its time to be made: not between the open and the exec. */
	fd = open("/dev/null", O_RDONLY);
	if (fd < 0 || (fd != at && (dup2(fd, at) < 0 || close(fd) < 0)))
		return way_failed("dup2");
	if (fd == at)
		close(fd);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return way_failed(path);
	if (fd != at && (dup2(fd, at) < 0 || close(fd) < 0))
		return way_failed("dup2");
	execl(reader, "fd-reader", number, NULL);
	return way_failed(reader);
}

static int get(const char *path)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(become_reader(path));
	return way_wait(pid);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
