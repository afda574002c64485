// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the rings, decodes, hands over; and counts what was lost on the way. */
#include "sensor/rings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"
#include "wire/decode.h"

#include "keytrail.skel.h"

void sensor_deliver(struct sensor *sensor, const void *data, size_t size)
{
	struct event event;

	if (wire_decode(data, size, &event) < 0)
		sensor->undecodable++;
	else {
		cgroup_paths_complete(&sensor->cgroups, &event);
		sensor->config.event(&event, sensor->config.userdata);
	}
}

static void on_record(void *userdata, const void *data, size_t size)
{
	sensor_deliver(userdata, data, size);
}

/*
 * One turn: the bytes it took, or negative errno. It takes no more than the ring can hold: all that
 * stood in it when the turn began. An empty ring is no end that one comes to, where somebody writes
 * as fast as we read.
 */
static long take_turn(struct sensor *sensor, enum sensor_ring ring)
{
	struct ringreader *reader = &sensor->rings[ring];

	return ringreader_take(reader, reader->size, on_record, sensor);
}

int rings_open(struct sensor *sensor)
{
	const struct bpf_map *maps[SENSOR_RING_NR] = {
		[SENSOR_RING_CRITICAL] = sensor->skel->maps.ring_critical,
		[SENSOR_RING_BULK] = sensor->skel->maps.ring_bulk,
		[SENSOR_RING_SPARE] = sensor->skel->maps.ring_spare,
	};

	sensor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sensor->epoll_fd < 0)
		return -errno;
	for (int i = 0; i < SENSOR_RING_NR; i++) {
		struct epoll_event event = {.events = EPOLLIN};
		/* The object's own goes with it: sensor.c, keep_maps_only(). */
		int fd = fcntl(bpf_map__fd(maps[i]), F_DUPFD_CLOEXEC, 3);
		int r;

		if (fd < 0)
			return -errno;
		sensor->ring_fds[i] = fd;
		r = ringreader_open(&sensor->rings[i], fd, bpf_map__max_entries(maps[i]));
		if (r < 0)
			return r;
		if (epoll_ctl(sensor->epoll_fd, EPOLL_CTL_ADD, fd, &event))
			return -errno;
	}
	return 0;
}

void rings_close(struct sensor *sensor)
{
	for (int i = 0; i < SENSOR_RING_NR; i++) {
		ringreader_close(&sensor->rings[i]);
		sensor->ring_fds[i] = fd_close(sensor->ring_fds[i]);
	}
	sensor->epoll_fd = fd_close(sensor->epoll_fd);
}

int sensor_fd(const struct sensor *sensor)
{
	return sensor->epoll_fd;
}

long sensor_drain_lifecycle(struct sensor *sensor)
{
	return take_turn(sensor, SENSOR_RING_BULK);
}

long sensor_drain(struct sensor *sensor)
{
	long bulk, critical, spare;

	bulk = take_turn(sensor, SENSOR_RING_BULK);
	if (bulk < 0)
		return bulk;
	critical = take_turn(sensor, SENSOR_RING_CRITICAL);
	if (critical < 0)
		return critical;
	/* The later ones: the critical ring was full by then. */
	spare = take_turn(sensor, SENSOR_RING_SPARE);
	if (spare < 0)
		return spare;
	pressure_turn(sensor);
	return bulk + critical + spare;
}

const char *sensor_drop_str(enum wire_drop cause)
{
	static const char *const names[WIRE_DROP_NR] = {
		[WIRE_DROP_RING_CRITICAL] = "ring-critical",
		[WIRE_DROP_RING_BULK] = "ring-bulk",
		[WIRE_DROP_MARK_FULL] = "mark-full",
		[WIRE_DROP_MARK_BUSY] = "mark-busy",
		[WIRE_DROP_HOLDER_FULL] = "holder-full",
		[WIRE_DROP_READ] = "kernel-read",
		[WIRE_DROP_FD_SCAN] = "fd-scan-bound",
		[WIRE_DROP_KEY_HOLDER_FULL] = "key-holder-full",
		[WIRE_DROP_TREE] = "tree-bound",
		[WIRE_DROP_DUMP_FULL] = "dump-full",
		[WIRE_DROP_MARK_QUOTA] = "mark-quota",
		[WIRE_DROP_TAINT_FULL] = "taint-full",
		[WIRE_DROP_SCRIPT_FULL] = "script-full",
	};

	return (unsigned)cause < WIRE_DROP_NR ? names[cause] : "?";
}

/* Sum over CPUs of one slot of a per-CPU array. */
static uint64_t sum_slot(const struct bpf_map *map, uint32_t slot)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ uint64_t *values = cpus > 0 ? calloc(cpus, sizeof(*values)) : NULL;
	uint64_t sum = 0;

	if (!values || bpf_map_lookup_elem(bpf_map__fd(map), &slot, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

static bool is_of(const struct hook_spec *spec, enum skipped_of of)
{
	if (of == SKIPPED_NAMES)
		return spec->names;
	return (spec->kind == HOOK_TRACEPOINT) == (of == SKIPPED_LIFECYCLE);
}

uint64_t sensor_skipped(const struct sensor *sensor, enum skipped_of of)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sensor->hooks.nr; i++) {
		const struct hook *hook = &sensor->hooks.items[i];

		if (is_of(hook->spec, of))
			sum += hook_skipped(hook);
	}
	return sum;
}

uint64_t sensor_names_moved(const struct sensor *sensor)
{
	return __atomic_load_n(&sensor->skel->bss->names_moved, __ATOMIC_SEQ_CST) +
	       sensor_skipped(sensor, SKIPPED_NAMES);
}

int sensor_stats(const struct sensor *sensor, struct sensor_stats *out_stats)
{
	struct sensor_stats s = {
		.undecodable = sensor->undecodable,
		.ring_kib = {sensor->config.ring_critical_kib, sensor->config.ring_bulk_kib,
			     bpf_map__max_entries(sensor->skel->maps.ring_spare) / 1024},
		.repeats_kind = sensor->repeats,
		.marks_max = sensor->config.marks_max,
		.refused_counted = sensor->skel->bss->refused_counted,
		.holders = sensor->skel->bss->nr_holders,
		.holders_max = bpf_map__max_entries(sensor->skel->maps.holders),
	};

	for (uint32_t i = 0; i < WIRE_DROP_NR; i++)
		s.drops[i] = sum_slot(sensor->skel->maps.st_drops, i);
	for (uint32_t i = 0; i < SENSOR_RING_NR; i++)
		s.records[i] = sum_slot(sensor->skel->maps.st_records, i);
	s.repeats_self = sum_slot(sensor->skel->maps.st_repeats, 0);
	s.copies_over = sum_slot(sensor->skel->maps.st_copies_over, 0);
	s.recursion_misses = sensor_skipped(sensor, SKIPPED_OTHERS);
	s.recursion_names = sensor_skipped(sensor, SKIPPED_NAMES);
	s.recursion_lifecycle = sensor_skipped(sensor, SKIPPED_LIFECYCLE);
	*out_stats = s;
	return 0;
}
