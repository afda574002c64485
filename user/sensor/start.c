// SPDX-License-Identifier: GPL-2.0-or-later
/* The picture at start: runs the BPF iterators once. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

/* Reads an iterator to its end. Records come whole, since each is written by one bpf_seq_write().
 */
static int run(struct sensor *sensor, const char *program)
{
	const struct hook *hook = hooks_find(&sensor->hooks, program);
	_cleanup_free_ char *buf = NULL;
	const size_t size = 256 * 1024;
	_cleanup_close_ int fd = -1;
	size_t held = 0;

	if (!hook || !hook->link)
		return 0; /* told as a missing hook */
	buf = malloc(size);
	if (!buf)
		return -ENOMEM;
	fd = bpf_iter_create(bpf_link__fd(hook->link));
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

int sensor_start_picture(struct sensor *sensor)
{
	int r = run(sensor, "on_iter_task");

	return r < 0 ? r : sensor_find_open(sensor);
}
