// SPDX-License-Identifier: GPL-2.0-or-later
/* The syslog sink against sockets of its own: routes, restarts of the reader, queueing, loss. */
#include "sinks/syslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "sinks/rfc5424.h"
#include "unit/alert_sample.h"
#include "unit/syslog_parse.h"
#include "unit/tmpdir.h"

static uint64_t clock_ns;
static uint64_t fake_now(void)
{
	return clock_ns;
}
static void pass_seconds(unsigned s)
{
	clock_ns += s * 1000000000ULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* As a restart of rsyslog does it: the name goes, then comes again. */
static void hang_up(int *fd, const char *path)
{
	*fd = fd_close(*fd);
	unlink(path);
}

static ssize_t receive(int fd, char *line)
{
	ssize_t n = recv(fd, line, SYSLOG_LINE_MAX + 1, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

static struct sink *open_sink(void **state, const struct syslog_options *more)
{
	struct syslog_options options = *more;
	struct sink *sink = NULL;

	options.socket = tmpdir_path(state, "own");
	options.fallback = tmpdir_path(state, "devlog");
	options.sd_id = "keytrail@32473";
	options.pid = 815;
	options.now_ns = fake_now;
	clock_ns = 1000000000000ULL;
	assert_int_equal(syslog_sink_new(&options, &sink), 0);
	return sink;
}

static int write_nr(struct sink *sink, unsigned nr)
{
	struct alert_sample s;
	char text[32];

	alert_sample_init(&s);
	snprintf(text, sizeof(text), "alert number %u", nr);
	s.alert.text = text;
	s.alert.time_ns += nr;
	return sink->ops->write(sink, &s.alert);
}

/* The next datagram is an RFC 5424 line with this sentence. */
static void expect_5424(int fd, const char *text)
{
	char line[SYSLOG_LINE_MAX + 1];
	ssize_t n = receive(fd, line);
	struct parsed p;

	assert_true(n > 0);
	assert_true(parse_rfc5424(line, n, &p));
	assert_int_equal(p.msg_len, strlen(text));
	assert_memory_equal(p.msg, text, p.msg_len);
	parsed_fini(&p);
}

static void expect_nr(int fd, unsigned nr)
{
	char text[32];

	snprintf(text, sizeof(text), "alert number %u", nr);
	expect_5424(fd, text);
}

static struct sink_stats stats(const struct sink *sink)
{
	struct sink_stats s;

	sink->ops->stats(sink, &s);
	return s;
}

static void our_own_input_is_taken_first(void **state)
{
	int own = listen_at(tmpdir_path(state, "own")),
	    dev = listen_at(tmpdir_path(state, "devlog"));
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	char line[SYSLOG_LINE_MAX + 1];

	assert_int_equal(write_nr(sink, 1), 0);
	expect_nr(own, 1);
	assert_int_equal(receive(dev, line), -EAGAIN);
	assert_int_equal(stats(sink).written, 1);
	assert_non_null(strstr(stats(sink).state, "RFC 5424"));
	sink->ops->free(sink);
	close(own);
	close(dev);
}

static void without_it_dev_log_gets_the_old_framing(void **state)
{
	int dev = listen_at(tmpdir_path(state, "devlog"));
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	char line[SYSLOG_LINE_MAX + 1];
	ssize_t n;

	setenv("TZ", "UTC", 1);
	assert_int_equal(write_nr(sink, 1), 0);
	n = receive(dev, line);
	assert_true(n > 0);
	line[n] = '\0';
	assert_memory_equal(line,
			    "<83>Jan  9 12:34:56 keytraild[815]: alert number 1 [keytrail@32473 ",
			    66);
	assert_true(line[n - 1] == ']');
	assert_non_null(strstr(stats(sink).state, "RFC 3164"));
	sink->ops->free(sink);
	close(dev);
}

static void nobody_listening_queues_and_drains_in_order(void **state)
{
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	int own;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(write_nr(sink, i), 0);
	assert_int_equal(stats(sink).queued, 5);
	assert_int_equal(stats(sink).written, 0);
	assert_non_null(strstr(stats(sink).state, "not connected"));
	own = listen_at(tmpdir_path(state, "own"));
	pass_seconds(SYSLOG_RETRY_S);
	sink->ops->flush(sink);
	for (unsigned i = 0; i < 5; i++)
		expect_nr(own, i);
	assert_int_equal(stats(sink).queued, 0);
	assert_int_equal(stats(sink).written, 5);
	sink->ops->free(sink);
	close(own);
}

static void a_restart_of_rsyslog_loses_and_diverts_nothing(void **state)
{
	const char *path = strdup(tmpdir_path(state, "own"));
	int own = listen_at(path), dev = listen_at(tmpdir_path(state, "devlog"));
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	char line[SYSLOG_LINE_MAX + 1];

	write_nr(sink, 1);
	expect_nr(own, 1);
	hang_up(&own, path);
	write_nr(sink, 2);
	pass_seconds(1);
	write_nr(sink, 3);
	assert_int_equal(stats(sink).queued, 2);
	own = listen_at(path);
	pass_seconds(1);
	sink->ops->flush(sink);
	expect_nr(own, 2);
	expect_nr(own, 3);
	assert_int_equal(receive(dev, line), -EAGAIN);
	sink->ops->free(sink);
	close(own);
	close(dev);
	free((char *)path);
}

static void a_long_absence_diverts_to_dev_log_and_comes_back(void **state)
{
	const char *path = strdup(tmpdir_path(state, "own"));
	int own = listen_at(path), dev = listen_at(tmpdir_path(state, "devlog"));
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	char line[SYSLOG_LINE_MAX + 1];

	write_nr(sink, 1);
	expect_nr(own, 1);
	hang_up(&own, path);
	write_nr(sink, 2);
	assert_int_equal(receive(dev, line), -EAGAIN);
	pass_seconds(SYSLOG_GRACE_S + 1);
	sink->ops->flush(sink);
	assert_true(receive(dev, line) > 0);
	assert_non_null(strstr(stats(sink).state, "RFC 3164"));
	own = listen_at(path);
	pass_seconds(SYSLOG_RETRY_S);
	write_nr(sink, 3);
	expect_nr(own, 3);
	assert_int_equal(receive(dev, line), -EAGAIN);
	sink->ops->free(sink);
	close(own);
	close(dev);
	free((char *)path);
}

static void a_reader_that_is_slow_loses_nothing(void **state)
{
	int own = listen_at(tmpdir_path(state, "own"));
	struct sink *sink = open_sink(state, &(struct syslog_options){0});
	unsigned got = 0, rounds = 0;

	/* More than the socket's queue (net.unix.max_dgram_qlen) takes. */
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(write_nr(sink, i), 0);
	assert_true(stats(sink).queued > 0);
	while (got < 600 && rounds++ < 1000) {
		char line[SYSLOG_LINE_MAX + 1];
		ssize_t n;

		while ((n = recv(own, line, sizeof(line), MSG_DONTWAIT | MSG_PEEK)) > 0)
			expect_nr(own, got++);
		sink->ops->flush(sink);
	}
	assert_int_equal(got, 600);
	assert_int_equal(stats(sink).dropped, 0);
	sink->ops->free(sink);
	close(own);
}

static void what_was_dropped_is_told_in_one_line(void **state)
{
	struct syslog_options small = {.memory_max = 20000};
	struct sink *sink = open_sink(state, &small);
	unsigned kept = 0, nr = 0;
	char text[128];
	int own;

	while (write_nr(sink, nr++) == 0)
		kept++;
	for (int i = 0; i < 9; i++)
		assert_int_equal(write_nr(sink, nr++), -ENOSPC);
	assert_int_equal(stats(sink).dropped, 10);
	own = listen_at(tmpdir_path(state, "own"));
	pass_seconds(SYSLOG_RETRY_S);
	for (unsigned got = 0; got < kept; got++) {
		sink->ops->flush(sink);
		expect_nr(own, got);
	}
	sink->ops->flush(sink);
	snprintf(text, sizeof(text),
		 "10 alerts could not be handed to syslog and were dropped: its "
		 "queue and spool were full");
	expect_5424(own, text);
	write_nr(sink, nr);
	expect_nr(own, nr);
	sink->ops->free(sink);
	close(own);
}

static void what_could_not_be_sent_survives_a_restart_of_ours(void **state)
{
	struct syslog_options spooled = {.spool_path = NULL, .memory_max = 5000};
	char *spool = strdup(tmpdir_path(state, "spool/syslog"));
	struct sink *sink;
	int own;

	spooled.spool_path = spool;
	sink = open_sink(state, &spooled);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(write_nr(sink, i), 0);
	assert_true(stats(sink).spooled > 0);
	sink->ops->free(sink);
	own = listen_at(tmpdir_path(state, "own"));
	sink = open_sink(state, &spooled);
	for (unsigned i = 0; i < 30; i++) {
		sink->ops->flush(sink);
		expect_nr(own, i);
	}
	sink->ops->free(sink);
	assert_int_equal(access(spool, F_OK), -1);
	close(own);
	free(spool);
}

static void a_bad_sd_id_or_path_is_refused(void **state)
{
	struct syslog_options options = {.sd_id = "with space"};
	struct sink *sink = NULL;
	char path[200];

	assert_int_equal(syslog_sink_new(&options, &sink), -EINVAL);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	options.sd_id = "x";
	options.socket = path;
	assert_int_equal(syslog_sink_new(&options, &sink), -ENAMETOOLONG);
	assert_null(sink);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(our_own_input_is_taken_first),
		TEST(without_it_dev_log_gets_the_old_framing),
		TEST(nobody_listening_queues_and_drains_in_order),
		TEST(a_restart_of_rsyslog_loses_and_diverts_nothing),
		TEST(a_long_absence_diverts_to_dev_log_and_comes_back),
		TEST(a_reader_that_is_slow_loses_nothing),
		TEST(what_was_dropped_is_told_in_one_line),
		TEST(what_could_not_be_sent_survives_a_restart_of_ours),
		TEST(a_bad_sd_id_or_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
