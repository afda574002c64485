// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has read a key and then talks to others.
 *
 *	leave-net WAY FILE [FILE]
 *
 * Reads FILE, then does WAY, to a peer that it has made itself where one is needed: tcp4, tcp6,
 *udp4 (sent to an address), udp6 (connected), early (connected before the file was read, sent
 *after), sendfile (likewise), twice (as tcp4, 100 times to one peer), file (writes to the second
 *FILE), none (only reads), unix (to a child of its own that has read FILE, too), again4 (as tcp4,
 *then reads the second FILE and sends once more). All on loopback, or at the addresses of this host
 *that WAY_HOST4 and WAY_HOST6 name. Says "port N" of the peer; with unix that is the child.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/sendfile.h>
#include <sys/un.h>

#include "way.h"

static int family_of(const char *way)
{
	return strchr(way, '6') ? AF_INET6 : AF_INET;
}

/* A peer on this host; *to is its address. */
static int peer(int family, int type, struct sockaddr_storage *to, socklen_t *len)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	const char *host = getenv(family == AF_INET ? "WAY_HOST4" : "WAY_HOST6");
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (host &&
	    inet_pton(family, host, family == AF_INET ? (void *)&v4.sin_addr : &v6.sin6_addr) != 1)
		return -1;
	*len = family == AF_INET ? sizeof(v4) : sizeof(v6);
	memcpy(to, family == AF_INET ? (void *)&v4 : (void *)&v6, *len);
	if (fd < 0 || bind(fd, (struct sockaddr *)to, *len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 128) < 0) ||
	    getsockname(fd, (struct sockaddr *)to, len) < 0)
		return -1;
	printf("port %d\n", ntohs(((struct sockaddr_in *)to)->sin_port));
	fflush(stdout);
	return fd;
}

/* Another process that has read the key listens, at an abstract name; this one connects. */
static int to_another_holder(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ready[2], key;
	char byte;
	pid_t pid;

	len += snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "leave-net-%d", getpid());
	if (fd < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return way_failed("socket");
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		key = way_open(path);
		if (key < 0 || way_read(key) || bind(fd, (struct sockaddr *)&to, len) < 0 ||
		    listen(fd, 1) < 0 || write(ready[1], "x", 1) != 1)
			_exit(way_failed("the other"));
		fd = accept(fd, NULL, NULL);
		_exit(fd >= 0 && read(fd, &byte, 1) == 1 ? WAY_GOT : WAY_FAILED);
	}
	close(fd);
	close(ready[1]);
	printf("port %d\n", pid);
	fflush(stdout);
	key = way_open(path);
	if (key < 0 || way_read(key))
		return way_failed(path);
	if (read(ready[0], &byte, 1) != 1)
		return way_wait(pid);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&to, len) < 0 || send(fd, "x", 1, 0) != 1)
		return way_failed("connect, send");
	return way_wait(pid);
}

static int leave(const char *way, const char *path, const char *second)
{
	const bool udp = !strncmp(way, "udp", 3), early = !strcmp(way, "early");
	const bool by_sendfile = !strcmp(way, "sendfile"), before = early || by_sendfile;
	const int family = family_of(way), type = udp ? SOCK_DGRAM : SOCK_STREAM;
	const int times = !strcmp(way, "twice") ? 100 : 1;
	const bool quiet = !strcmp(way, "none") || !strcmp(way, "file");
	struct sockaddr_storage to;
	socklen_t len;
	int key, fd = -1;

	if (!strcmp(way, "unix"))
		return to_another_holder(path);
	if (!quiet && peer(family, type, &to, &len) < 0)
		return way_lacks("a peer on loopback");
	if (before) {
		fd = socket(family, type | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&to, len) < 0)
			return way_failed("connect");
	}
	key = way_open(path);
	if (key < 0 || way_read(key))
		return way_failed(path);
	if (quiet) {
		if (!second)
			return WAY_GOT;
		fd = open(second, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		return fd >= 0 && write(fd, "x", 1) == 1 ? WAY_GOT : way_failed(second);
	}
	if (by_sendfile)
		return sendfile(fd, key, &(off_t){0}, 1) == 1 ? WAY_GOT : way_failed("sendfile");
	if (before)
		return send(fd, "x", 1, 0) == 1 ? WAY_GOT : way_failed("send");
	for (int i = 0; i < times; i++) {
		fd = socket(family, type | SOCK_CLOEXEC, 0);
		if (!strcmp(way, "udp4")) {
			if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, len) != 1)
				return way_failed("sendto");
		} else if (connect(fd, (struct sockaddr *)&to, len) < 0 ||
			   send(fd, "x", 1, 0) != 1) {
			return way_failed("connect, send");
		}
		if (!strcmp(way, "again4")) {
			key = way_open(second);
			if (key < 0 || way_read(key))
				return way_failed(second);
			if (send(fd, "x", 1, 0) != 1)
				return way_failed("send");
		}
		close(fd);
	}
	return WAY_GOT;
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: leave-net WAY FILE [FILE]\n");
		return 2;
	}
	return leave(argv[1], argv[2], argv[3]);
}
