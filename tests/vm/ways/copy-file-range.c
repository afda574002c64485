// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, copy_file_range into a file without a name on the same file system. */
#include "way.h"

static int copy_to(int in, int out)
{
	off_t from = 0, to = 0;
	ssize_t n = copy_file_range(in, &from, out, &to, WAY_BYTES, 0);

	if (n < 0) /* from 5.19 on a file system without it says so; before, between two of them */
		return errno == EXDEV || errno == EINVAL ? way_lacks("copy_file_range")
							 : way_failed("copy_file_range");
	if (lseek(out, 0, SEEK_SET) < 0)
		return way_failed("lseek");
	return way_read(out);
}

static int get(const char *path)
{
	char dir[PATH_MAX], *slash;
	int in = -1, out = -1, r;

	if (!realpath(path, dir))
		return way_failed(path);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	in = way_open(path);
	out = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (in < 0)
		r = way_failed(path);
	else if (out < 0)
		r = way_lacks("O_TMPFILE");
	else
		r = copy_to(in, out);
	close(in);
	close(out);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
