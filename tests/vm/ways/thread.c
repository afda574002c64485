// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: in a thread of its own; with $WAY_ALONE after the first thread has ended, whose
 * number is the process's.
 */
#include <pthread.h>

#include "way.h"

static pthread_t first;

static void *work(void *path)
{
	const bool alone = getenv("WAY_ALONE") != NULL;

	if (alone)
		pthread_join(first, NULL);
	exit(way_with_open(path, O_RDONLY, way_read));
}

int main(int argc, char **argv)
{
	pthread_t worker;

	if (argc != 2) {
		fprintf(stderr, "usage: thread FILE\n");
		return 2;
	}
	first = pthread_self();
	errno = pthread_create(&worker, NULL, work, argv[1]);
	if (errno)
		return way_failed("pthread_create");
	if (getenv("WAY_ALONE"))
		pthread_exit(NULL);
	pthread_join(worker, NULL); /* and it ends the process */
	return WAY_FAILED;
}
