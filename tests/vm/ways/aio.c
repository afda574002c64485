// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, then an asynchronous read (io_submit). */
#include <linux/aio_abi.h>

#include "way.h"

static int get_open(int fd)
{
	char bytes[WAY_BYTES];
	struct iocb cb = {.aio_lio_opcode = IOCB_CMD_PREAD,
			  .aio_fildes = fd,
			  .aio_buf = (uintptr_t)bytes,
			  .aio_nbytes = sizeof(bytes)},
		    *list[] = {&cb};
	struct io_event event = {};
	aio_context_t ctx = 0;
	int r;

	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return way_failed("io_setup");
	if (syscall(SYS_io_submit, ctx, 1, list) != 1 ||
	    syscall(SYS_io_getevents, ctx, 1, 1, &event, NULL) != 1) {
		r = way_failed("io_submit");
	} else if (event.res < 0) {
		errno = -(int)event.res;
		r = way_failed("aio read");
	} else {
		r = way_check(bytes, event.res);
	}
	syscall(SYS_io_destroy, ctx);
	return r;
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
