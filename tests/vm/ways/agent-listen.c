// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands in for an agent: listens on the socket FILE until standard input ends; says "listens". */
#include <sys/un.h>

#include "way.h"

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fprintf(stderr, "usage: agent-listen FILE\n");
		return 2;
	}
	strcpy(at.sun_path, argv[1]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 128) < 0)
		return way_failed(argv[1]);
	if (write(STDOUT_FILENO, "listens\n", 8) != 8)
		return way_failed("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
