// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: a debugger that started the program, before it read anything. */
#include <signal.h>

#include "mem.h"

static int take(const struct victim *v)
{
	int r;

	if (kill(v->pid, SIGSTOP) < 0)
		return way_failed("kill");
	waitpid(v->pid, NULL, 0);
	r = victim_peek(v);
	ptrace(PTRACE_DETACH, v->pid, 0, 0);
	return r;
}

static int get(const char *path)
{
	struct victim v;
	int r = victim_start(path, true, &v);

	if (!r)
		r = victim_read(&v);
	if (!r)
		r = take(&v);
	return victim_end(&v, r);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
