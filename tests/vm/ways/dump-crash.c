// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Crashes, having read a key or not:
 *
 *	dump-crash KEY|- WHAT...
 *
 * WHAT, in this order: keep (the whole file stays in memory), closed (PR_SET_DUMPABLE 0), open (...
 *1), limit=BYTES (soft RLIMIT_CORE); last: abort, segv, threads (of which one crashes while others
 *run), stay (no crash: waits for a signal), end (none at all).
 */
#include "way.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int set_limit(const char *text)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0)
		return way_failed("getrlimit");
	limit.rlim_cur = strtoull(text, NULL, 10);
	return setrlimit(RLIMIT_CORE, &limit) < 0 ? way_failed("setrlimit") : 0;
}

static void *spin(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void *fault(void *arg)
{
	raise(SIGSEGV);
	return arg;
}

static void crash_in_a_thread(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, spin, NULL);
	pthread_create(&thread, NULL, fault, NULL);
	for (;;)
		pause();
}

static int read_key(const char *path)
{
	return way_with_open(path, O_RDONLY, way_read);
}

/* As programs have it that use a key: all of it, on the heap. */
static int keep(const char *path)
{
	static char *kept;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	kept = malloc(65536);
	n = kept && fd >= 0 ? read(fd, kept, 65536) : -1;
	if (n < 0)
		return way_failed(path);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	int r = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s KEY|- WHAT...\n", program_invocation_short_name);
		return 2;
	}
	/* What the core is to hold, whoever crashes: not the key itself, but that much. */
	if (strcmp(argv[1], "-") != 0)
		r = read_key(argv[1]);
	for (int i = 2; i < argc && !r; i++) {
		if (!strcmp(argv[i], "closed") || !strcmp(argv[i], "open"))
			r = prctl(PR_SET_DUMPABLE, argv[i][0] == 'o', 0, 0, 0) < 0
				    ? way_failed("prctl")
				    : 0;
		else if (!strcmp(argv[i], "keep"))
			r = keep(argv[1]);
		else if (!strncmp(argv[i], "limit=", 6))
			r = set_limit(argv[i] + 6);
		else if (!strcmp(argv[i], "abort"))
			abort();
		else if (!strcmp(argv[i], "segv"))
			raise(SIGSEGV);
		else if (!strcmp(argv[i], "threads"))
			crash_in_a_thread();
		else if (!strcmp(argv[i], "stay"))
			pause();
	}
	return r;
}
