/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ways to another process's memory share: that process is mem-holder, their child. */
#pragma once

#include <sys/ptrace.h>

#include "way.h"

struct victim {
	pid_t pid;
	unsigned long at; /* of the bytes, in its memory */
	int in, out; /* its standard input and output */
};

_way_ int victim_line(const struct victim *v, char *out, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(v->out, &out[n], 1) == 1 && out[n] != '\n')
		n++;
	out[n] = '\0';
	return n ? 0 : way_failed("mem-holder says nothing");
}

/* Starts it; it has not read the key yet. `traced`: by us, from before its exec. */
_way_ int victim_start(const char *path, bool traced, struct victim *v)
{
	char program[PATH_MAX], said[64];
	int in[2], out[2];

	way_beside("mem-holder", program);
	if (pipe(in) < 0 || pipe(out) < 0)
		return way_failed("pipe");
	v->pid = fork();
	if (v->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		closefrom(3);
		if (traced)
			ptrace(PTRACE_TRACEME, 0, 0, 0);
		execl(program, "mem-holder", path, NULL);
		_exit(WAY_FAILED);
	}
	close(in[0]);
	close(out[1]);
	v->in = in[1];
	v->out = out[0];
	if (traced) { /* stops at its exec */
		waitpid(v->pid, NULL, 0);
		ptrace(PTRACE_CONT, v->pid, 0, 0);
	}
	if (victim_line(v, said, sizeof(said)))
		return WAY_FAILED;
	if (sscanf(said, "%*d %lx", &v->at) != 1)
		return way_failed("mem-holder's address");
	return WAY_GOT;
}

/* Has it read the key. */
_way_ int victim_read(const struct victim *v)
{
	char said[64];

	if (write(v->in, "\n", 1) != 1)
		return way_failed("mem-holder");
	return victim_line(v, said, sizeof(said));
}

_way_ int victim_end(struct victim *v, int result)
{
	int r;

	close(v->in);
	close(v->out);
	r = way_wait(v->pid);
	return result ? result : r;
}

/* Starts it, has it read the key, then does `get`. */
_way_ int victim_each(const char *path, int (*get)(const struct victim *v))
{
	struct victim v;
	int r = victim_start(path, false, &v);

	if (!r)
		r = victim_read(&v);
	if (!r)
		r = get(&v);
	return victim_end(&v, r);
}

/* The bytes by PTRACE_PEEKDATA; the process is stopped and ours. */
_way_ int victim_peek(const struct victim *v)
{
	long words[2];

	for (int i = 0; i < 2; i++) {
		errno = 0;
		words[i] = ptrace(PTRACE_PEEKDATA, v->pid, v->at + i * sizeof(long), 0);
		if (errno)
			return way_failed("PTRACE_PEEKDATA");
	}
	return way_check((char *)words, WAY_BYTES);
}
