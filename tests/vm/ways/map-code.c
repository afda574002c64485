// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A reader that has something else mapped as code before it reads:
 *
 *	map-code HOW CODE FILE...
 *
 * HOW: map (the file CODE), protect (mapped to be read, then made executable), implied (mapped to
 * be read, by a personality that makes it code), anonymous (no file: what compilers at run time
 * do), fork (mapped, and a child reads), exec (mapped, and then the first FILE is run as a program
 * in place of this one, with the others).
 */
#include <sys/personality.h>

#include "way.h"

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, way_read);
}

/* One page of the file, executable. */
static int map(const char *how, const char *code)
{
	const size_t size = (size_t)getpagesize();
	bool later = !strcmp(how, "protect"), anonymous = !strcmp(how, "anonymous");
	bool implied = !strcmp(how, "implied");
	int fd = anonymous ? -1 : way_open(code);
	void *at;

	if (fd < 0 && !anonymous)
		return way_failed(code);
	if (implied && personality(READ_IMPLIES_EXEC) < 0)
		return way_failed("personality");
	at = mmap(NULL, size, later || implied ? PROT_READ : PROT_READ | PROT_EXEC,
		  MAP_PRIVATE | (anonymous ? MAP_ANONYMOUS : 0), fd, 0);
	if (at == MAP_FAILED || (later && mprotect(at, size, PROT_READ | PROT_EXEC) < 0))
		return way_failed("map");
	/* That it was there is what counts. */
	munmap(at, size);
	if (fd >= 0)
		close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: map-code HOW CODE FILE...\n");
		return 2;
	}
	if (map(argv[1], argv[2]))
		return WAY_FAILED;
	if (!strcmp(argv[1], "exec")) {
		execv(argv[3], argv + 3);
		return way_failed(argv[3]);
	}
	if (!strcmp(argv[1], "fork")) {
		pid = fork();
		if (pid)
			return way_wait(pid);
	}
	return way_each(argc - 2, argv + 2, get);
}
