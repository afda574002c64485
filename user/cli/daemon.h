/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the daemon, with what goes wrong told to the person. */
#pragma once

#include <jansson.h>

#include "cli/cli.h"
#include "control/client.h"

#define CLI_SOCKET_DEFAULT KT_RUNDIR "/control.sock"

/* Connects and sends `request`, which is taken over. 0, or an exit code after a message on stderr.
 */
int daemon_ask(const char *socket, json_t *request, struct control_client **out_client);

/* The next reply with "ok": true or an alert; *out_reply is the caller's. Else as daemon_ask(). */
int daemon_next(struct control_client *client, json_t **out_reply);

/* The strings of the array `key` of `object`, a line each, to stderr: reasons that the daemon
 * gives. */
void daemon_print_lines(const json_t *object, const char *key);

/* The two for requests that have one reply: its "result". */
int daemon_call(const char *socket, json_t *request, json_t **out_result);
