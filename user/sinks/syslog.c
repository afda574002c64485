// SPDX-License-Identifier: GPL-2.0-or-later
/* The syslog sink: alerts as datagrams to rsyslog's input of our own, else to /dev/log. */
#include "sinks/syslog.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/cleanup.h"
#include "sinks/outbox.h"
#include "sinks/rfc3164.h"
#include "sinks/rfc5424.h"

#define NS_PER_S 1000000000ULL
/* Sent in one go before the daemon's loop gets its turn again. */
#define FLUSH_BURST 256

enum route { ROUTE_NONE, ROUTE_OWN, ROUTE_FALLBACK };

struct syslog_sink {
	struct sink sink;
	struct outbox outbox;
	struct sockaddr_un own, fallback; /* sun_path "" = not used */
	char sd_id[33];
	uint32_t pid;
	uint64_t (*now_ns)(void);
	int fd;
	enum route route;
	bool own_seen; /* our own input has answered once */
	uint64_t own_lost; /* when it went away, 0 = it has not */
	uint64_t next_try; /* of connecting; 0 = now */
	int error; /* last refusal, 0 = none since the last success */
	uint64_t written;
};

static struct syslog_sink *self(const struct sink *sink)
{
	return (struct syslog_sink *)((char *)sink - offsetof(struct syslog_sink, sink));
}

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int set_address(struct sockaddr_un *addr, const char *path)
{
	addr->sun_family = AF_UNIX;
	if (!path)
		return 0;
	if (strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	memcpy(addr->sun_path, path, strlen(path) + 1);
	return 0;
}

static int try_connect(const struct sockaddr_un *addr, int *out_fd)
{
	_cleanup_close_ int fd = -1;

	if (!addr->sun_path[0])
		return -ENOENT;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		return -errno;
	*out_fd = take_fd(fd);
	return 0;
}

static void use(struct syslog_sink *s, int fd, enum route route)
{
	fd_close(s->fd);
	s->fd = fd;
	s->route = route;
	if (route == ROUTE_OWN) {
		s->own_seen = true;
		s->own_lost = 0;
	}
}

/* Sees to it that `fd` is the best socket that can be had now. */
static void reconnect(struct syslog_sink *s)
{
	uint64_t now = s->now_ns();
	int fd, r;

	if (s->route == ROUTE_OWN || now < s->next_try)
		return;
	r = try_connect(&s->own, &fd);
	if (r == 0) {
		use(s, fd, ROUTE_OWN);
		s->next_try = 0;
		return;
	}
	if (s->own_seen && s->own_lost && now - s->own_lost < SYSLOG_GRACE_S * NS_PER_S) {
		s->error = r;
		s->next_try = now + NS_PER_S / 10; /* rsyslog will be back in a moment */
		return;
	}
	s->next_try = now + SYSLOG_RETRY_S * NS_PER_S;
	if (s->route == ROUTE_FALLBACK)
		return;
	/* What is told is why the socket that was asked for last refused. */
	if (s->fallback.sun_path[0])
		r = try_connect(&s->fallback, &fd);
	if (r == 0)
		use(s, fd, ROUTE_FALLBACK);
	else
		s->error = r;
}

static void disconnect(struct syslog_sink *s)
{
	if (s->route == ROUTE_OWN)
		s->own_lost = s->now_ns();
	s->fd = fd_close(s->fd);
	s->route = ROUTE_NONE;
	s->next_try = 0;
}

/* 0; -EAGAIN: not now; -EMSGSIZE, -EBADMSG: never; other: the peer is gone. */
static int send_line(struct syslog_sink *s, const char *line, size_t len)
{
	char other[SYSLOG_LINE_MAX];

	if (s->route == ROUTE_FALLBACK) {
		long n = len <= sizeof(other) ? rfc3164_from_rfc5424(line, len, other) : -EMSGSIZE;

		if (n < 0)
			return (int)n;
		line = other;
		len = n;
	}
	if (send(s->fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)
		return -EAGAIN;
	return -errno;
}

static long format_line(const struct sink *sink, const struct alert *alert, char **out_record)
{
	const struct syslog_sink *s = self(sink);
	struct syslog_ident ident = {s->sd_id, s->pid};
	char line[SYSLOG_LINE_MAX];
	long len = rfc5424_format(alert, &ident, line);

	if (len < 0)
		return len;
	*out_record = malloc((size_t)len);
	if (!*out_record)
		return -ENOMEM;
	memcpy(*out_record, line, (size_t)len);
	return len;
}

static void syslog_flush(struct sink *sink)
{
	struct syslog_sink *s = self(sink);
	const char *line;
	size_t len;

	outbox_tell_lost(&s->outbox);
	reconnect(s);
	for (int i = 0; i < FLUSH_BURST && queue_peek(s->outbox.queue, &line, &len) == 0; i++) {
		int r;

		if (s->fd < 0)
			return;
		r = send_line(s, line, len);
		if (r == -EAGAIN) {
			s->error = r;
			return;
		}
		if (r == -EMSGSIZE || r == -EBADMSG) { /* a spool of other making */
			queue_drop(s->outbox.queue, 0);
			queue_pop(s->outbox.queue);
			continue;
		}
		if (r < 0) {
			s->error = r;
			disconnect(s);
			reconnect(s);
			continue; /* bounded by i */
		}
		queue_pop(s->outbox.queue);
		s->written++;
		s->error = 0;
		outbox_tell_lost(&s->outbox);
	}
}

static int syslog_write(struct sink *sink, const struct alert *alert)
{
	int r = outbox_add(&self(sink)->outbox, alert);

	syslog_flush(sink);
	queue_keep(self(sink)->outbox.queue);
	return r;
}

static int syslog_heartbeat(struct sink *sink, const struct heartbeat *heartbeat)
{
	struct syslog_sink *s = self(sink);
	const struct syslog_ident ident = {s->sd_id, s->pid};
	char line[SYSLOG_LINE_MAX];
	long len = rfc5424_heartbeat(heartbeat, &ident, line);
	int r = len < 0 ? (int)len
			: queue_push(s->outbox.queue, line, (size_t)len, heartbeat->time_ns);

	syslog_flush(sink);
	queue_keep(self(sink)->outbox.queue);
	return r;
}

static void syslog_stats(const struct sink *sink, struct sink_stats *out_stats)
{
	const struct syslog_sink *s = self(sink);
	struct sink_stats stats = {
		.written = s->written,
		.queued = queue_in_memory(s->outbox.queue),
		.spooled = queue_in_spool(s->outbox.queue),
		.dropped = queue_dropped(s->outbox.queue),
	};
	int spool_error = queue_spool_error(s->outbox.queue);
	int n;

	if (s->route == ROUTE_NONE)
		n = snprintf(stats.state, sizeof(stats.state), "not connected: %s",
			     s->error ? strerror(-s->error) : "not tried yet");
	else
		n = snprintf(stats.state, sizeof(stats.state), "connected to %.64s (%s)%s%s",
			     s->route == ROUTE_OWN ? s->own.sun_path : s->fallback.sun_path,
			     s->route == ROUTE_OWN ? "RFC 5424" : "RFC 3164",
			     s->error ? ", waiting: " : "", s->error ? strerror(-s->error) : "");
	if (spool_error && n > 0 && (size_t)n < sizeof(stats.state))
		snprintf(stats.state + n, sizeof(stats.state) - n, "; spool: %s",
			 strerror(-spool_error));
	*out_stats = stats;
}

static void syslog_free(struct sink *sink)
{
	struct syslog_sink *s = self(sink);

	if (s->outbox.queue)
		syslog_flush(sink);
	outbox_done(&s->outbox);
	fd_close(s->fd);
	free(s);
}

static const struct sink_ops syslog_ops = {
	.name = "syslog",
	.write = syslog_write,
	.flush = syslog_flush,
	.heartbeat = syslog_heartbeat,
	.stats = syslog_stats,
	.free = syslog_free,
};

int syslog_sink_new(const struct syslog_options *options, struct sink **out_sink)
{
	struct queue_options queue = {
		.memory_max = options->memory_max,
		.spool_path = options->spool_path,
		.spool_max = options->spool_max,
	};
	struct syslog_sink *s;
	int r;

	if (!syslog_sd_id_valid(options->sd_id))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->sink.ops = &syslog_ops;
	s->fd = -1;
	s->pid = options->pid;
	s->now_ns = options->now_ns ? options->now_ns : monotonic_ns;
	snprintf(s->sd_id, sizeof(s->sd_id), "%s", options->sd_id);
	r = set_address(&s->own, options->socket);
	if (r == 0)
		r = set_address(&s->fallback, options->fallback);
	if (r == 0)
		r = outbox_init(&s->outbox, &s->sink, format_line, &queue);
	if (r < 0) {
		free(s);
		return r;
	}
	reconnect(s);
	*out_sink = &s->sink;
	return 0;
}
