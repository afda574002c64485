// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: it is open in who opened it, and in one child after another that he forks.
 *
 *	fork-often FILE
 *
 * Says "open" on its standard output once the file is open, then forks until standard input ends.
 * A few children live at a time; none does anything, none starts another program.
 */
#include <poll.h>

#include "way.h"

enum { CHILDREN = 8, FORKS_MAX = 1000000 };

struct child {
	pid_t pid;
	int hold; /* a byte lets the child go: younger ones have this end too */
};

static int begin(struct child *child)
{
	int hold[2];
	char byte;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return way_failed("pipe");
	child->pid = fork();
	if (child->pid < 0)
		return way_failed("fork");
	if (child->pid == 0) {
		close(hold[1]);
		while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(hold[0]);
	child->hold = hold[1];
	return 0;
}

static int end(struct child *child)
{
	if (write(child->hold, "", 1) != 1)
		return way_failed("pipe");
	close(child->hold);
	return way_wait(child->pid);
}

int main(int argc, char **argv)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	struct child children[CHILDREN] = {0};
	int fd, r = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: fork-often FILE\n");
		return 2;
	}
	fd = way_open(argv[1]);
	if (fd < 0)
		return way_failed(argv[1]);
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return way_failed("standard output");
	for (int i = 0; !r && i < FORKS_MAX && poll(&in, 1, 0) == 0; i++) {
		struct child *child = &children[i % CHILDREN];

		if (child->pid > 0)
			r = end(child);
		if (!r)
			r = begin(child);
	}
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid > 0)
			end(&children[i]);
	return r ? r : way_read(fd);
}
