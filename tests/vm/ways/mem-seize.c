// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: PTRACE_SEIZE, PTRACE_INTERRUPT and PTRACE_PEEKDATA. */
#include "mem.h"

static int take(const struct victim *v)
{
	int r;

	if (ptrace(PTRACE_SEIZE, v->pid, 0, 0) < 0)
		return way_failed("PTRACE_SEIZE");
	if (ptrace(PTRACE_INTERRUPT, v->pid, 0, 0) < 0)
		return way_failed("PTRACE_INTERRUPT");
	waitpid(v->pid, NULL, 0);
	r = victim_peek(v);
	ptrace(PTRACE_DETACH, v->pid, 0, 0);
	return r;
}

static int get(const char *path)
{
	return victim_each(path, take);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
