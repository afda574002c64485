// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has read a key and hands it on through what it shares with another process.
 *
 *	share pipe FILE END	started with the pipe after FILE was read
 *	share socket FILE END	one of a pair of sockets, made and inherited before
 *	share fork FILE		a child that runs on without exec, and connects to port 9
 *	share memfd FILE PATH	made before, handed over by a socket with a name
 *	share shm FILE PATH	a file on tmpfs, open before, and with who holds it, too
 *
 * The others, END is a program that is called as the first of them:
 *
 *	share end		reads what comes from descriptor 0
 *	share upload		does that, and connects to port 9
 *	share take PATH		listens there for a descriptor, and reads that
 *	share hold PATH		opens it, says so, and waits for the end of descriptor 0
 */
#include "way.h"

#include <arpa/inet.h>
#include <sys/un.h>

static char key[WAY_BYTES];

static int read_key(const char *path)
{
	int fd = way_open(path);
	ssize_t n;

	if (fd < 0)
		return way_failed(path);
	n = read(fd, key, sizeof(key));
	close(fd);
	return n == sizeof(key) ? 0 : way_failed(path);
}

static int end(void)
{
	char bytes[WAY_BYTES];

	for (;;) {
		ssize_t n = read(0, bytes, sizeof(bytes));

		if (n <= 0)
			return n ? way_failed("read") : WAY_GOT;
	}
}

static int upload(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int r = end(), sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!r && connect(sock, (const struct sockaddr *)&to, sizeof(to)))
		r = way_failed("connect");
	return r;
}

/* The pid of `program end`, whose descriptor 0 is `fd`. `wait`: until it runs, as who starts
 * programs by posix_spawn(). */
static pid_t start(const char *program, int fd, bool wait)
{
	pid_t pid = wait ? vfork() : fork();

	if (pid)
		return pid;
	dup2(fd, 0);
	execl(program, program, "end", (char *)NULL);
	_exit(way_failed(program));
}

static int by_pipe(const char *path, const char *program)
{
	int fds[2], r = read_key(path);
	pid_t pid;

	if (r)
		return r;
	if (pipe2(fds, O_CLOEXEC))
		return way_failed("pipe");
	pid = start(program, fds[0], true);
	if (write(fds[1], key, sizeof(key)) != sizeof(key))
		return way_failed("write");
	close(fds[1]);
	return way_wait(pid);
}

static int by_socket(const char *path, const char *program)
{
	int fds[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return way_failed("socketpair");
	pid = start(program, fds[1], false);
	close(fds[1]);
	r = read_key(path);
	if (r)
		return r;
	if (write(fds[0], key, sizeof(key)) != sizeof(key))
		return way_failed("write");
	close(fds[0]);
	return way_wait(pid);
}

static int by_fork(const char *path)
{
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return way_failed("pipe");
	pid = fork();
	if (!pid) {
		close(fds[1]);
		dup2(fds[0], 0);
		_exit(upload());
	}
	r = read_key(path);
	if (r)
		return r;
	if (write(fds[1], key, sizeof(key)) != sizeof(key))
		return way_failed("write");
	close(fds[1]);
	return way_wait(pid);
}

static int named(const char *path, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(out->sun_path, sizeof(out->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int by_memfd(const char *path, const char *to)
{
	int fd = memfd_create("handed-over", MFD_CLOEXEC), sock, r = read_key(path);
	struct sockaddr_un addr;

	if (fd < 0)
		return way_failed("memfd_create");
	if (r)
		return r;
	sock = named(to, &addr);
	if (write(fd, key, sizeof(key)) != sizeof(key) ||
	    connect(sock, (struct sockaddr *)&addr, sizeof(addr)) || way_send_fd(sock, fd))
		return way_failed(to);
	return WAY_GOT;
}

static int take(const char *path)
{
	struct sockaddr_un addr;
	int sock = named(path, &addr), fd;
	char bytes[WAY_BYTES];

	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || listen(sock, 1))
		return way_failed(path);
	puts("listens");
	fflush(stdout);
	fd = way_receive_fd(accept(sock, NULL, NULL));
	if (fd < 0 || pread(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		return way_failed("receive");
	return way_check(bytes, sizeof(bytes));
}

static int by_shm(const char *path, const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC), r = fd < 0 ? way_failed(file) : read_key(path);

	if (r)
		return r;
	return write(fd, key, sizeof(key)) == sizeof(key) ? WAY_GOT : way_failed(file);
}

static int hold(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return way_failed(path);
	puts("holds");
	fflush(stdout);
	return end();
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(way, "end"))
		return end();
	if (argc == 2 && !strcmp(way, "upload"))
		return upload();
	if (argc == 3 && !strcmp(way, "take"))
		return take(argv[2]);
	if (argc == 3 && !strcmp(way, "hold"))
		return hold(argv[2]);
	if (argc == 3 && !strcmp(way, "fork"))
		return by_fork(argv[2]);
	if (argc == 4 && !strcmp(way, "pipe"))
		return by_pipe(argv[2], argv[3]);
	if (argc == 4 && !strcmp(way, "socket"))
		return by_socket(argv[2], argv[3]);
	if (argc == 4 && !strcmp(way, "memfd"))
		return by_memfd(argv[2], argv[3]);
	if (argc == 4 && !strcmp(way, "shm"))
		return by_shm(argv[2], argv[3]);
	fprintf(stderr, "usage: share pipe|socket|fork|memfd|shm FILE [END|PATH], "
			"share end|upload|take|hold [PATH]\n");
	return 2;
}
