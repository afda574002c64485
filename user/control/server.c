// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: who may ask, and sessions on an event loop. */
#include "control/server.h"

#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"

#define NOBODYS_GROUP ((gid_t)-1)
#define IDLE_CHECK_US 5000000ULL

struct client {
	struct client *next;
	struct control_server *server;
	struct control_session *session;
	sd_event_source *source;
	int fd;
	uint64_t active_us; /* last byte in either direction */
	bool closing; /* flush what is there, then go */
};

struct control_server {
	sd_event *event;
	char *path;
	int fd;
	sd_event_source *source, *timer;
	const struct control_handlers *handlers;
	void *userdata;
	struct sink *store;
	gid_t group;
	struct client *clients;
	struct control_server_stats stats;
};

static uint64_t now_us(struct control_server *server)
{
	uint64_t us = 0;

	sd_event_now(server->event, CLOCK_MONOTONIC, &us);
	return us;
}

static void client_free(struct client *client)
{
	struct client **p = &client->server->clients;

	while (*p && *p != client)
		p = &(*p)->next;
	if (*p) {
		*p = client->next;
		client->server->stats.clients--;
	}
	sd_event_source_disable_unref(client->source);
	control_session_free(client->session);
	fd_close(client->fd);
	free(client);
}

static void disconnect(struct client *client)
{
	client->server->stats.disconnected++;
	client_free(client);
}

/* Sends what can be sent now, then goes on by one step: the rest waits for the next turn of the
 * loop. Negative: the connection is of no more use. */
static int flush(struct client *client)
{
	struct buf *out = control_session_output(client->session);

	while (out->len > 0) {
		ssize_t n = send(client->fd, out->p, out->len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		client->active_us = now_us(client->server);
		buf_consume(out, n);
	}
	if (client->closing)
		return -ESHUTDOWN;
	if (control_session_pump(client->session) < 0) {
		client->closing = true; /* what it was told of that still goes out */
		return out->len > 0 ? 0 : -ESHUTDOWN;
	}
	return 0;
}

/* Watches for what is of use now: a client that owes us reading is not read from. */
static int rearm(struct client *client)
{
	struct buf *out = control_session_output(client->session);

	return sd_event_source_set_io_events(client->source, out->len > 0 ? EPOLLOUT : EPOLLIN);
}

static void serve(struct client *client)
{
	int r = flush(client);

	if (r == -ESHUTDOWN)
		client_free(client);
	else if (r < 0 || rearm(client) < 0)
		disconnect(client);
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct client *client = userdata;
	char in[CONTROL_REQUEST_MAX + 1];
	ssize_t n;

	if (events & EPOLLIN) {
		size_t room = control_session_room(client->session);

		/* without any it is told to go */
		n = recv(fd, in, room > 0 ? room : 1, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0) {
			client_free(client);
			return 0;
		}
		client->active_us = now_us(client->server);
		if (control_session_feed(client->session, in, n) < 0)
			client->closing = true;
	} else if (events & (EPOLLERR | EPOLLHUP)) {
		client_free(client);
		return 0;
	}
	serve(client);
	return 0;
}

/* Is `group` among what the kernel says of the peer's groups? */
static bool peer_in_group(int fd, const struct ucred *cred, gid_t group)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t size = 0;

	if (group == NOBODYS_GROUP)
		return false;
	if (cred->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false; /* no supplementary groups, or it cannot be told */
	groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(*groups); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* One line and good bye; what does not fit the socket's buffer at once is not worth more. */
static void refuse(struct control_server *server, int fd, const char *code, const char *text)
{
	char line[256];
	int n = snprintf(line, sizeof(line),
			 "{\"v\":%d,\"id\":0,\"ok\":false,\"code\":\"%s\",\"error\":\"%s\"}\n",
			 CONTROL_VERSION, code, text);

	server->stats.refused++;
	if (send(fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; /* it sees the end of the connection instead */
}

static int client_new(struct control_server *server, int *fd, enum control_right right)
{
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->fd = -1;
	client->server = server;
	client->active_us = now_us(server);
	r = control_session_new(server->handlers, server->userdata, server->store, right,
				&client->session);
	if (r == 0)
		r = sd_event_add_io(server->event, &client->source, *fd, EPOLLIN, on_client,
				    client);
	if (r < 0) {
		client_free(client);
		return r;
	}
	client->fd = take_fd(*fd);
	client->next = server->clients;
	server->clients = client;
	server->stats.clients++;
	server->stats.accepted++;
	return 0;
}

static int on_connect(sd_event_source *source, int listen_fd, uint32_t events, void *userdata)
{
	struct control_server *server = userdata;
	_cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred cred;
	socklen_t size = sizeof(cred);
	bool root;

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return 0;
	root = cred.uid == 0;
	if (!root && !peer_in_group(fd, &cred, server->group)) {
		refuse(server, fd, "EACCES", "only root and the group " CONTROL_GROUP " may ask");
		return 0;
	}
	if (server->stats.clients >= CONTROL_CLIENTS_MAX - (root ? 0 : CONTROL_CLIENTS_ROOT)) {
		refuse(server, fd, "EBUSY", "too many clients");
		return 0;
	}
	if (client_new(server, &fd, root ? CONTROL_MAY_CHANGE : CONTROL_MAY_READ) < 0)
		refuse(server, fd, "ENOMEM", "out of memory");
	return 0;
}

/* Ends those that neither ask nor follow, and those that do not take what they asked for. */
static int on_timer(sd_event_source *timer, uint64_t us, void *userdata)
{
	struct control_server *server = userdata;
	uint64_t now = now_us(server);
	struct client *client, *next;

	for (client = server->clients; client; client = next) {
		next = client->next;
		if (now - client->active_us < CONTROL_IDLE_S * 1000000ULL)
			continue;
		if (control_session_following(client->session) &&
		    control_session_output(client->session)->len == 0)
			continue;
		disconnect(client);
	}
	sd_event_source_set_time(timer, now + IDLE_CHECK_US);
	return 0;
}

/* `otherwise`: what holds if nobody can tell at the moment. */
static gid_t find_group(gid_t otherwise)
{
	struct group *group;

	errno = 0;
	group = getgrnam(CONTROL_GROUP);
	if (group)
		return group->gr_gid;
	/* getgrnam(3): some name services say ENOENT or ESRCH for what they do not know. */
	return errno == 0 || errno == ENOENT || errno == ESRCH ? NOBODYS_GROUP : otherwise;
}

/* A socket that is left from an earlier run is removed, one that somebody answers on is not. */
static int clear_path(const struct sockaddr_un *addr)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED)
		return -errno;
	return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int listen_at(struct control_server *server)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (strlen(server->path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, server->path, strlen(server->path) + 1);
	r = clear_path(&addr);
	if (r < 0)
		return r;
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0)
		return -errno;
	mask = umask(0117); /* 0660 from the first moment on */
	r = bind(server->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0) {
		server->fd = fd_close(server->fd);
		return r;
	}
	/* Without the right to give it away it stays root's: fewer may ask, not more. */
	if (server->group != NOBODYS_GROUP && chown(server->path, -1, server->group) < 0 &&
	    errno != EPERM)
		return -errno;
	return listen(server->fd, CONTROL_CLIENTS_MAX) < 0 ? -errno : 0;
}

int control_server_new(sd_event *event, const char *path, const struct control_handlers *handlers,
		       void *userdata, struct sink *store, struct control_server **out_server)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int r = -ENOMEM;

	if (!server)
		return -ENOMEM;
	server->fd = -1;
	server->event = sd_event_ref(event);
	server->handlers = handlers;
	server->userdata = userdata;
	server->store = store;
	server->group = find_group(NOBODYS_GROUP);
	server->path = strdup(path);
	if (server->path)
		r = listen_at(server);
	if (r == 0)
		r = sd_event_add_io(event, &server->source, server->fd, EPOLLIN, on_connect,
				    server);
	if (r >= 0)
		r = sd_event_add_time_relative(event, &server->timer, CLOCK_MONOTONIC,
					       IDLE_CHECK_US, 0, on_timer, server);
	if (r >= 0)
		r = sd_event_source_set_enabled(server->timer, SD_EVENT_ON);
	if (r < 0) {
		control_server_free(server);
		return r;
	}
	*out_server = server;
	return 0;
}

void control_server_free(struct control_server *server)
{
	if (!server)
		return;
	while (server->clients)
		client_free(server->clients);
	sd_event_source_disable_unref(server->source);
	sd_event_source_disable_unref(server->timer);
	if (server->fd >= 0)
		unlink(server->path);
	fd_close(server->fd);
	sd_event_unref(server->event);
	free(server->path);
	free(server);
}

void control_server_set_group(struct control_server *server, gid_t group)
{
	server->group = group;
	/* As at the start: without the right to, fewer may ask. (gid_t)-1 leaves the socket's as it
	 * is; who can connect by it is refused. */
	(void)!chown(server->path, -1, group);
}

void control_server_look_for_group(struct control_server *server)
{
	gid_t group = find_group(server->group);

	if (group != server->group)
		control_server_set_group(server, group);
}

void control_server_publish(struct control_server *server, const struct alert *alert)
{
	_cleanup_free_ char *json = NULL;
	struct client *client, *next;
	size_t len = 0;

	for (client = server->clients; client; client = next) {
		next = client->next;
		if (!control_session_following(client->session))
			continue;
		if (!json) {
			json = alert_json(alert);
			if (!json)
				return; /* it stands in the store, and memory is short */
			len = strlen(json);
		}
		if (control_session_publish(client->session, alert, json, len) < 0)
			disconnect(client); /* too slow: the store has what it missed */
		else
			serve(client);
	}
}

void control_server_stats(const struct control_server *server,
			  struct control_server_stats *out_stats)
{
	struct control_server_stats stats = server->stats;

	for (const struct client *client = server->clients; client; client = client->next)
		stats.following += control_session_following(client->session);
	*out_stats = stats;
}
