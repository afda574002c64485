/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How those came in who have logged in, by the number of their audit session. Numbers count up, so
 * the table is one of the newest SESSIONS_MAX: a number takes the place of the one SESSIONS_MAX
 * before it. A session that is not there is one of which nothing is known.
 */
#pragma once

#include "model/event.h"

#define SESSIONS_MAX	    1024
#define SESSION_REMOTE_SIZE 256 /* longest address that is told, with NUL; a host name has 253 */

struct session {
	uint32_t number; /* UID_UNSET: none */
	enum session_type type;
	char remote[SESSION_REMOTE_SIZE]; /* as the event told it; "" = from here, or not known */
};

struct sessions;

struct sessions *sessions_new(void); /* NULL: out of memory */
void sessions_free(struct sessions *sessions);
void sessions_set(struct sessions *sessions, const struct event_session *told);
/* NULL: not known. Valid until the next sessions_set(). */
const struct session *sessions_find(const struct sessions *sessions, uint32_t number);
