// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a command as somebody: as UID GID COMMAND [ARG]... (no groups but GID). */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int id_of(const char *text)
{
	char *end;
	long id = strtol(text, &end, 10);

	if (!*text || *end || id < 0 || id > 0x7fffffff) {
		fprintf(stderr, "as: not a number: %s\n", text);
		exit(2);
	}
	return (int)id;
}

int main(int argc, char **argv)
{
	gid_t gid;

	if (argc < 4) {
		fprintf(stderr, "usage: as UID GID COMMAND [ARG]...\n");
		return 2;
	}
	gid = id_of(argv[2]);
	if (setgroups(1, &gid) < 0 || setgid(gid) < 0 || setuid(id_of(argv[1])) < 0) {
		perror("as");
		return 1;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
