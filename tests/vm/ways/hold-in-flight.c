// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: its descriptor is in a socket's queue when anybody begins to look.
 *
 * Opens the file, sends the descriptor to itself and closes it; says "open" on its standard output
 * and waits until standard input ends; then it takes the descriptor out and reads.
 */
#include "way.h"

int main(int argc, char **argv)
{
	int ends[2], fd;
	char byte;

	if (argc != 2) {
		fprintf(stderr, "usage: hold-in-flight FILE\n");
		return 2;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return way_failed("socketpair");
	fd = way_open(argv[1]);
	if (fd < 0)
		return way_failed(argv[1]);
	if (way_send_fd(ends[0], fd) < 0)
		return way_failed("send");
	close(fd);
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return way_failed("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	fd = way_receive_fd(ends[1]);
	return fd < 0 ? way_failed("receive") : way_read(fd);
}
