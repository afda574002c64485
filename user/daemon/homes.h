/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose homes `~` stands for, and what users are called.
 *
 * Local users come from /etc/passwd, read at start and when it has changed. Others (LDAP, sssd)
 * cannot be listed; they are asked for by uid when a process of theirs is first seen, on a thread
 * of its own, since a name service may take seconds to answer and the daemon must not wait. What
 * failed is asked for again (usertab.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct homes;

struct homes_ops {
	/* A name became known, or another one; "": it has none any more. */
	void (*user)(void *userdata, uint32_t uid, const char *name);
	void (*changed)(void *userdata); /* the list of homes grew */
};

int homes_new(sd_event *loop, const struct homes_ops *ops, void *userdata,
	      struct homes **out_homes);
void homes_free(struct homes *homes); /* waits up to a second for a look-up in progress */

/*
 * Reads /etc/passwd if it has changed, and asks again for whom it is time; to be called each
 * second. Not by inotify: one mark in a file system takes its reads off the kernel's short way, and
 * each then costs a tenth more (docs/performance.md).
 */
void homes_look(struct homes *homes);

/* Cheap for a uid that was seen before. Never waits. */
void homes_seen(struct homes *homes, uint32_t uid);

/* Valid until the loop runs again. */
const char *const *homes_list(const struct homes *homes, size_t *out_nr);
