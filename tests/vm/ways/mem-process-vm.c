// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key in memory: process_vm_readv. */
#include "mem.h"

static int take(const struct victim *v)
{
	char bytes[WAY_BYTES];
	struct iovec to = {bytes, sizeof(bytes)}, from = {(void *)v->at, sizeof(bytes)};
	ssize_t n = process_vm_readv(v->pid, &to, 1, &from, 1, 0);

	return n < 0 ? way_failed("process_vm_readv") : way_check(bytes, n);
}

static int get(const char *path)
{
	return victim_each(path, take);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
