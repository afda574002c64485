/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How somebody came in: asked of logind's records (sd-login(3): files below /run/systemd/sessions,
 * written by root) when a process of an audit session is first seen in the cgroup that says it, and
 * told to the engine once (EVENT_SESSION). From then on it holds for the whole session, whatever
 * cgroup its processes are in, and when it is over.
 */
#pragma once

#include "model/event.h"

struct app;
struct logins;

struct logins *logins_new(struct app *app); /* NULL: out of memory */
void logins_free(struct logins *logins);

/* A process of this subject is in this cgroup (path in the unified hierarchy; may be absent). */
void logins_seen(struct logins *logins, const struct subject *subject, struct span cgroup);

/*
 * What a cgroup says of the session that began there. Returns the name by which logind knows it, a
 * part of `cgroup`, or absent with *out_type set: SESSION_CRON in the unit of a cron daemon or atd,
 * SESSION_UNKNOWN elsewhere. Pure.
 */
struct span logins_read_cgroup(struct span cgroup, enum session_type *out_type);

/* service: the PAM service by which it was opened, "" = not known. Pure. */
enum session_type logins_type(const char *service, bool is_remote);
