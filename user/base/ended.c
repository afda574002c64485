// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a process is over: /proc/PID/stat. */
#include "base/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define TICK_NS 10000000 /* of /proc; USER_HZ is 100 on each architecture that has BPF programs */

/* What begins `nr` fields after p; NULL: there are not as many. */
static const char *skip_fields(const char *p, unsigned nr)
{
	while (p && nr--) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p;
}

bool proc_ended(uint32_t tgid, uint64_t start)
{
	_cleanup_close_ int fd = -1;
	const char *state, *threads, *began;
	char path[32], text[1024];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", tgid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n < 0 && errno == ESRCH;
	text[n] = '\0';
	/* proc(5): the 2nd field is the name, which may have any byte in it, but no parenthesis
	 * comes after its last; the 3rd is the state, the 20th num_threads, the 22nd starttime. */
	state = skip_fields(strrchr(text, ')'), 1);
	threads = skip_fields(state, 17);
	began = skip_fields(threads, 2);
	if (!began)
		return false;
	if (strtoull(began, NULL, 10) != start / TICK_NS)
		return true;
	/* A leader that has ended before its threads is a zombie, too, but not alone. */
	return (*state == 'Z' || *state == 'X') && strtoul(threads, NULL, 10) <= 1;
}
