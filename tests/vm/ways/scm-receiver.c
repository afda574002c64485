// SPDX-License-Identifier: GPL-2.0-or-later
/* The other end of scm-rights: takes a descriptor from a socket (0, or argument 1) and reads it. */
#include "way.h"

int main(int argc, char **argv)
{
	int fd = way_receive_fd(argc > 1 ? atoi(argv[1]) : STDIN_FILENO);

	return fd < 0 ? way_failed("receive") : way_read(fd);
}
