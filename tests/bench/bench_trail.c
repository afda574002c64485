// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the trail costs: how fast edges are written, and how long the question for one key takes
 * while the database grows.
 *
 *	bench_trail [EDGES]...	default 10000 100000 1000000
 *
 * A key in 1000 edges: kept in a file, read by many short processes. The question is asked of a
 * database that was closed and opened again, for 50 keys, each the first time; rendering included.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trail/render.h"
#include "trail/store.h"

#define EDGES_OF_A_KEY 1000
#define FLUSH_EVERY    20000 /* edges: a second's, were it busy */
#define ASKED	       50

static double seconds_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

static void die(const char *what)
{
	fprintf(stderr, "bench_trail: %s\n", what);
	exit(1);
}

static void put(const struct trail_sink *sink, uint64_t i, uint64_t keys)
{
	const uint64_t key = i % keys;
	const uint64_t time = 1700000000000000000ULL + i * 1000000;
	char name[64], label[64], file[64], path[64], process[64];
	struct trail_edge edge = {.key = name, .time_ns = time};

	snprintf(name, sizeof(name), "key/ssh/SHA256:%llu", (unsigned long long)key);
	snprintf(label, sizeof(label), "SHA256:%llu", (unsigned long long)key);
	snprintf(file, sizeof(file), "host/file/1:%llu:0", (unsigned long long)key);
	if (i < keys) {
		snprintf(path, sizeof(path), "/srv/keys/%llu.pem", (unsigned long long)key);
		sink->node(sink->ctx,
			   &(struct trail_node){.name = name, .kind = TRAIL_KEY, .label = label});
		sink->node(sink->ctx, &(struct trail_node){.name = file,
							   .kind = TRAIL_FILE,
							   .host = "host",
							   .label = path});
		edge.kind = TRAIL_HOLDS;
		edge.evidence = TRAIL_CONFIRMED;
		edge.from = name;
		edge.to = file;
	} else {
		snprintf(process, sizeof(process), "host/process/abcdef01/%llu.%llu.1",
			 (unsigned long long)(i % 4000000), (unsigned long long)i);
		sink->node(sink->ctx, &(struct trail_node){.name = process,
							   .kind = TRAIL_PROCESS,
							   .host = "host",
							   .label = "/usr/bin/ssh",
							   .unit = "session-3.scope",
							   .pid = (uint32_t)(i % 4000000) + 1,
							   .uid = 1000,
							   .loginuid = 1000});
		edge.kind = TRAIL_READ;
		edge.evidence = TRAIL_OBSERVED;
		edge.from = file;
		edge.to = process;
		edge.detail = "open";
	}
	sink->edge(sink->ctx, &edge);
}

static double fill(const char *path, uint64_t nr)
{
	const struct trail_store_options options = {.path = path};
	const uint64_t keys = nr / EDGES_OF_A_KEY;
	struct trail_store *store;
	struct trail_store_stats stats;
	struct trail_sink sink;
	double began = seconds();

	if (trail_store_new(&options, &store))
		die("no database");
	sink = trail_store_sink(store);
	for (uint64_t i = 0; i < nr; i++) {
		put(&sink, i, keys);
		if (i % FLUSH_EVERY == 0)
			trail_store_flush(store, 1700000000000000000ULL);
	}
	trail_store_flush(store, 1700000000000000000ULL);
	trail_store_stats(store, &stats);
	if (stats.lost || stats.edges != nr)
		die("edges are missing");
	trail_store_free(store);
	return seconds() - began;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* By the clock, and of the processor, which other work on the machine does not lengthen. */
static void ask(const char *path, uint64_t keys, double *out_median, double *out_worst,
		double *out_cpu)
{
	_cleanup_fclose_ FILE *nowhere = fopen("/dev/null", "we");
	double took[ASKED], cpu[ASKED];

	if (!nowhere)
		die("no /dev/null");
	for (uint64_t i = 0; i < ASKED; i++) {
		struct trail_store *store;
		struct trail_view view;
		char what[64];
		double began, cpu_began;

		snprintf(what, sizeof(what), "SHA256:%llu", (unsigned long long)(i * 7919 % keys));
		began = seconds();
		cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
		if (trail_store_open(path, &store) || trail_store_view(store, what, 0, &view))
			die("no answer");
		if (view.nr_edges != EDGES_OF_A_KEY)
			die("not the whole answer");
		trail_render_text(&view, nowhere);
		took[i] = seconds() - began;
		cpu[i] = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
		trail_view_fini(&view);
		trail_store_free(store);
	}
	qsort(took, ASKED, sizeof(took[0]), by_size);
	qsort(cpu, ASKED, sizeof(cpu[0]), by_size);
	*out_cpu = cpu[ASKED / 2];
	*out_median = took[ASKED / 2];
	*out_worst = took[ASKED - 1];
}

static double reopen(const char *path)
{
	const struct trail_store_options options = {.path = path};
	double began = seconds();
	struct trail_store *store;

	if (trail_store_new(&options, &store))
		die("no database");
	trail_store_free(store);
	return seconds() - began;
}

static void measure(uint64_t nr)
{
	char dir[] = "/tmp/bench-trail-XXXXXX";
	_cleanup_free_ char *path = NULL;
	double wrote, median, worst, cpu, start;
	struct stat st;

	if (nr < EDGES_OF_A_KEY || !mkdtemp(dir) || asprintf(&path, "%s/trail.db", dir) < 0)
		die("too few edges, or no directory");
	wrote = fill(path, nr);
	if (stat(path, &st) < 0)
		die("no file");
	start = reopen(path);
	ask(path, nr / EDGES_OF_A_KEY, &median, &worst, &cpu);
	printf("%8llu edges: %6.0f written/s, %5.0f bytes each, one key %5.1f ms (worst %5.1f, "
	       "of CPU %.1f), start %4.0f ms\n",
	       (unsigned long long)nr, (double)nr / wrote, (double)st.st_size / (double)nr,
	       median * 1e3, worst * 1e3, cpu * 1e3, start * 1e3);
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	static const uint64_t sizes[] = {10000, 100000, 1000000};

	for (int i = 1; i < argc; i++)
		measure(strtoull(argv[i], NULL, 10));
	for (size_t i = 0; argc < 2 && i < ARRAY_SIZE(sizes); i++)
		measure(sizes[i]);
	return 0;
}
