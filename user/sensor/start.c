// SPDX-License-Identifier: GPL-2.0-or-later
/* The picture at start, and of processes when the kernel left some out: runs the BPF iterators. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

/* Somebody may bring the kernel to leave records out all the time, and have very many processes:
 * the pause after a picture of them, and at most one part in so many of the time is spent so. */
#define MEND_PERIOD_NS (100 * 1000000ULL)
#define MEND_SHARE     20

/* Reads an iterator to its end. Records come whole, since each is written by one bpf_seq_write().
 */
static int run(struct sensor *sensor, const char *program)
{
	const struct hook *hook = hooks_find(&sensor->hooks, program);
	_cleanup_free_ char *buf = NULL;
	const size_t size = 256 * 1024;
	_cleanup_close_ int fd = -1;
	size_t held = 0;

	if (!hook || hook->link < 0)
		return 0; /* told as a missing hook */
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	fd = bpf_iter_create(hook->link);
	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, buf + held, size - held);
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return held ? -EBADMSG : 0;
		held += n;
		while (held - at >= sizeof(struct wire_header)) {
			struct wire_header h;

			memcpy(&h, buf + at, sizeof(h));
			if (h.size < sizeof(h) || h.size > size)
				return -EBADMSG;
			if (h.size > held - at)
				break;
			sensor_deliver(sensor, buf + at, h.size);
			at += h.size;
		}
		memmove(buf, buf + at, held - at);
		held -= at;
	}
}

int sensor_find_open(struct sensor *sensor)
{
	int r = run(sensor, "on_iter_task_file");

	return r < 0 ? r : run(sensor, "on_iter_task_vma");
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void sensor_mend_processes(struct sensor *sensor)
{
	const uint64_t begun = now_ns();
	uint64_t skipped, ended, pause;

	if (begun < sensor->mend_from)
		return;
	skipped = sensor_skipped(sensor, SKIPPED_LIFECYCLE);
	if (skipped == sensor->mended)
		return;
	sensor->mended = skipped;
	sensor->mend_from = UINT64_MAX; /* not within itself */
	run(sensor, "on_iter_task"); /* if it fails they stay unknown, as they are */
	holders_end_gone(sensor);
	ended = now_ns();
	pause = MEND_SHARE * (ended - begun);
	sensor->mend_from = ended + (pause > MEND_PERIOD_NS ? pause : MEND_PERIOD_NS);
}

int sensor_start_picture(struct sensor *sensor)
{
	int r = run(sensor, "on_iter_task");

	return r < 0 ? r : sensor_find_open(sensor);
}
