// SPDX-License-Identifier: GPL-2.0-or-later
/* The other end of the control socket. */
#include "control/client.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "control/request.h"

struct control_client {
	int fd;
	struct buf in;
	size_t seen; /* bytes of `in` known to hold no newline */
};

int control_client_new(const char *path, struct control_client **out_client)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_control_client_ struct control_client *client = calloc(1, sizeof(*client));

	if (!client)
		return -ENOMEM;
	buf_init(&client->in, CONTROL_REPLY_MAX);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(client->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*out_client = take_ptr(client);
	return 0;
}

void control_client_free(struct control_client *client)
{
	if (!client)
		return;
	fd_close(client->fd);
	buf_fini(&client->in);
	free(client);
}

int control_client_send(struct control_client *client, json_t *request)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (json_object_set_new(request, "v", json_integer(CONTROL_VERSION)) < 0)
		return -ENOMEM;
	text = json_dumps(request, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len++] = '\n';
	for (size_t done = 0; done < len;) {
		ssize_t n = send(client->fd, text + done, len - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += n;
	}
	return 0;
}

int control_client_wait(struct control_client *client, uint64_t ms)
{
	struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
	int n;

	if (client->in.len > client->seen &&
	    memchr(client->in.p + client->seen, '\n', client->in.len - client->seen))
		return 1;
	n = poll(&poll_fd, 1, ms > INT_MAX ? INT_MAX : (int)ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}

static int take_line(struct control_client *client, size_t len, json_t **out_reply)
{
	json_t *reply = json_loadb(client->in.p, len, JSON_REJECT_DUPLICATES, NULL);

	buf_consume(&client->in, len + 1);
	client->seen = 0;
	if (!json_is_object(reply)) {
		json_decref(reply);
		return -EBADMSG;
	}
	*out_reply = reply;
	return 0;
}

int control_client_next(struct control_client *client, json_t **out_reply)
{
	char chunk[16384];

	for (;;) {
		char *newline = NULL;
		ssize_t n;
		int r;

		if (client->in.len > client->seen)
			newline = memchr(client->in.p + client->seen, '\n',
					 client->in.len - client->seen);
		if (newline)
			return take_line(client, newline - client->in.p, out_reply);
		client->seen = client->in.len;
		n = recv(client->fd, chunk, sizeof(chunk), 0);
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EPIPE;
		r = buf_append(&client->in, chunk, n);
		if (r < 0)
			return r == -ENOBUFS ? -EMSGSIZE : r;
	}
}
