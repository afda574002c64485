// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What known keys cost a scan: the search alone, and a whole scan with and without, for 10 to
 * 10,000 keys. The needles have the windows of RSA keys (66 each) with tags that nothing has.
 *
 * Over the file that is named as argument, else over 256 MiB made of random bytes, program code and
 * zeros.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "scan/detect-needle.h"
#include "scan/dump.h"

#define SIZE   (256UL << 20)
#define WINDOW (1UL << 20)
#define ROUNDS 5

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void random_bytes(void *p, size_t len)
{
	while (len) {
		ssize_t n = getrandom(p, len < 256 ? len : 256, 0);

		if (n <= 0)
			abort();
		p = (char *)p + n;
		len -= (size_t)n;
	}
}

static struct needles make(size_t nr)
{
	/* Windows by form: bytes, words, digits, base64. */
	static const unsigned windows[] = {8, 2, 2, 2, 2, 1, 8, 8, 8, 8, 2, 2, 2, 2, 1};
	struct needles needles = {.made = 1};

	random_bytes(needles.key, sizeof(needles.key));
	for (size_t i = 0; i < nr; i++) {
		struct needle n = {.id = {.kind = KEY_RSA, .bits = 2048}};

		n.nr_forms = ARRAY_SIZE(windows);
		n.forms = calloc(n.nr_forms, sizeof(*n.forms));
		for (unsigned f = 0; f < n.nr_forms; f++) {
			n.forms[f].span = 32;
			n.forms[f].tag_bits = 32;
			n.forms[f].nr = (uint8_t)windows[f];
			for (unsigned w = 0; w < windows[f]; w++)
				random_bytes(&n.forms[f].windows[w].tag, 4);
		}
		if (needles_add(&needles, &n) < 0)
			abort();
	}
	return needles;
}

static void on_hit(void *userdata, const struct needle_hit *hit)
{
}

static int on_finding(void *userdata, const struct finding *finding)
{
	return 0;
}

static double search_once(const struct needles *needles, const uint8_t *p, size_t len, bool scalar)
{
	struct needle_table *table;
	struct needle_last last = {0};
	double start, end;

	if (needle_table_new(needles, 0, &table) < 0)
		abort();
	start = now();
	for (size_t at = 0; at < len; at += WINDOW) {
		size_t n = len - at < WINDOW ? len - at : WINDOW;

		(scalar ? needle_detect_scalar : needle_detect)(table, (struct bytes){p + at, n}, 0,
								n, false, at, &last, on_hit, NULL);
	}
	end = now();
	needle_table_free(table);
	return end - start;
}

static double scan_once(const struct needles *needles, int fd)
{
	struct dump_input input = {.fd = fd, .maps_fd = -1, .options = {.workers = 1}};
	static const struct dump_events events = {.found = on_finding};
	double start = now();

	input.options.needles = needles->nr ? needles : NULL;
	if (dump_scan(&input, &events, NULL) < 0)
		abort();
	return now() - start;
}

static int open_mix(const char *path)
{
	_cleanup_free_ char *block = malloc(WINDOW);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : memfd_create("mix", MFD_CLOEXEC);
	_cleanup_close_ int code = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || path)
		return fd;
	for (size_t at = 0; at < SIZE; at += WINDOW) {
		size_t kind = at / WINDOW % 4;

		memset(block, 0, WINDOW);
		if (kind == 0)
			random_bytes(block, WINDOW);
		else if (kind < 3 && pread(code, block, WINDOW, 0) <= 0)
			abort();
		if (write(fd, block, WINDOW) != (ssize_t)WINDOW)
			abort();
	}
	return fd;
}

int main(int argc, char **argv)
{
	static const size_t numbers[] = {10, 100, 1000, 10000};
	int fd = open_mix(argc > 1 ? argv[1] : NULL);
	struct needles none = {.nr = 0};
	struct stat st;
	uint8_t *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 1;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	printf("%8s %14s %14s %18s\n", "keys", "search MB/s", "plain C MB/s", "of a whole scan");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct needles needles = make(numbers[i]);
		double search = 1e9, scalar = 1e9, with = 1e9, without = 1e9;

		/* Back to back, the best of some: the machine has other things to do, too. */
		for (int round = 0; round < ROUNDS; round++) {
			double t = search_once(&needles, p, (size_t)st.st_size, false);

			search = t < search ? t : search;
			t = search_once(&needles, p, (size_t)st.st_size, true);
			scalar = t < scalar ? t : scalar;
			t = scan_once(&none, fd);
			without = t < without ? t : without;
			t = scan_once(&needles, fd);
			with = t < with ? t : with;
		}
		printf("%8zu %14.0f %14.0f %+17.1f%%\n", numbers[i],
		       (double)st.st_size / search / 1e6, (double)st.st_size / scalar / 1e6,
		       100 * (with - without) / without);
		needles_fini(&needles);
	}
	close(fd);
	return 0;
}
