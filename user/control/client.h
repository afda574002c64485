/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other end of the control socket, for the command line and for tests. Blocking. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Longest reply line taken, bytes. */
#define CONTROL_REPLY_MAX (4 * 1024 * 1024)

struct control_client;

/* -ENOENT or -ECONNREFUSED: no daemon; -EACCES: not allowed; -ENOMEM; other errno. */
int control_client_new(const char *path, struct control_client **out_client);
void control_client_free(struct control_client *client);
DEFINE_CLEANUP(struct control_client *, control_client_free)
#define _cleanup_control_client_ _cleanup_(control_client_freep)

/* Sends one request; "v" is added. The object stays the caller's. */
int control_client_send(struct control_client *client, json_t *request);

/* Whether a reply, or a part of one, is there within so many ms: 1, or 0 after that time or a
 * signal. Negative errno. */
int control_client_wait(struct control_client *client, uint64_t ms);

/*
 * The next reply; the caller owns it. Waits. -EPIPE: the daemon ended the connection; -EBADMSG: not
 * a JSON object; -EMSGSIZE: a line over CONTROL_REPLY_MAX; -EINTR: a signal came (nothing is lost).
 */
int control_client_next(struct control_client *client, json_t **out_reply);
