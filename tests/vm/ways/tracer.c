// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A debugger of a program that reads:
 *
 *	tracer run PROGRAM [ARG]...	traced all the time
 *	tracer start PROGRAM [ARG]...	let go once it is loaded, before it has run
 *	tracer touch PID	attached and let go
 *	tracer write PID	has its memory open to write
 */
#include <sys/ptrace.h>

#include "way.h"

static int start(bool stay, char **argv)
{
	pid_t pid = fork();
	int status, signal = 0;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execv(argv[0], argv);
		_exit(WAY_FAILED);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) /* at its exec */
		return way_failed(argv[0]);
	if (!stay) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
		return way_wait(pid);
	}
	do {
		ptrace(PTRACE_CONT, pid, 0, signal);
		if (waitpid(pid, &status, 0) < 0)
			return way_failed("waitpid");
		signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	} while (WIFSTOPPED(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : WAY_FAILED;
}

static int touch(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0 || waitpid(pid, &status, 0) < 0)
		return way_failed("attach");
	return ptrace(PTRACE_DETACH, pid, 0, 0) < 0 ? way_failed("detach") : WAY_GOT;
}

static int open_memory(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%.32s/mem", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return way_failed(path);
	close(fd);
	return WAY_GOT;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: tracer run|start|touch|write PROGRAM|PID [ARG]...\n");
		return 2;
	}
	if (!strcmp(argv[1], "touch"))
		return touch((pid_t)atoi(argv[2]));
	if (!strcmp(argv[1], "write"))
		return open_memory(argv[2]);
	return start(!strcmp(argv[1], "run"), argv + 2);
}
