// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes a dump as programs do it themselves, having read a key or not:
 *
 *	dump-writer KEY|- KIND FILE
 *
 * KIND: heap (HPROF, as a Java VM writes its own heap), minidump (as breakpad does it: a child
 *reads the memory of its parent and writes the file), plain (as large, and no dump), exit (like
 *heap, but the file is only closed by the end of the process).
 */
#include "way.h"

#define SIZE (256 * 1024)

static char memory[SIZE];

static int write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			return way_failed("write");
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(const char *path, const void *magic, size_t len, const void *body, int keep)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), r;

	if (fd < 0)
		return way_failed(path);
	r = write_all(fd, magic, len);
	if (!r)
		r = write_all(fd, body, SIZE);
	if (!keep)
		close(fd);
	return r;
}

static int minidump(const char *path)
{
	static const char magic[] = "MDMP\x93\xa7\0\0\1\0\0\0\x20\0\0\0";
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		static char copy[SIZE];
		struct iovec to = {copy, SIZE}, from = {memory, SIZE};

		if (process_vm_readv(parent, &to, 1, &from, 1, 0) != SIZE)
			_exit(way_failed("process_vm_readv"));
		_exit(write_file(path, magic, sizeof(magic) - 1, copy, 0));
	}
	return way_wait(pid);
}

static int read_key(const char *path)
{
	return way_with_open(path, O_RDONLY, way_read);
}

int main(int argc, char **argv)
{
	static const char heap[] = "JAVA PROFILE 1.0.2\0\0\0\0\x08";
	int r = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: %s KEY|- KIND FILE\n", program_invocation_short_name);
		return 2;
	}
	memset(memory, 0xa5, sizeof(memory));
	if (strcmp(argv[1], "-") != 0)
		r = read_key(argv[1]);
	if (r)
		return r;
	if (!strcmp(argv[2], "minidump"))
		return minidump(argv[3]);
	if (!strcmp(argv[2], "plain"))
		return write_file(argv[3], "plain\0", 6, memory, 0);
	return write_file(argv[3], heap, sizeof(heap) - 1, memory, !strcmp(argv[2], "exit"));
}
