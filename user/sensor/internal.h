/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sensor's own files share; nobody else includes this. */
#pragma once

#include <bpf/libbpf.h>

#include "sensor/hooks.h"
#include "sensor/ringreader.h"
#include "sensor/sensor.h"
#include "watch.h" /* types that the skeleton names */
#include "wire/cgroups.h"

struct kernel_types;
struct keytrail_bpf;

struct sensor {
	struct sensor_config config;
	struct kernel_types *types; /* until everything is loaded */
	int types_fd; /* object_open() */
	struct keytrail_bpf *skel; /* maps and variables; until everything is loaded, more */
	struct hooks hooks;
	struct ringreader rings[SENSOR_RING_NR];
	int ring_fds[SENSOR_RING_NR]; /* owned */
	int epoll_fd;
	unsigned slot; /* by which this process marks: 0 is the daemon itself */
	uint32_t marked_on[MARKING_INODES]; /* sensor_marked_on() */
	size_t nr_marked_on;
	uint64_t undecodable;
	struct cgroup_paths cgroups;
	uint16_t (*group)(void *userdata, uint32_t watch); /* sensor_deny_watches() */
	void *group_userdata;
	uint64_t repeats, turned_ns; /* see pressure.c */
	bool turned;
	/* sensor_mend_processes(): what was skipped by then, and when it may look again. */
	uint64_t mended, mend_from;
};

/* Counts the repeats of the turn that is over, begins another. At each drain. */
void pressure_turn(struct sensor *sensor);

/* Makes the rows that are never to be missing. Before anything is attached. 0 or negative errno. */
int quota_open(struct sensor *sensor);

/* Takes a mark off and gives its place back to whom it was charged to. -ENOENT if there is none. */
int quota_unmark(struct sensor *sensor, const struct mark_key *key);

/*
 * While a tracing program runs on a CPU the kernel skips it for whoever preempted it there, and
 * counts that (5.12 and later). Of the programs that tell of processes, of all others, and of those
 * of the others that follow names (hook_spec.names).
 */
enum skipped_of { SKIPPED_LIFECYCLE, SKIPPED_OTHERS, SKIPPED_NAMES };

uint64_t sensor_skipped(const struct sensor *sensor, enum skipped_of of);

/* Takes those out of the kernel side's holders whose end it did not see: it was left out there. */
void holders_end_gone(struct sensor *sensor);

/*
 * Takes the process tgid that began at `start` out of the map of holders, and not who has read a
 * key under its number meanwhile. True: there is one less.
 */
bool holder_take(int map, uint32_t tgid, uint64_t start);

/* Decodes one record and hands it over; counts what the decoder refuses. */
void sensor_deliver(struct sensor *sensor, const void *data, size_t size);
