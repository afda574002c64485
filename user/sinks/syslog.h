/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The syslog sink: alerts as datagrams to rsyslog's input of our own, else to /dev/log.
 *
 * At start the first of the two sockets that answers is taken. Once our own input has answered it
 * is waited for SYSLOG_GRACE_S when it goes away (rsyslog is restarting), before lines are diverted
 * to /dev/log; while they are, it is tried again every SYSLOG_RETRY_S. A datagram that the socket
 * took is the reader's: what rsyslog had not read when it was killed is lost, and nobody is told.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sinks/sink.h"

#define SYSLOG_RETRY_S 5
#define SYSLOG_GRACE_S 30

struct syslog_options {
	const char *socket; /* settings.syslog_socket; "" or NULL: not used */
	const char *fallback; /* settings.syslog_fallback; "" or NULL: not used */
	const char *sd_id; /* settings.sd_id */
	uint32_t pid; /* PROCID */
	const char *spool_path; /* NULL: no spool */
	uint64_t spool_max; /* bytes, 0 = QUEUE_SPOOL_DEFAULT */
	size_t memory_max; /* bytes, 0 = QUEUE_MEMORY_DEFAULT */
	uint64_t (*now_ns)(void); /* a monotonic clock; NULL = CLOCK_MONOTONIC. For tests. */
};

/*
 * Strings are copied. Takes up what an earlier run left in the spool. -EINVAL: sd_id is not a valid
 * SD-ID; -ENAMETOOLONG: a socket's path does not fit; -ENOMEM. That nobody listens yet is no error.
 */
int syslog_sink_new(const struct syslog_options *options, struct sink **out_sink);
