// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs a program from memory, so that no file is its own: memfd-exec PROGRAM [ARG]... */
#include <sys/sendfile.h>

#include "way.h"

int main(int argc, char **argv)
{
	int file, memory;
	struct stat st;

	if (argc < 2) {
		fprintf(stderr, "usage: memfd-exec PROGRAM [ARG]...\n");
		return 2;
	}
	file = way_open(argv[1]);
	memory = memfd_create("program", MFD_CLOEXEC);
	if (file < 0 || memory < 0 || fstat(file, &st) < 0)
		return way_failed(argv[1]);
	for (off_t at = 0; at < st.st_size;)
		if (sendfile(memory, file, &at, st.st_size - at) <= 0)
			return way_failed("copy");
	fexecve(memory, argv + 1, environ);
	return way_failed("fexecve");
}
