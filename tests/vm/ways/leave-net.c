// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has read a key and then talks to others.
 *
 *	leave-net WAY FILE [FILE]
 *
 * Reads FILE, then does WAY, to a peer that it has made itself where one is needed:
 *
 * - tcp4, tcp6, udp4 (sent to an address), udp6 (connected)
 * - early: connected before the file was read, sent after; sendfile: likewise
 * - twice: as tcp4, 100 times to one peer
 * - again4: as tcp4, then reads the second FILE and sends once more
 * - decoys4: as tcp4, after four others: the second FILE with 1 to 4 behind it
 * - named4: as early, and the message names 127.0.0.1
 * - none4: as udp4, the address is of no family
 * - none6: as udp6, connected before the file was read, and the message names 127.0.0.1, of no
 *   family
 * - short4: as udp4, the address is too short, and refused
 * - sctp4: a message by SCTP that would make the association; nobody is there
 * - file: writes to the second FILE
 * - unix: to a child of its own that has read FILE, too
 * - none: only reads
 *
 * All on loopback, or at the addresses of this host that WAY_HOST4 and WAY_HOST6 name. Says "port
 * N" of the peer; with unix that is the child.
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

/* Sends what names another than it goes to, or nobody. */
static int send_misnamed(const char *way, int fd, const struct sockaddr_storage *peer)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
				   .sin_port = htons(9),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);
	const bool is_short = !strcmp(way, "short4");

	if (!strcmp(way, "none4") || is_short)
		memcpy(&name, peer, sizeof(name));
	if (!strncmp(way, "none", 4))
		name.sin_family = AF_UNSPEC;
	if (is_short)
		len = 8;
	if ((sendto(fd, "x", 1, 0, (struct sockaddr *)&name, len) == 1) == is_short)
		return way_failed("sendto");
	return WAY_GOT;
}

static bool is_misnamed(const char *way)
{
	return !strcmp(way, "named4") || !strcmp(way, "none4") || !strcmp(way, "none6") ||
	       !strcmp(way, "short4");
}

/* One-to-one, not connected: this is not refused for want of a connection, as TCP does. */
static int send_sctp(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const char *host = getenv("WAY_HOST4");
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

	if (fd < 0 || (host && inet_pton(AF_INET, host, &to.sin_addr) != 1))
		return way_lacks("SCTP");
	printf("port %d\n", ntohs(to.sin_port));
	fflush(stdout);
	if (sendto(fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) != 1 &&
	    errno != ECONNREFUSED)
		return way_failed("sendto");
	return WAY_GOT;
}

static int read_decoys(const char *prefix)
{
	char path[256];
	int key;

	for (int i = 1; i <= 4; i++) {
		snprintf(path, sizeof(path), "%s%d", prefix, i);
		key = way_open(path);
		if (key < 0 || way_read(key))
			return way_failed(path);
	}
	return WAY_GOT;
}

static int leave(const char *way, const char *path, const char *second)
{
	const bool misnamed = is_misnamed(way), named = !strcmp(way, "named4");
	const bool udp = !strncmp(way, "udp", 3) || (misnamed && !named);
	const bool early = !strcmp(way, "early") || named || !strcmp(way, "none6");
	const bool by_sendfile = !strcmp(way, "sendfile"), before = early || by_sendfile;
	const int family = family_of(way), type = udp ? SOCK_DGRAM : SOCK_STREAM;
	const int times = !strcmp(way, "twice") ? 100 : 1;
	const bool quiet = !strcmp(way, "none") || !strcmp(way, "file");
	const bool sctp = !strcmp(way, "sctp4");
	struct sockaddr_storage to;
	socklen_t len;
	int key, fd = -1;

	if (!strcmp(way, "unix"))
		return to_another_holder(path);
	if (!quiet && !sctp && peer(family, type, &to, &len) < 0)
		return way_lacks("a peer on loopback");
	if (before) {
		fd = socket(family, type | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&to, len) < 0)
			return way_failed("connect");
	}
	if (!strcmp(way, "decoys4") && read_decoys(second))
		return WAY_FAILED;
	key = way_open(path);
	if (key < 0 || way_read(key))
		return way_failed(path);
	if (quiet) {
		if (!second)
			return WAY_GOT;
		fd = open(second, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		return fd >= 0 && write(fd, "x", 1) == 1 ? WAY_GOT : way_failed(second);
	}
	if (sctp)
		return send_sctp();
	if (by_sendfile)
		return sendfile(fd, key, &(off_t){0}, 1) == 1 ? WAY_GOT : way_failed("sendfile");
	if (misnamed)
		return send_misnamed(way, before ? fd : socket(family, type | SOCK_CLOEXEC, 0),
				     &to);
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
