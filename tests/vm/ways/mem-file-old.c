// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: a /proc/PID/mem that was opened before there was a key to take. */
#include "mem.h"

static int get(const char *path)
{
	char name[64], bytes[WAY_BYTES];
	struct victim v;
	ssize_t n;
	int r = victim_start(path, false, &v), fd;

	if (r)
		return victim_end(&v, r);
	snprintf(name, sizeof(name), "/proc/%d/mem", v.pid);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		return victim_end(&v, way_failed(name));
	r = victim_read(&v);
	if (!r) {
		n = pread(fd, bytes, sizeof(bytes), (off_t)v.at);
		r = n < 0 ? way_failed("pread") : way_check(bytes, n);
	}
	return victim_end(&v, r);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
