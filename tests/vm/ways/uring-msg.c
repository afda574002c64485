// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: opened into a ring's own table, sent from there into another process's ring
 * (IORING_OP_MSG_RING). This program never reads; uring-receiver, whose ring it is, does.
 */
#include <signal.h>

#include "ring.h"

static int send_to(int ring_fd, const char *path)
{
	struct io_uring_sqe sqe = ring_open(path, 0);
	struct ring ring;
	int r = ring_init(&ring, 0), n;

	if (!r)
		r = ring_table(&ring, 1);
	if (r)
		return r;
	n = ring_do(&ring, &sqe);
	if (n < 0)
		return ring_failed(path, n);
	sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_MSG_RING,
		.fd = ring_fd,
		.addr = IORING_MSG_SEND_FD,
		.addr3 = 0, /* from this place ... */
		.file_index = 1, /* ... to the other's first */
	};
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("MSG_RING", n) : WAY_GOT;
}

static int start_receiver(int out)
{
	char path[PATH_MAX];

	if (dup2(out, STDOUT_FILENO) < 0)
		return way_failed("dup2");
	way_beside("uring-receiver", path);
	execl(path, "uring-receiver", NULL);
	return way_failed(path);
}

static int get(const char *path)
{
	int ends[2], theirs = -1, pidfd, ours, r, status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return way_failed("pipe");
	pid = fork();
	if (pid == 0)
		_exit(start_receiver(ends[1]));
	close(ends[1]);
	if (read(ends[0], &theirs, sizeof(theirs)) != sizeof(theirs))
		return way_wait(pid); /* it has said why */
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ours = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	r = ours < 0 ? way_failed("pidfd_getfd") : send_to(ours, path);
	if (r) /* it waits for nothing now */
		kill(pid, SIGKILL);
	status = way_wait(pid);
	return r ? r : status;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
