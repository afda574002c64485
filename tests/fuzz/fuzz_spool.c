// SPDX-License-Identifier: GPL-2.0-or-later
/* A spool file of any content: opened, drained and written to again, without harm and within its
 * bound. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/spool.h"

#define MAX 200000

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct spool *spool = NULL;
	uint64_t count;
	const char *p;
	size_t len;
	int fd;

	if (size > MAX)
		return 0;
	snprintf(path, sizeof(path), "/dev/shm/keytrail-fuzz-spool-%d", getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	check(spool_open(path, MAX, NULL, &spool) == 0);
	check(spool_used(spool) <= size);
	count = spool_count(spool);
	while (spool_peek(spool, &p, &len) == 0) {
		check(len > 0 && len <= SPOOL_RECORD_MAX && count-- > 0);
		spool_pop(spool);
	}
	check(count == 0 && spool_count(spool) == 0);
	check(spool_append(spool, "after", 5) == 0);
	check(spool_peek(spool, &p, &len) == 0 && len == 5 && !memcmp(p, "after", 5));
	spool_pop(spool);
	spool_close(spool);
	return 0;
}
