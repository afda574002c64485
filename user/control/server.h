/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: who may ask, and sessions (control/session.h) on an event loop.
 *
 * A stream socket, mode 0660, group keytrail. A peer is told apart by what the kernel says about it
 * (SO_PEERCRED, SO_PEERGROUPS): uid 0 may change things, members of the group may read, anybody
 * else gets a refusal. Bounded: CONTROL_CLIENTS_MAX connections of which the last
 * CONTROL_CLIENTS_ROOT are kept for root; who is silent for CONTROL_IDLE_S without following, or
 * does not read what it is sent, is disconnected. One thread.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "control/session.h"

#define CONTROL_GROUP	     "keytrail"
#define CONTROL_CLIENTS_MAX  32
#define CONTROL_CLIENTS_ROOT 4
#define CONTROL_IDLE_S	     60

struct control_server;

struct control_server_stats {
	uint32_t clients, following;
	uint64_t accepted, refused, disconnected; /* disconnected: by us, for a cause */
};

/*
 * Listens at `path`; a socket that nobody answers on is replaced. `handlers`, `userdata` and
 * `store` (may be NULL) must outlive the server. -EADDRINUSE: somebody answers there;
 * -ENAMETOOLONG; -ENOMEM; errno of the socket. That the group does not exist is no error: then only
 * root is let in.
 */
int control_server_new(sd_event *event, const char *path, const struct control_handlers *handlers,
		       void *userdata, struct sink *store, struct control_server **out_server);
/* Disconnects all and removes the socket. Accepts NULL. */
void control_server_free(struct control_server *server);

/* Who may read beside root: (gid_t)-1 = nobody. */
void control_server_set_group(struct control_server *server, gid_t group);

/* Finds out anew which group that is: it may have been made, or removed, since the start. */
void control_server_look_for_group(struct control_server *server);

/* Gives an alert to all who follow; to be called after it went into the store. Never blocks. */
void control_server_publish(struct control_server *server, const struct alert *alert);

void control_server_stats(const struct control_server *server,
			  struct control_server_stats *out_stats);
