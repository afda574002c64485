// SPDX-License-Identifier: GPL-2.0-or-later
/* The JSON lines sink: each alert as one line at the end of a file. */
#include "sinks/jsonl.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sinks/outbox.h"

#define FLUSH_BURST 256

struct jsonl_sink {
	struct sink sink;
	struct outbox outbox;
	char *path;
	int fd;
	bool torn; /* the file ends in half a line that could not be taken back */
	int error;
	uint64_t written;
};

static struct jsonl_sink *self(const struct sink *sink)
{
	return (struct jsonl_sink *)((char *)sink - offsetof(struct jsonl_sink, sink));
}

static int make_directory(const char *path)
{
	_cleanup_free_ char *dir = strdup(path);
	char *slash;

	if (!dir)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	if (slash == dir)
		return 0;
	*slash = '\0';
	return mkdir(dir, 0750) < 0 && errno != EEXIST ? -errno : 0;
}

/* A writer that is killed within write() leaves the beginning of a line. */
static bool ends_in_half_a_line(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* Opens the path unless the file that is open already stands there. */
static int reopen(struct jsonl_sink *s)
{
	/* O_NONBLOCK: a FIFO put there must not stop the daemon. */
	const int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	_cleanup_close_ int fd = -1;
	struct stat there, open_now;

	if (s->fd >= 0 && stat(s->path, &there) == 0 && fstat(s->fd, &open_now) == 0 &&
	    there.st_dev == open_now.st_dev && there.st_ino == open_now.st_ino)
		return 0;
	fd = open(s->path, flags, 0640);
	if (fd < 0 && errno == ENOENT) {
		int r = make_directory(s->path);

		if (r < 0)
			return r;
		fd = open(s->path, flags, 0640);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &there) < 0)
		return -errno;
	if (!S_ISREG(there.st_mode))
		return -EINVAL;
	s->torn = ends_in_half_a_line(fd, there.st_size);
	fd_close(s->fd);
	s->fd = take_fd(fd);
	return 0;
}

/* One line, newline included, in one write. */
static int write_line(struct jsonl_sink *s, const char *line, size_t len)
{
	struct stat st;
	ssize_t n;

	if (s->torn) {
		if (write(s->fd, "\n", 1) != 1)
			return errno ? -errno : -EIO;
		s->torn = false;
	}
	do {
		errno = 0;
		n = write(s->fd, line, len);
	} while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return 0;
	if (n <= 0)
		return errno ? -errno : -EIO;
	if (fstat(s->fd, &st) < 0 || st.st_size < n || ftruncate(s->fd, st.st_size - n) < 0)
		s->torn = true;
	return -ENOSPC;
}

/* The newline takes the terminator's place. */
static long format_line(const struct sink *sink, const struct alert *alert, char **out_record)
{
	char *json = alert_json(alert);
	size_t len;

	(void)sink;
	if (!json)
		return -ENOMEM;
	len = strlen(json);
	json[len] = '\n';
	*out_record = json;
	return (long)(len + 1);
}

static void jsonl_flush(struct sink *sink)
{
	struct jsonl_sink *s = self(sink);
	const char *line;
	size_t len;

	outbox_tell_lost(&s->outbox);
	for (int i = 0; i < FLUSH_BURST && queue_peek(s->outbox.queue, &line, &len) == 0; i++) {
		int r = reopen(s);

		if (r == 0)
			r = write_line(s, line, len);
		s->error = r;
		if (r < 0)
			return;
		queue_pop(s->outbox.queue);
		s->written++;
		outbox_tell_lost(&s->outbox);
	}
}

static int jsonl_write(struct sink *sink, const struct alert *alert)
{
	int r = outbox_add(&self(sink)->outbox, alert);

	jsonl_flush(sink);
	queue_keep(self(sink)->outbox.queue);
	return r;
}

static void jsonl_stats(const struct sink *sink, struct sink_stats *out_stats)
{
	const struct jsonl_sink *s = self(sink);
	struct sink_stats stats = {
		.written = s->written,
		.queued = queue_in_memory(s->outbox.queue),
		.spooled = queue_in_spool(s->outbox.queue),
		.dropped = queue_dropped(s->outbox.queue),
	};

	snprintf(stats.state, sizeof(stats.state), "%s %.100s%s%s",
		 s->fd >= 0 ? "writing" : "not open:", s->path, s->error ? ": " : "",
		 s->error ? strerror(-s->error) : "");
	*out_stats = stats;
}

static void jsonl_free(struct sink *sink)
{
	struct jsonl_sink *s = self(sink);

	if (s->outbox.queue)
		jsonl_flush(sink);
	outbox_done(&s->outbox);
	fd_close(s->fd);
	free(s->path);
	free(s);
}

static const struct sink_ops jsonl_ops = {
	.name = "jsonl",
	.write = jsonl_write,
	.flush = jsonl_flush,
	.stats = jsonl_stats,
	.free = jsonl_free,
};

int jsonl_sink_new(const struct jsonl_options *options, struct sink **out_sink)
{
	struct queue_options queue = {
		.memory_max = options->memory_max,
		.spool_path = options->spool_path,
		.spool_max = options->spool_max,
	};
	struct jsonl_sink *s;
	int r;

	if (!options->path || options->path[0] != '/')
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->sink.ops = &jsonl_ops;
	s->fd = -1;
	s->path = strdup(options->path);
	r = s->path ? outbox_init(&s->outbox, &s->sink, format_line, &queue) : -ENOMEM;
	if (r < 0) {
		free(s->path);
		free(s);
		return r;
	}
	s->error = reopen(s);
	*out_sink = &s->sink;
	return 0;
}
