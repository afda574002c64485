// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a command as root of a user namespace that a user made, with subordinate uids (what
 * newuidmap and its like do): in-user-ns UID FIRST COUNT COMMAND [ARG]...
 *
 * In it 0 is UID, and 1 to COUNT are the host's FIRST and following; groups alike.
 */
#include <sched.h>

#include "way.h"

static void map(pid_t pid, const char *which, char **argv)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "0 %s 1\n1 %s %s\n", argv[1], argv[2], argv[3]) < 0)
		exit(way_failed(path));
	close(fd);
}

int main(int argc, char **argv)
{
	int made[2], mapped[2];
	char byte;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr, "usage: in-user-ns UID FIRST COUNT COMMAND [ARG]...\n");
		return 2;
	}
	if (pipe2(made, O_CLOEXEC) < 0 || pipe2(mapped, O_CLOEXEC) < 0)
		return way_failed("pipe");
	pid = fork();
	if (pid == 0) {
		close(made[0]);
		close(mapped[1]);
		if (setresgid(atoi(argv[1]), atoi(argv[1]), atoi(argv[1])) < 0 ||
		    setresuid(atoi(argv[1]), atoi(argv[1]), atoi(argv[1])) < 0 ||
		    unshare(CLONE_NEWUSER) < 0)
			_exit(way_lacks("unshare"));
		if (write(made[1], "x", 1) != 1 || read(mapped[0], &byte, 1) != 1 ||
		    setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			_exit(way_failed("root of the namespace"));
		execvp(argv[4], argv + 4);
		_exit(way_failed(argv[4]));
	}
	close(made[1]);
	close(mapped[0]);
	if (read(made[0], &byte, 1) == 1) {
		map(pid, "uid_map", argv);
		map(pid, "gid_map", argv);
		if (write(mapped[1], "x", 1) != 1)
			return way_failed("pipe");
	}
	return way_wait(pid);
}
