// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel side of a keytraild that is fed from a trace.
 *
 * Linked in front of the library, it takes the place of user/sensor; everything else of the daemon
 * is what is installed: its loop and timers, engine, evidence log, trail, sinks and control socket.
 * So what can be seen of a daemon over hours, or when it is killed, can be seen without probes.
 *
 * The trace comes by standard input and holds no ticks. Each drain hands over one batch, and the
 * clock is the trace's: CLOCK_BOOTTIME is the time of the latest event, CLOCK_REALTIME that and the
 * header's offset (-Wl,--wrap=clock_gettime). When the trace ends the daemon is sent SIGTERM.
 *
 * Environment:
 *	FED_PROGRESS	file of struct progress, written before each batch: it outlives a kill -9
 *	FED_FASTER	timers of the daemon's loop come so many times as often (1)
 */
#include "sensor/sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "sensor/support.h"
#include "trace/trace.h"

#define BATCH	 256
#define BATCH_NS 100000000ULL /* of the trace's time: what settles in between is seen to settle */

/* Of what is done with: the batch was judged, and the turn of the loop that it came in has ended.
 */
struct progress {
	uint64_t events;
	uint64_t clock; /* CLOCK_BOOTTIME ns */
	uint64_t ended; /* 1: the trace did */
};

struct sensor {
	struct sensor_config config;
	struct trace_reader *reader;
	struct diag_list diags;
	struct hooks hooks; /* none */
	struct progress *progress;
	uint64_t events;
	int epoll, event;
	bool ended, broken;
};

/* As the daemon asks the time before there is a sensor. */
static struct clock {
	struct trace_reader *reader;
	struct diag_list diags;
	struct trace_item first; /* read ahead */
	bool has_first;
	uint64_t boottime;
	int64_t wall_offset;
} clocks;

int __real_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
int __real_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec);
int __wrap_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec);

static void die(const char *what)
{
	fprintf(stderr, "fed: %s\n", what);
	exit(1);
}

static void begin(void)
{
	if (clocks.reader)
		return;
	if (trace_reader_new(stdin, "the trace", &clocks.diags, &clocks.reader) < 0 ||
	    trace_read(clocks.reader, &clocks.first) != 1 || clocks.first.type != TRACE_EVENT)
		die("no trace on standard input");
	clocks.has_first = true;
	clocks.boottime = clocks.first.event.time;
	clocks.wall_offset = trace_reader_header(clocks.reader)->wall_offset_ns;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
	uint64_t ns;

	if (id != CLOCK_BOOTTIME && id != CLOCK_REALTIME)
		return __real_clock_gettime(id, out);
	begin();
	ns = clocks.boottime + (id == CLOCK_REALTIME ? (uint64_t)clocks.wall_offset : 0);
	*out = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	return 0;
}

int __wrap_sd_event_source_set_time_relative(sd_event_source *source, uint64_t usec)
{
	static uint64_t faster;

	if (!faster) {
		const char *text = getenv("FED_FASTER");

		faster = text ? strtoull(text, NULL, 10) : 1;
		if (!faster)
			die("FED_FASTER is no number");
	}
	return __real_sd_event_source_set_time_relative(source, usec / faster);
}

static struct progress *map_progress(void)
{
	const char *path = getenv("FED_PROGRESS");
	_cleanup_close_ int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	void *p;

	if (fd < 0 || ftruncate(fd, sizeof(struct progress)) < 0)
		die("no FED_PROGRESS");
	p = mmap(NULL, sizeof(struct progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("FED_PROGRESS cannot be mapped");
	return p;
}

int support_check(struct sensor_refusal *out_refusal)
{
	return 0;
}

int sensor_new(const struct sensor_config *config, struct sensor **out_sensor,
	       struct sensor_refusal *out_refusal)
{
	struct sensor *sensor = calloc(1, sizeof(*sensor));
	struct epoll_event ev = {.events = EPOLLIN};

	if (!sensor)
		return -ENOMEM;
	begin();
	sensor->config = *config;
	sensor->progress = map_progress();
	sensor->epoll = epoll_create1(EPOLL_CLOEXEC);
	sensor->event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sensor->epoll < 0 || sensor->event < 0 ||
	    epoll_ctl(sensor->epoll, EPOLL_CTL_ADD, sensor->event, &ev) < 0)
		die("no epoll");
	*out_sensor = sensor;
	return 0;
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	diag_print(&clocks.diags, stderr);
	trace_reader_free(clocks.reader);
	munmap(sensor->progress, sizeof(*sensor->progress));
	fd_close(sensor->epoll);
	fd_close(sensor->event);
	free(sensor);
}

static bool next(struct sensor *sensor, struct trace_item *out_item)
{
	int r;

	if (clocks.has_first) {
		clocks.has_first = false;
		*out_item = clocks.first;
		return true;
	}
	r = trace_read(clocks.reader, out_item);
	if (r == 1 && out_item->type != TRACE_EVENT)
		r = -EINVAL;
	if (r < 0)
		die("the trace cannot be read");
	return r == 1;
}

static void end(struct sensor *sensor)
{
	uint64_t one;

	sensor->ended = true;
	(void)!read(sensor->event, &one, sizeof(one));
	kill(getpid(), SIGTERM);
}

static long hand_over(struct sensor *sensor)
{
	const uint64_t until = clocks.boottime + BATCH_NS;
	struct trace_item item;
	long handed = 0;

	while (handed < BATCH && clocks.boottime < until) {
		if (!next(sensor, &item)) {
			end(sensor);
			break;
		}
		if (item.event.time > clocks.boottime)
			clocks.boottime = item.event.time;
		sensor->config.event(&item.event, sensor->config.userdata);
		handed++;
	}
	return handed;
}

/* Not before the daemon is up: what it asks the time for meanwhile is the first event's. */
long sensor_drain(struct sensor *sensor)
{
	struct progress *progress = sensor->progress;
	static bool within;
	long handed;

	if (within || sensor->ended)
		return 0;
	__atomic_store_n(&progress->clock, clocks.boottime, __ATOMIC_RELEASE);
	__atomic_store_n(&progress->events, sensor->events, __ATOMIC_RELEASE);
	within = true; /* an event's consumer may drain again; its event must stay as it is */
	handed = hand_over(sensor);
	within = false;
	sensor->events += (uint64_t)handed;
	if (sensor->ended)
		__atomic_store_n(&progress->ended, 1, __ATOMIC_RELEASE);
	return handed;
}

int sensor_stats(const struct sensor *sensor, struct sensor_stats *out_stats)
{
	*out_stats = (struct sensor_stats){.records = {sensor->events}};
	return 0;
}

int sensor_fd(const struct sensor *sensor)
{
	return sensor->epoll;
}

const struct hooks *sensor_hooks(const struct sensor *sensor)
{
	return &sensor->hooks;
}

/* Every path leads to the one executable that the events of the trace are of (events.c). */
int sensor_identify(struct sensor *sensor, const char *path, struct inode_id *out_identity)
{
	*out_identity = (struct inode_id){.ino = 77, .dev = 8};
	return 0;
}

int sensor_identify_fd(struct sensor *sensor, int fd, struct inode_id *out_identity)
{
	return sensor_identify(sensor, "", out_identity);
}

/* --- of a host there is nothing: no file is marked, none is opened ---------------------------- */

int sensor_mark(struct sensor *sensor, int dirfd, const char *path, struct mark *mark,
		struct inode_id *out_identity)
{
	return -ENOENT;
}

int sensor_open(struct sensor *sensor, const char *path, struct inode_id *out_inodes, size_t max,
		size_t *out_nr)
{
	return -ENOENT;
}

int sensor_remark(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		  uint32_t state, uint32_t watch, uint32_t flags)
{
	return -ENOENT;
}

int sensor_deny(struct sensor *sensor, bool on)
{
	return on ? -EOPNOTSUPP : 0;
}

void sensor_deny_group(struct sensor *sensor, uint16_t group, uint8_t denied)
{
}

int sensor_permit(struct sensor *sensor, const struct permit_key *key,
		  const struct permit_value *value)
{
	return 0;
}

void sensor_unpermit(struct sensor *sensor, const struct permit_key *key)
{
}

void sensor_deny_watches(struct sensor *sensor, uint16_t (*group)(void *userdata, uint32_t watch),
			 void *userdata)
{
}

void sensor_deny_no_orders(struct sensor *sensor)
{
}

int sensor_regroup(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		   uint16_t group)
{
	return -ENOENT;
}

bool sensor_regroup_all(struct sensor *sensor,
			uint16_t (*group)(void *userdata, uint64_t object, uint16_t present),
			void *userdata)
{
	return true;
}

int sensor_unmark(struct sensor *sensor, const struct inode_id *identity, uint64_t object)
{
	return -ENOENT;
}

bool sensor_is_marked(struct sensor *sensor, const struct inode_id *identity, uint64_t object)
{
	return false;
}

uint64_t sensor_names_moved(const struct sensor *sensor)
{
	return 0;
}

int sensor_mark_block(struct sensor *sensor, uint32_t dev, const struct mark *mark)
{
	return -ENOENT;
}

int sensor_unmark_block(struct sensor *sensor, uint32_t dev)
{
	return -ENOENT;
}

size_t sensor_marked_on(const struct sensor *sensor, uint32_t out_devs[static MARKING_INODES])
{
	return 0;
}

int sensor_unmark_device(struct sensor *sensor, uint32_t dev)
{
	return 0;
}

void sensor_mend_processes(struct sensor *sensor)
{
}

long sensor_drain_lifecycle(struct sensor *sensor)
{
	return 0;
}

void sensor_complete(struct sensor *sensor)
{
}

int sensor_start_picture(struct sensor *sensor)
{
	return 0;
}

int sensor_find_open(struct sensor *sensor)
{
	return 0;
}

void sensor_enter_child(struct sensor *sensor, unsigned slot)
{
}

void sensor_child_ended(struct sensor *sensor, unsigned slot)
{
}

void sensor_lend_child(struct sensor *sensor, unsigned slot, pid_t pid)
{
}

void sensor_watch_dumps(struct sensor *sensor, uint32_t threshold, uint32_t watch)
{
}

int sensor_tell_names(struct sensor *sensor, bool on)
{
	return 0;
}

void sensor_tell_copies(struct sensor *sensor, bool told)
{
}

int sensor_load_watchset(struct sensor *sensor, const struct watchset *set)
{
	return 0;
}

void sensor_unload_watchset(struct sensor *sensor, const struct watchset *set)
{
}

int sensor_tell_reads(struct sensor *sensor, bool on)
{
	return 0;
}

void sensor_tell_anew(struct sensor *sensor)
{
}

void sensor_set_quota(struct sensor *sensor, uint32_t max)
{
}

void sensor_set_quota_ranges(struct sensor *sensor, const struct quota_range *ranges, size_t nr)
{
}

int sensor_quota_each(struct sensor *sensor,
		      void (*call)(void *userdata, const struct sensor_account *account),
		      void *userdata)
{
	return 0;
}

void sensor_holders_each(struct sensor *sensor,
			 void (*call)(void *userdata, const struct sensor_holder *holder),
			 void *userdata)
{
}

const char *sensor_drop_str(enum wire_drop cause)
{
	return "none";
}
