/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For ways that go through another process that has the file: starts hold-open or hold-mapped. */
#pragma once

#include "way.h"

struct holder {
	pid_t pid;
	int in; /* its end lets the holder go on */
};

/* 0 when the holder says that it has the file; else the way's result. */
_way_ int holder_start(struct holder *holder, const char *name, const char *path)
{
	int in[2], out[2];
	char word[5], program[PATH_MAX];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return way_failed("pipe");
	way_beside(name, program);
	holder->pid = fork();
	if (holder->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(program, name, path, NULL);
		_exit(way_failed(program));
	}
	close(in[0]);
	close(out[1]);
	holder->in = in[1];
	if (read(out[0], word, sizeof(word)) != (ssize_t)sizeof(word)) {
		close(holder->in);
		way_wait(holder->pid);
		return WAY_FAILED;
	}
	return 0;
}

/* Lets it go on to its end. `r`: result so far; the worse of the two is the way's. */
_way_ int holder_end(struct holder *holder, int r)
{
	int theirs;

	close(holder->in);
	theirs = way_wait(holder->pid);
	return r ? r : theirs;
}
