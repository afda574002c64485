// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key without having it: a connection to the socket of an agent, FILE. Nothing is asked.
 */
#include <sys/un.h>

#include "way.h"

static int get(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r = WAY_GOT;

	if (strlen(path) >= sizeof(at.sun_path))
		return way_failed(path);
	strcpy(at.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		r = way_failed(path);
	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
