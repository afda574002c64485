// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking the daemon, with what goes wrong told to the person. */
#include "cli/daemon.h"

#include <string.h>

#include "cli/term.h"

static int explain(const char *socket, int r)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
		fprintf(stderr,
			"keytrail: keytraild is not running (nobody answers on %s)\n"
			"Start it with: systemctl start keytraild\n",
			socket);
		return CLI_UNAVAILABLE;
	case -EACCES:
	case -EPERM:
		fprintf(stderr,
			"keytrail: not allowed to ask keytraild on %s\n"
			"Only root and members of the group keytrail may: use sudo, or\n"
			"usermod -aG keytrail USER and log in again\n",
			socket);
		return CLI_NOPERM;
	case -EPIPE:
	case -ECONNRESET:
		fprintf(stderr, "keytrail: keytraild ended the connection\n");
		return CLI_UNAVAILABLE;
	default:
		fprintf(stderr, "keytrail: %s: %s\n", socket, strerror(-r));
		return CLI_FAILED;
	}
}

int daemon_ask(const char *socket, json_t *request, struct control_client **out_client)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *owned = request;
	int r;

	if (!socket)
		socket = CLI_SOCKET_DEFAULT;
	r = owned ? control_client_new(socket, &client) : -ENOMEM;
	if (r == 0)
		r = control_client_send(client, owned);
	/* Who is refused sees the reply before the broken pipe, if it got that far. */
	if (r < 0 && !(r == -EPIPE && client))
		return explain(socket, r);
	*out_client = take_ptr(client);
	return 0;
}

void daemon_print_lines(const json_t *object, const char *key)
{
	const json_t *lines = json_object_get(object, key);
	struct term term;
	size_t i;
	json_t *line;

	term_init(&term, stderr);
	json_array_foreach (lines, i, line) {
		if (!json_is_string(line))
			continue;
		term_put(&term, STYLE_PLAIN, json_string_value(line));
		fputc('\n', stderr);
	}
}

int daemon_next(struct control_client *client, json_t **out_reply)
{
	json_auto_t *reply = NULL;
	const char *code, *error;
	struct term term;
	int r;

	do {
		r = control_client_next(client, &reply);
	} while (r == -EINTR);
	if (r < 0)
		return explain("keytraild", r);
	if (json_object_get(reply, "alert") || json_is_true(json_object_get(reply, "ok"))) {
		*out_reply = take_ptr(reply);
		return 0;
	}
	code = json_string_value(json_object_get(reply, "code"));
	error = json_string_value(json_object_get(reply, "error"));
	daemon_print_lines(json_object_get(reply, "detail"), "errors");
	if (code && !strcmp(code, "EACCES"))
		return explain("its socket", -EACCES);
	term_init(&term, stderr);
	fputs("keytrail: keytraild refused: ", stderr);
	term_put(&term, STYLE_PLAIN, error ? error : "no reason given");
	fputc('\n', stderr);
	return code && !strcmp(code, "EPERM") ? CLI_NOPERM : CLI_FAILED;
}

int daemon_call(const char *socket, json_t *request, json_t **out_result)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *reply = NULL;
	int r = daemon_ask(socket, request, &client);

	if (r == 0)
		r = daemon_next(client, &reply);
	if (r == 0)
		*out_result = json_incref(json_object_get(reply, "result"));
	return r;
}
