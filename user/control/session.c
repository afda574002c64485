// SPDX-License-Identifier: GPL-2.0-or-later
/* One client of the control socket, without the socket. */
#include "control/session.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"

/* The store is read on while less than this waits to be sent. */
#define OUT_LOW	     (64 * 1024)
#define ROWS_AT_ONCE 64

enum mode {
	MODE_IDLE, /* waits for a request */
	MODE_BACKLOG, /* sends what the store has */
	MODE_FOLLOW, /* sends what comes */
};

struct control_session {
	const struct control_handlers *handlers;
	void *userdata;
	struct sink *store;
	enum control_right right;
	struct buf in, out;
	enum mode mode;
	struct control_request request; /* that is being answered */
	uint64_t count; /* alerts sent for it */
};

int control_session_new(const struct control_handlers *handlers, void *userdata, struct sink *store,
			enum control_right right, struct control_session **out_session)
{
	struct control_session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->handlers = handlers;
	session->userdata = userdata;
	session->store = store;
	session->right = right;
	buf_init(&session->in, CONTROL_REQUEST_MAX + 1);
	buf_init(&session->out, CONTROL_OUT_MAX);
	*out_session = session;
	return 0;
}

void control_session_free(struct control_session *session)
{
	if (!session)
		return;
	buf_fini(&session->in);
	buf_fini(&session->out);
	free(session);
}

struct buf *control_session_output(struct control_session *session)
{
	return &session->out;
}

bool control_session_following(const struct control_session *session)
{
	return session->mode == MODE_FOLLOW;
}

/* Takes `reply` over; NULL stands for out of memory. */
static int send_reply(struct control_session *session, json_t *reply)
{
	json_auto_t *owned = reply;
	_cleanup_free_ char *text = NULL;
	size_t len;

	text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len] = '\n';
	return buf_append(&session->out, text, len + 1);
}

/* Takes `result` over. */
static int send_result(struct control_session *session, const struct control_request *request,
		       json_t *result)
{
	return send_reply(session, json_pack("{s:i, s:I, s:b, s:s, s:o}", "v", CONTROL_VERSION,
					     "id", (json_int_t)request->id, "ok", 1, "do",
					     control_verb_str(request->verb), "result", result));
}

/* Takes `detail` over, which may be NULL. */
static int send_error(struct control_session *session, int64_t id, int error, const char *text,
		      json_t *detail)
{
	const char *name = strerrorname_np(-error);
	json_t *reply =
		json_pack("{s:i, s:I, s:b, s:s, s:s}", "v", CONTROL_VERSION, "id", (json_int_t)id,
			  "ok", 0, "code", name ? name : "EIO", "error", text);

	if (reply && detail && json_object_set(reply, "detail", detail) < 0) {
		json_decref(reply);
		reply = NULL;
	}
	json_decref(detail);
	return send_reply(session, reply);
}

/* failure: what it means to the person who asked. */
static int answer(struct control_session *session, const struct control_request *request,
		  int (*handler)(void *userdata, json_t **out_result), const char *failure)
{
	json_t *result = NULL;
	int r = handler(session->userdata, &result);

	if (r < 0)
		return send_error(session, request->id, r, failure, result);
	return send_result(session, request, result ? result : json_object());
}

static int send_alert(struct control_session *session, const char *json, size_t len)
{
	char head[64];
	int n = snprintf(head, sizeof(head),
			 "{\"v\":%d,\"id\":%" PRId64 ",\"alert\":", CONTROL_VERSION,
			 session->request.id);
	size_t before = session->out.len;
	int r;

	r = buf_append(&session->out, head, n);
	if (r == 0)
		r = buf_append(&session->out, json, len);
	if (r == 0)
		r = buf_append(&session->out, "}\n", 2);
	if (r < 0)
		session->out.len = before;
	else
		session->count++;
	return r;
}

static int send_row(void *userdata, int64_t number, const char *json, size_t len)
{
	struct control_session *session = userdata;
	int r = send_alert(session, json, len);

	if (r < 0)
		return r;
	session->request.query.after = number;
	return session->out.len >= OUT_LOW; /* enough for now */
}

static int end_backlog(struct control_session *session)
{
	const struct control_request *request = &session->request;
	json_t *result = json_pack("{s:I, s:b}", "count", (json_int_t)session->count, "following",
				   (int)request->follow);

	session->mode = request->follow ? MODE_FOLLOW : MODE_IDLE;
	return send_result(session, request, result);
}

static int pump_backlog(struct control_session *session)
{
	while (session->mode == MODE_BACKLOG && session->out.len < OUT_LOW) {
		long n = session->store ? store_read(session->store, &session->request.query,
						     ROWS_AT_ONCE, send_row, session)
					: -ENODATA;

		if (n == -ENOBUFS || n == -ENOMEM)
			return (int)n;
		if (n < 0) { /* the store broke: said, and the connection stays usable */
			session->mode = MODE_IDLE;
			return send_error(session, session->request.id, (int)n,
					  "the alert store cannot be read", NULL);
		}
		if (n < ROWS_AT_ONCE && session->out.len < OUT_LOW)
			return end_backlog(session);
	}
	return 0;
}

static int start_alerts(struct control_session *session, const struct control_request *request)
{
	int r = -ENODATA;

	session->request = *request;
	session->count = 0;
	if (session->store)
		r = store_newest(session->store, &request->query, request->limit,
				 &session->request.query.after);
	if (r < 0)
		return send_error(session, request->id, r, "the alert store cannot be read", NULL);
	session->mode = MODE_BACKLOG;
	return pump_backlog(session);
}

static int handle_line(struct control_session *session, const char *line, size_t len)
{
	struct control_request request;
	char error[160];
	int r = control_request_parse(line, len, &request, error, sizeof(error));

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return send_error(session, request.id, r, error, NULL);
	switch (request.verb) {
	case CONTROL_STATUS:
		return answer(session, &request, session->handlers->status,
			      "the status cannot be told");
	case CONTROL_ALERTS:
		return start_alerts(session, &request);
	case CONTROL_RELOAD:
		if (session->right != CONTROL_MAY_CHANGE)
			return send_error(session, request.id, -EPERM, "only root may do this",
					  NULL);
		return answer(session, &request, session->handlers->reload,
			      "the new policy cannot be used, the old one stays in force");
	case CONTROL_HOLDERS:
		return answer(session, &request, session->handlers->holders,
			      "who holds keys cannot be told");
	default:
		return -EINVAL;
	}
}

/*
 * Answers one whole line, unless the answer to another is still under way. Not more: each may walk
 * over the whole store, and between two of them the daemon has other work to do.
 */
static int handle_input(struct control_session *session)
{
	while (session->mode == MODE_IDLE) {
		char *newline =
			session->in.len ? memchr(session->in.p, '\n', session->in.len) : NULL;
		size_t len;
		int r;

		if (!newline) {
			if (session->in.len <= CONTROL_REQUEST_MAX)
				return 0;
			r = send_error(session, 0, -EMSGSIZE, "the request is too long", NULL);
			return r < 0 ? r : -EMSGSIZE;
		}
		/* A client that sends but does not read its replies is held here, and by out.max.
		 */
		if (session->out.len >= OUT_LOW)
			return 0;
		len = newline - session->in.p;
		r = len ? handle_line(session, session->in.p, len) : 0;
		if (r < 0)
			return r;
		buf_consume(&session->in, len + 1);
		if (len)
			return 0;
	}
	return 0;
}

size_t control_session_room(const struct control_session *session)
{
	return CONTROL_REQUEST_MAX + 1 - session->in.len;
}

int control_session_feed(struct control_session *session, const char *p, size_t len)
{
	int r;

	while (len > 0) {
		size_t room = CONTROL_REQUEST_MAX + 1 - session->in.len;
		size_t n = len < room ? len : room;

		if (n == 0)
			return -ENOBUFS; /* it went on sending while it was being answered */
		r = buf_append(&session->in, p, n);
		if (r < 0)
			return r;
		p += n;
		len -= n;
		r = handle_input(session);
		if (r < 0)
			return r;
	}
	return 0;
}

int control_session_pump(struct control_session *session)
{
	return session->mode == MODE_BACKLOG ? pump_backlog(session) : handle_input(session);
}

int control_session_publish(struct control_session *session, const struct alert *alert,
			    const char *json, size_t len)
{
	const struct store_query *query = &session->request.query;

	if (session->mode != MODE_FOLLOW || (query->type && query->type != alert->type) ||
	    (uint32_t)alert->severity < (uint32_t)query->min_severity ||
	    alert->time_ns < query->since_ns)
		return 0;
	return send_alert(session, json, len);
}
