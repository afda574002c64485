// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has a key in memory, for others to take it from there.
 *
 *	mem-holder FILE [COMMAND]
 *
 * Says its pid and the address at which the bytes of FILE are going to be, waits for a line on
 * standard input, reads the file, closes it, says "read", and waits for standard input to end.
 * Commands, done after that: `core` ends by SIGABRT, `self` reads its own memory in all ways there
 *are.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "way.h"

static char held[4096];

static int line(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1)
		if (byte == '\n')
			return 1;
	return 0;
}

/* What a program does to itself is nobody's business. What a kernel lacks is left out. */
static int look_at_self(void)
{
	static char copy[16];
	struct iovec to = {copy, sizeof(copy)}, from = {held, sizeof(copy)};
	int mem = open("/proc/self/mem", O_RDONLY),
	    pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC),
	    env = open("/proc/self/environ", O_RDONLY);
	struct uffdio_api api = {.api = UFFD_API};

	if (mem < 0 || pread(mem, copy, sizeof(copy), (off_t)(uintptr_t)held) != sizeof(copy))
		return way_failed("/proc/self/mem");
	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != sizeof(copy))
		return way_failed("process_vm_readv");
	if (env < 0 || read(env, copy, sizeof(copy)) < 0)
		return way_failed("/proc/self/environ");
	if (pidfd >= 0)
		syscall(SYS_process_madvise, pidfd, &from, 1, MADV_COLD, 0);
	if (uffd >= 0)
		ioctl(uffd, UFFDIO_API, &api);
	explicit_bzero(copy, sizeof(copy));
	return WAY_GOT;
}

int main(int argc, char **argv)
{
	const char *command = argc == 3 ? argv[2] : "";
	int fd, r = WAY_GOT;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: mem-holder FILE [COMMAND]\n");
		return 2;
	}
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* for Yama */
	printf("%d %lx\n", getpid(), (unsigned long)held);
	fflush(stdout);
	if (!line())
		return WAY_FAILED;
	fd = way_open(argv[1]);
	if (fd < 0 || read(fd, held, sizeof(held)) < WAY_BYTES)
		return way_failed(argv[1]);
	close(fd);
	if (!strcmp(command, "self"))
		r = look_at_self();
	if (write(STDOUT_FILENO, "read\n", 5) != 5)
		return way_failed("standard output");
	line();
	if (!strcmp(command, "core"))
		abort();
	explicit_bzero(held, sizeof(held));
	return r;
}
