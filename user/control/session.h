/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client of the control socket, without the socket: bytes in, replies out.
 *
 * The server owns descriptors and time; a session owns what was read and not yet understood, what
 * was answered and not yet sent, and where in the store an `alerts` request has come to. It can be
 * driven by a test or a fuzzer alone. Not thread safe.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "alert/alert.h"
#include "base/buf.h"
#include "control/request.h"
#include "sinks/sink.h"

#define CONTROL_OUT_MAX (1024 * 1024) /* bytes that may wait for one client */

enum control_right { CONTROL_MAY_READ = 1, CONTROL_MAY_CHANGE };

/*
 * What the daemon answers. Each puts a new JSON object into *out_result, which the session takes
 * over, and returns 0. On failure it returns a negative errno; *out_result may then hold an object
 * that tells more (it goes into the reply as "detail"), or stays NULL.
 */
struct control_handlers {
	int (*status)(void *userdata, json_t **out_result);
	int (*reload)(void *userdata, json_t **out_result);
	int (*holders)(void *userdata, json_t **out_result);
};

struct control_session;

/* `handlers`, `userdata` and `store` (of store_sink_new(), may be NULL) must outlive the session.
 */
int control_session_new(const struct control_handlers *handlers, void *userdata, struct sink *store,
			enum control_right right, struct control_session **out_session);
void control_session_free(struct control_session *session);

/* So many bytes are taken now; what was sent before and not yet answered stands in the way. */
size_t control_session_room(const struct control_session *session);

/*
 * Takes bytes from the client and answers the first whole request; the others wait, each for a
 * control_session_pump(). More bytes than there is room for are taken as if in several calls. 0, or
 * negative: what is in the output should still be sent, then the connection closed (-EMSGSIZE: line
 * too long; -ENOBUFS: it does not read its replies; -ENOMEM).
 */
int control_session_feed(struct control_session *session, const char *p, size_t len);

/* To be called when output was sent: goes on with what waits, by one portion of alerts or one
 * request. Result as control_session_feed(). */
int control_session_pump(struct control_session *session);

/* A new alert: goes out if the client follows and its filter lets it. Result likewise. `json` is
 * alert_json() of it, given so that it is made once for all clients. */
int control_session_publish(struct control_session *session, const struct alert *alert,
			    const char *json, size_t len);

struct buf *control_session_output(struct control_session *session); /* consume what was sent */
bool control_session_following(const struct control_session *session);
