// SPDX-License-Identifier: GPL-2.0-or-later
/* Takes dumps at a socket (core_pattern = @SOCKET), each into the next FILE: core-listener SOCKET
 * FILE... */
#include "way.h"

#include <sys/un.h>

static int take(int sock, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char buf[65536];
	ssize_t n;

	if (fd < 0)
		return way_failed(path);
	while ((n = read(sock, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return way_failed(path);
	close(fd);
	return n < 0 ? way_failed("read") : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 0;

	if (argc < 3 || sock < 0)
		return way_failed("socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(sock, 8) < 0)
		return way_failed(argv[1]);
	for (int i = 2; i < argc && !r; i++) {
		int client = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			return way_failed("accept");
		r = take(client, argv[i]);
		close(client);
	}
	return r;
}
