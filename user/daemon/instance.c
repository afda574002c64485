// SPDX-License-Identifier: GPL-2.0-or-later
/* One daemon a host. */
#include "daemon/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int instance_lock(const char *path, pid_t *out_holder)
{
	/* Not for the group to read: whoever can open the file can hold its lock. */
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[32] = "";
	int len;

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0) /* made by an earlier version */
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (pread(fd, text, sizeof(text) - 1, 0) < 0)
			text[0] = '\0';
		*out_holder = (pid_t)strtol(text, NULL, 10); /* 0 if it is not yet written */
		return -EBUSY;
	}
	len = snprintf(text, sizeof(text), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) != len)
		return -errno;
	return take_fd(fd);
}
