/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all way programs share. A way program gets at the bytes of each FILE that it is given by one
 * way only, looks whether they are what a private key begins with (or $WAY_MAGIC), and forgets
 *them: nothing is printed but what went wrong.
 *
 *	NAME FILE...
 *
 * Exit status: 0 the bytes were had of every file, 77 this kernel, file system or user lacks the
 *way (nothing was learned), 1 anything else.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAY_GOT = 0, WAY_FAILED = 1, WAY_LACKS = 77 };

#define WAY_BYTES 10 /* as many as tell a PEM file */

/* Unused here and there. */
#define _way_ __attribute__((unused)) static

/* Says what went wrong and tells a missing way from a failed one by errno. */
_way_ int way_failed(const char *what)
{
	int err = errno;

	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(err));
	return err == ENOSYS || err == EOPNOTSUPP ? WAY_LACKS : WAY_FAILED;
}

/* For a way that this kernel, file system or user does not have, whatever errno it said so with. */
_way_ int way_lacks(const char *what)
{
	fprintf(stderr, "%s: no such way here: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	return WAY_LACKS;
}

/* Whether these are the bytes. Wipes them. */
_way_ int way_check(char *bytes, size_t len)
{
	const char *magic = getenv("WAY_MAGIC");
	size_t want;
	bool same;

	if (!magic)
		magic = "-----BEGIN";
	want = strlen(magic) < WAY_BYTES ? strlen(magic) : WAY_BYTES;
	same = len >= want && memcmp(bytes, magic, want) == 0;
	explicit_bzero(bytes, len);
	if (!same)
		fprintf(stderr, "%s: read %zu bytes, not the expected ones\n",
			program_invocation_short_name, len);
	return same ? WAY_GOT : WAY_FAILED;
}

/* The plainest way there is, for what comes after the one that is tried. */
_way_ int way_read(int fd)
{
	char bytes[WAY_BYTES];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	return n < 0 ? way_failed("read") : way_check(bytes, n);
}

_way_ int way_open(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Does it for each file; the worst result is the program's. */
_way_ int way_each(int argc, char **argv, int (*get)(const char *path))
{
	int worst = WAY_GOT;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", program_invocation_short_name);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int r = get(argv[i]);

		if (r == WAY_FAILED || (r == WAY_LACKS && worst == WAY_GOT))
			worst = r;
	}
	return worst;
}

/* Opens the file and hands the descriptor to `get`. */
_way_ int way_with_open(const char *path, int flags, int (*get)(int fd))
{
	int fd = open(path, flags | O_CLOEXEC), r;

	if (fd < 0)
		return way_failed(path);
	r = get(fd);
	close(fd);
	return r;
}

/* Waits for a child that ends as way programs do. */
_way_ int way_wait(pid_t pid)
{
	int status;

	if (pid < 0)
		return way_failed("fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return way_failed("waitpid");
	if (!WIFEXITED(status)) {
		fprintf(stderr, "%s: child ended by signal %d\n", program_invocation_short_name,
			WTERMSIG(status));
		return WAY_FAILED;
	}
	return WEXITSTATUS(status);
}

/* Path of another way program, beside this one. Aborts where /proc is missing. */
_way_ void way_beside(const char *name, char out[static PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0) {
		perror("/proc/self/exe");
		exit(WAY_FAILED);
	}
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	if (snprintf(out, PATH_MAX, "%s/%s", self, name) >= PATH_MAX)
		exit(WAY_FAILED);
}

/* Another name, on the same file system but outside of the file's directory: DIR/../.way-PID. */
_way_ int way_alias(const char *path, char out[static PATH_MAX])
{
	char dir[PATH_MAX], real[PATH_MAX], *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	if (!realpath(slash ? dir : ".", real))
		return way_failed(path);
	if (snprintf(out, PATH_MAX, "%s/../.way-%d", real, getpid()) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return way_failed(path);
	}
	return 0;
}

/* Sends and receives one descriptor over a Unix socket. */
_way_ int way_send_fd(int sock, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

_way_ int way_receive_fd(int sock)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}
