// SPDX-License-Identifier: GPL-2.0-or-later
/* The control protocol: requests, sessions, and the socket with its rights and bounds. */
#include "control/server.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "control/client.h"
#include "control/holder-list.h"
#include "sinks/store.h"
#include "unit/alert_sample.h"
#include "unit/tmpdir.h"

/* --- requests -----------------------------------------------------------------------------------
 */

static int parse(const char *line, struct control_request *request, char error[160])
{
	return control_request_parse(line, strlen(line), request, error, 160);
}

static void good_requests_are_understood(void **state)
{
	struct control_request r;
	char error[160];

	assert_int_equal(parse("{\"v\":1,\"do\":\"status\"}", &r, error), 0);
	assert_int_equal(r.verb, CONTROL_STATUS);
	assert_int_equal(r.id, 0);
	assert_int_equal(parse("{\"do\":\"reload\",\"id\":-7,\"v\":1}", &r, error), 0);
	assert_int_equal(r.verb, CONTROL_RELOAD);
	assert_int_equal(r.id, -7);
	assert_int_equal(parse("{\"v\":1,\"do\":\"alerts\"}", &r, error), 0);
	assert_int_equal(r.limit, CONTROL_LIMIT_DEFAULT);
	assert_false(r.follow);
	assert_int_equal(
		parse("{\"v\":1,\"do\":\"alerts\",\"limit\":5,\"since\":1.5,\"follow\":true,"
		      "\"type\":\"dump-read\",\"severity\":\"medium\"}",
		      &r, error),
		0);
	assert_int_equal(r.limit, 5);
	assert_true(r.follow);
	assert_int_equal(r.query.since_ns, 1500000000);
	assert_int_equal(r.query.type, ALERT_DUMP_READ);
	assert_int_equal(r.query.min_severity, SEV_MEDIUM);
}

static void bad_requests_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *reason;
	} rows[] = {
		{"", "not a JSON object"},
		{"[]", "not a JSON object"},
		{"{\"v\":1,\"do\":\"status\"", "not a JSON object"},
		{"{\"v\":1,\"v\":1,\"do\":\"status\"}", "not a JSON object"},
		{"{\"v\":1,\"do\":\"sta\\u0000tus\"}", "not a JSON object"},
		{"{\"v\":1,\"do\":\"\xff\"}", "not a JSON object"},
		{"{\"do\":\"status\"}", "missing: v"},
		{"{\"v\":1}", "missing: do"},
		{"{\"v\":2,\"do\":\"status\"}", "not a version"},
		{"{\"v\":\"1\",\"do\":\"status\"}", "not a version"},
		{"{\"v\":1,\"do\":\"stop\"}", "no such request: stop"},
		{"{\"v\":1,\"do\":\"a\\nb\"}", "no such request: a\\x0ab"},
		{"{\"v\":1,\"do\":7}", "must be a string"},
		{"{\"v\":1,\"id\":\"x\",\"do\":\"status\"}", "must be an integer: id"},
		{"{\"v\":1,\"do\":\"status\",\"limit\":5}", "does not belong"},
		{"{\"v\":1,\"do\":\"alerts\",\"limti\":5}", "unknown key: limti"},
		{"{\"v\":1,\"do\":\"alerts\",\"limit\":-1}", "limit"},
		{"{\"v\":1,\"do\":\"alerts\",\"limit\":1.5}", "limit"},
		{"{\"v\":1,\"do\":\"alerts\",\"since\":-1}", "since"},
		{"{\"v\":1,\"do\":\"alerts\",\"since\":1e300}", "since"},
		{"{\"v\":1,\"do\":\"alerts\",\"since\":\"now\"}", "since"},
		{"{\"v\":1,\"do\":\"alerts\",\"type\":\"nosuch\"}",
		 "no such type of alert: nosuch"},
		{"{\"v\":1,\"do\":\"alerts\",\"severity\":3}", "no such severity"},
		{"{\"v\":1,\"do\":\"alerts\",\"follow\":1}", "true or false"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct control_request r = {.id = 99};
		char error[160] = "";

		assert_int_equal(parse(rows[i].line, &r, error), -EINVAL);
		if (!strstr(error, rows[i].reason))
			fail_msg("%s: %s", rows[i].line, error);
	}
}

/* --- sessions -----------------------------------------------------------------------------------
 */

static int status_calls, reload_calls, reload_result;

static int give_status(void *userdata, json_t **out_result)
{
	status_calls++;
	*out_result = json_pack("{s:s}", "version", "test");
	return 0;
}

static int do_reload(void *userdata, json_t **out_result)
{
	reload_calls++;
	*out_result = reload_result ? json_pack("{s:[s]}", "errors", "a.yaml:1:2: error: no")
				    : json_pack("{s:i}", "generation", 2);
	return reload_result;
}

static unsigned holders_nr;
static size_t holders_path; /* bytes of the path of each */

static int give_holders(void *userdata, json_t **out_result)
{
	struct holder_list list;
	char path[1024];
	int err;

	holder_list_init(&list);
	memset(path, '"', sizeof(path)); /* which take two in JSON */
	path[holders_path] = '\0';
	for (unsigned i = 0; i < holders_nr; i++)
		holder_list_add(&list, json_pack("{s:i, s:s, s:[{s:s}, {s:s}]}", "pid", (int)i,
						 "exe", path, "keys", "path", path, "path", path));
	err = holder_list_json(&list, out_result);
	holder_list_fini(&list);
	return err;
}

static const struct control_handlers handlers = {give_status, do_reload, give_holders};

static struct sink *fill_store(void **state, unsigned nr)
{
	struct store_options options = {.path = tmpdir_path(state, "a.db")};
	struct sink *store = NULL;

	assert_int_equal(store_sink_new(&options, &store), 0);
	for (unsigned i = 0; i < nr; i++) {
		struct alert_sample s;

		alert_sample_init(&s);
		snprintf(s.alert.id, sizeof(s.alert.id), "%032u", i);
		assert_int_equal(store->ops->write(store, &s.alert), 0);
	}
	return store;
}

static struct control_session *open_session(struct sink *store, enum control_right right)
{
	struct control_session *session = NULL;

	status_calls = reload_calls = reload_result = 0;
	assert_int_equal(control_session_new(&handlers, NULL, store, right, &session), 0);
	return session;
}

/* The next line that the session has to say, or NULL. */
static json_t *take(struct control_session *session)
{
	struct buf *out = control_session_output(session);
	char *newline = out->len ? memchr(out->p, '\n', out->len) : NULL;
	json_t *reply;

	if (!newline)
		return NULL;
	reply = json_loadb(out->p, newline - out->p, 0, NULL);
	assert_non_null(reply);
	assert_int_equal(json_integer_value(json_object_get(reply, "v")), 1);
	buf_consume(out, newline - out->p + 1);
	return reply;
}

static int feed(struct control_session *session, const char *text)
{
	return control_session_feed(session, text, strlen(text));
}

static void expect_error(struct control_session *session, const char *code)
{
	json_auto_t *reply = take(session);

	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_string_equal(json_string_value(json_object_get(reply, "code")), code);
	assert_non_null(json_string_value(json_object_get(reply, "error")));
}

static json_int_t expect_ok(struct control_session *session, const char *verb)
{
	json_auto_t *reply = take(session);

	assert_true(json_is_true(json_object_get(reply, "ok")));
	assert_string_equal(json_string_value(json_object_get(reply, "do")), verb);
	return json_integer_value(json_object_get(reply, "id"));
}

static void requests_are_answered_in_order_however_they_are_cut(void **state)
{
	static const char text[] = "{\"v\":1,\"id\":1,\"do\":\"status\"}\n\n"
				   "{\"v\":1,\"id\":2,\"do\":\"nonsense\"}\n"
				   "{\"v\":1,\"id\":3,\"do\":\"status\"}\n";

	for (size_t step = 1; step < sizeof(text); step += 3) {
		struct control_session *session = open_session(NULL, CONTROL_MAY_READ);

		for (size_t at = 0; at < sizeof(text) - 1; at += step) {
			size_t left = sizeof(text) - 1 - at;

			assert_int_equal(control_session_feed(session, text + at,
							      left < step ? left : step),
					 0);
		}
		for (int i = 0; i < 2; i++)
			assert_int_equal(control_session_pump(session), 0);
		assert_int_equal(expect_ok(session, "status"), 1);
		expect_error(session, "EINVAL");
		assert_int_equal(expect_ok(session, "status"), 3);
		assert_null(take(session));
		assert_int_equal(status_calls, 2);
		control_session_free(session);
	}
}

static void of_many_requests_at_once_one_is_answered_at_a_time(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);
	size_t room = control_session_room(session);

	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"status\"}\n"
				       "{\"v\":1,\"do\":\"status\"}\n\n\n"
				       "{\"v\":1,\"do\":\"status\"}\n"),
			 0);
	assert_true(control_session_room(session) < room);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(status_calls, i);
		assert_int_equal(control_session_pump(session), 0);
	}
	assert_int_equal(status_calls, 3);
	assert_int_equal(control_session_room(session), room);
	control_session_free(session);
}

static void only_root_may_change_things(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);

	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"reload\"}\n"), 0);
	expect_error(session, "EPERM");
	assert_int_equal(reload_calls, 0);
	control_session_free(session);
	session = open_session(NULL, CONTROL_MAY_CHANGE);
	assert_int_equal(feed(session, "{\"v\":1,\"id\":5,\"do\":\"reload\"}\n"), 0);
	assert_int_equal(expect_ok(session, "reload"), 5);
	assert_int_equal(reload_calls, 1);
	control_session_free(session);
}

static void who_may_read_may_ask_for_holders(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);

	assert_int_equal(feed(session, "{\"v\":1,\"id\":6,\"do\":\"holders\"}\n"), 0);
	assert_int_equal(expect_ok(session, "holders"), 6);
	control_session_free(session);
}

/* The number of processes in the one reply that there is; the others into *out_left_out. */
static size_t ask_holders(struct control_session *session, json_int_t *out_left_out)
{
	json_auto_t *reply = NULL;
	const json_t *result;

	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"holders\"}\n"), 0);
	reply = take(session);
	assert_true(json_is_true(json_object_get(reply, "ok")));
	result = json_object_get(reply, "result");
	*out_left_out = json_integer_value(json_object_get(result, "left_out"));
	return json_array_size(json_object_get(result, "holders"));
}

/* However many there are and whatever their files are called, the answer is one that can be sent.
 */
static void holders_that_have_no_room_are_counted(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);
	json_int_t left_out = 0;
	size_t told;

	holders_nr = HOLDERS_TOLD_MAX;
	holders_path = 10;
	assert_int_equal(ask_holders(session, &left_out), HOLDERS_TOLD_MAX);
	assert_int_equal(left_out, 0);
	holders_nr = HOLDERS_TOLD_MAX + 5;
	assert_int_equal(ask_holders(session, &left_out), HOLDERS_TOLD_MAX);
	assert_int_equal(left_out, 5);
	holders_path = 1023;
	told = ask_holders(session, &left_out);
	assert_in_range(told, 100, 200);
	assert_int_equal(told + left_out, holders_nr);
	holders_nr = 0;
	control_session_free(session);
}

static void a_refused_reload_tells_the_errors(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_CHANGE);
	json_auto_t *reply = NULL;
	json_t *errors;

	reload_result = -EINVAL;
	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"reload\"}\n"), 0);
	reply = take(session);
	assert_true(json_is_false(json_object_get(reply, "ok")));
	errors = json_object_get(json_object_get(reply, "detail"), "errors");
	assert_string_equal(json_string_value(json_array_get(errors, 0)), "a.yaml:1:2: error: no");
	control_session_free(session);
}

static void a_line_that_is_too_long_ends_the_session(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);
	_cleanup_free_ char *big = malloc(CONTROL_REQUEST_MAX + 2);

	memset(big, ' ', CONTROL_REQUEST_MAX + 2);
	assert_int_equal(control_session_feed(session, big, CONTROL_REQUEST_MAX), 0);
	assert_int_equal(control_session_feed(session, big, 2), -EMSGSIZE);
	expect_error(session, "EMSGSIZE");
	control_session_free(session);

	/* One of just the greatest length is fine. */
	session = open_session(NULL, CONTROL_MAY_READ);
	memcpy(big, "{\"v\":1,\"do\":\"status\"}", 21);
	big[CONTROL_REQUEST_MAX] = '\n';
	assert_int_equal(control_session_feed(session, big, CONTROL_REQUEST_MAX + 1), 0);
	expect_ok(session, "status");
	control_session_free(session);
}

/* Counts alert lines up to the closing one, reading as slowly as a client may. */
static unsigned count_alerts(struct control_session *session, unsigned first, json_int_t *out_count)
{
	unsigned nr = 0;

	for (;;) {
		json_auto_t *reply = take(session);
		json_t *alert;

		if (!reply) {
			assert_int_equal(control_session_pump(session), 0);
			reply = take(session);
			assert_non_null(reply);
		}
		alert = json_object_get(reply, "alert");
		if (!alert) {
			json_t *result = json_object_get(reply, "result");

			assert_true(json_is_true(json_object_get(reply, "ok")));
			*out_count = json_integer_value(json_object_get(result, "count"));
			return nr;
		}
		assert_int_equal(strtoul(json_string_value(json_object_get(alert, "id")), NULL, 10),
				 first + nr);
		nr++;
	}
}

static void stored_alerts_come_in_bounded_portions(void **state)
{
	struct sink *store = fill_store(state, 500);
	struct control_session *session = open_session(store, CONTROL_MAY_READ);
	json_int_t count;

	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"alerts\",\"limit\":450}\n"
				       "{\"v\":1,\"id\":2,\"do\":\"status\"}\n"),
			 0);
	/* Far less than all of it stands in memory, and the next request waits its turn. */
	assert_true(control_session_output(session)->len < 100000);
	assert_int_equal(count_alerts(session, 50, &count), 450);
	assert_int_equal(count, 450);
	control_session_pump(session);
	assert_int_equal(expect_ok(session, "status"), 2);
	control_session_free(session);
	store->ops->free(store);
}

static int publish(struct control_session *session, unsigned nr, enum severity severity)
{
	struct alert_sample s;
	_cleanup_free_ char *json = NULL;

	alert_sample_init(&s);
	snprintf(s.alert.id, sizeof(s.alert.id), "%032u", nr);
	s.alert.severity = severity;
	json = alert_json(&s.alert);
	return control_session_publish(session, &s.alert, json, strlen(json));
}

static void following_goes_on_where_the_store_ends(void **state)
{
	struct sink *store = fill_store(state, 10);
	struct control_session *session = open_session(store, CONTROL_MAY_READ);
	json_int_t count;

	assert_int_equal(publish(session, 98, SEV_HIGH), 0); /* nobody asked */
	assert_null(take(session));
	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"alerts\",\"limit\":3,\"follow\":true,"
				       "\"severity\":\"high\"}\n"),
			 0);
	assert_true(control_session_following(session));
	assert_int_equal(count_alerts(session, 7, &count), 3);
	assert_int_equal(publish(session, 99, SEV_MEDIUM), 0); /* filtered */
	assert_null(take(session));
	assert_int_equal(publish(session, 100, SEV_CRITICAL), 0);
	{
		json_auto_t *reply = take(session);
		json_t *alert = json_object_get(reply, "alert");

		assert_int_equal(atoi(json_string_value(json_object_get(alert, "id"))), 100);
	}
	control_session_free(session);
	store->ops->free(store);
}

static void a_follower_that_does_not_read_is_given_up(void **state)
{
	struct sink *store = fill_store(state, 0);
	struct control_session *session = open_session(store, CONTROL_MAY_READ);
	unsigned nr = 0;
	int r;

	assert_int_equal(feed(session, "{\"v\":1,\"do\":\"alerts\",\"follow\":true}\n"), 0);
	while ((r = publish(session, nr, SEV_HIGH)) == 0)
		assert_true(++nr < 100000);
	assert_int_equal(r, -ENOBUFS);
	assert_true(control_session_output(session)->len <= CONTROL_OUT_MAX);
	control_session_free(session);
	store->ops->free(store);
}

static void who_asks_without_reading_is_held(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);
	int r = 0;

	for (int i = 0; r == 0 && i < 100000; i++)
		r = feed(session, "{\"v\":1,\"do\":\"status\"}\n");
	assert_int_equal(r, -ENOBUFS);
	assert_true(control_session_output(session)->len <= CONTROL_OUT_MAX);
	assert_true(status_calls < 5000);
	control_session_free(session);
}

static void without_a_store_alerts_are_refused(void **state)
{
	struct control_session *session = open_session(NULL, CONTROL_MAY_READ);

	assert_int_equal(feed(session,
			      "{\"v\":1,\"do\":\"alerts\"}\n{\"v\":1,\"do\":\"status\"}\n"),
			 0);
	expect_error(session, "ENODATA");
	assert_int_equal(control_session_pump(session), 0);
	expect_ok(session, "status");
	control_session_free(session);
}

/* --- the socket ---------------------------------------------------------------------------------
 */

struct rig {
	sd_event *event;
	struct control_server *server;
	struct sink *store;
	char path[PATH_MAX];
};

static void rig_open(void **state, struct rig *rig)
{
	status_calls = reload_calls = reload_result = 0;
	snprintf(rig->path, sizeof(rig->path), "%s", tmpdir_path(state, "control.sock"));
	assert_true(sd_event_new(&rig->event) >= 0);
	rig->store = fill_store(state, 3);
	assert_int_equal(control_server_new(rig->event, rig->path, &handlers, NULL, rig->store,
					    &rig->server),
			 0);
}

static void rig_close(struct rig *rig)
{
	control_server_free(rig->server);
	rig->store->ops->free(rig->store);
	sd_event_unref(rig->event);
}

/* Lets the server do all that it can do now. */
static void spin(struct rig *rig)
{
	while (sd_event_run(rig->event, 0) > 0)
		;
}

static struct control_client *connect_to(struct rig *rig)
{
	struct control_client *client = NULL;

	assert_int_equal(control_client_new(rig->path, &client), 0);
	spin(rig);
	return client;
}

static void ask(struct rig *rig, struct control_client *client, const char *verb, bool follow)
{
	json_auto_t *request = json_pack("{s:s}", "do", verb);

	if (follow)
		json_object_set_new(request, "follow", json_true());
	assert_int_equal(control_client_send(client, request), 0);
	spin(rig);
}

static void status_over_the_socket(void **state)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *reply = NULL;
	struct stat st;
	struct rig rig;

	rig_open(state, &rig);
	assert_int_equal(stat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	client = connect_to(&rig);
	ask(&rig, client, "status", false);
	assert_int_equal(control_client_next(client, &reply), 0);
	assert_true(json_is_true(json_object_get(reply, "ok")));
	rig_close(&rig);
	assert_int_equal(access(rig.path, F_OK), -1);
}

static void followers_get_what_is_published(void **state)
{
	struct control_client *clients[3];
	struct control_server_stats stats;
	struct alert_sample s;
	struct rig rig;

	rig_open(state, &rig);
	for (size_t i = 0; i < 3; i++) {
		clients[i] = connect_to(&rig);
		ask(&rig, clients[i], "alerts", true);
	}
	control_server_stats(rig.server, &stats);
	assert_int_equal(stats.following, 3);
	control_client_free(clients[1]); /* one goes away */
	spin(&rig);
	alert_sample_init(&s);
	control_server_publish(rig.server, &s.alert);
	for (size_t i = 0; i < 3; i += 2) {
		for (int k = 0; k < 5; k++) { /* three stored, the end of them, the new one */
			json_auto_t *reply = NULL;

			assert_int_equal(control_client_next(clients[i], &reply), 0);
			assert_int_equal(json_object_get(reply, "alert") != NULL, k != 3);
		}
		control_client_free(clients[i]);
	}
	rig_close(&rig);
}

static void a_slow_follower_is_disconnected_and_others_are_not(void **state)
{
	struct control_client *slow, *fast;
	struct control_server_stats stats;
	struct alert_sample s;
	struct rig rig;
	unsigned nr = 0;

	rig_open(state, &rig);
	slow = connect_to(&rig);
	fast = connect_to(&rig);
	ask(&rig, slow, "alerts", true);
	ask(&rig, fast, "alerts", true);
	alert_sample_init(&s);
	do {
		json_auto_t *reply = NULL;

		control_server_publish(rig.server, &s.alert);
		spin(&rig);
		assert_int_equal(control_client_next(fast, &reply), 0);
		control_server_stats(rig.server, &stats);
		assert_true(++nr < 100000);
	} while (stats.clients == 2);
	assert_int_equal(stats.disconnected, 1);
	assert_int_equal(stats.following, 1);
	control_client_free(slow);
	control_client_free(fast);
	rig_close(&rig);
}

static void connections_are_bounded(void **state)
{
	struct control_client *clients[CONTROL_CLIENTS_MAX + 1];
	struct control_server_stats stats;
	json_auto_t *reply = NULL;
	size_t most = CONTROL_CLIENTS_MAX;
	struct rig rig;

	if (geteuid() != 0)
		skip(); /* the socket lets only root in where there is no group */
	rig_open(state, &rig);
	for (size_t i = 0; i <= most; i++)
		clients[i] = connect_to(&rig);
	control_server_stats(rig.server, &stats);
	assert_int_equal(stats.clients, most);
	assert_int_equal(stats.refused, 1);
	assert_int_equal(control_client_next(clients[most], &reply), 0);
	assert_string_equal(json_string_value(json_object_get(reply, "code")), "EBUSY");
	control_client_free(clients[0]);
	spin(&rig);
	clients[0] = connect_to(&rig); /* room again */
	ask(&rig, clients[0], "status", false);
	json_decref(reply);
	assert_int_equal(control_client_next(clients[0], &reply), 0);
	assert_true(json_is_true(json_object_get(reply, "ok")));
	for (size_t i = 0; i <= most; i++)
		control_client_free(clients[i]);
	rig_close(&rig);
}

/* As another user: connects, asks for `verb` and leaves with a digit that tells the outcome. */
static void as_user(const char *path, gid_t gid, gid_t extra, const char *verb)
{
	_cleanup_control_client_ struct control_client *client = NULL;
	json_auto_t *request = json_pack("{s:s}", "do", verb), *reply = NULL;
	const char *code;

	if (setgroups(extra ? 1 : 0, &extra) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(65534, 65534, 65534) < 0)
		_exit(9);
	if (control_client_new(path, &client) < 0)
		_exit(1);
	(void)control_client_send(client, request);
	if (control_client_next(client, &reply) < 0)
		_exit(2);
	code = json_string_value(json_object_get(reply, "code"));
	if (json_is_true(json_object_get(reply, "ok")))
		_exit(3);
	_exit(code && !strcmp(code, "EACCES") ? 4 : code && !strcmp(code, "EPERM") ? 5 : 6);
}

static void rights_are_what_the_kernel_says(void **state)
{
	static const struct {
		gid_t gid, extra;
		const char *verb;
		int outcome;
	} rows[] = {
		{65534, 0, "status", 4}, /* nobody's friend */
		{54321, 0, "status", 3}, /* primary group */
		{65534, 54321, "status", 3}, /* supplementary group */
		{65534, 54322, "status", 4}, /* another one */
		{54321, 0, "reload", 5}, /* reads, does not change */
	};
	struct rig rig;

	if (geteuid() != 0)
		skip(); /* takes other users' identities */
	rig_open(state, &rig);
	control_server_set_group(rig.server, 54321);
	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(chmod(rig.path, 0666), 0); /* the mode is not what is tested here */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			as_user(rig.path, rows[i].gid, rows[i].extra, rows[i].verb);
		assert_true(pid > 0);
		while (waitpid(pid, &status, WNOHANG) == 0)
			sd_event_run(rig.event, 20000);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), rows[i].outcome);
	}
	assert_int_equal(reload_calls, 0);
	rig_close(&rig);
}

/* Instead of the host's. */
static struct group *the_group;

struct group *getgrnam(const char *name)
{
	assert_string_equal(name, CONTROL_GROUP);
	return the_group;
}

static gid_t group_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_gid;
}

static void a_group_made_later_is_found_when_asked_to(void **state)
{
	struct group group = {.gr_name = (char *)CONTROL_GROUP, .gr_gid = 54321};
	struct rig rig;

	if (geteuid() != 0)
		skip();
	rig_open(state, &rig);
	assert_int_not_equal(group_of(rig.path), 54321);
	the_group = &group;
	control_server_look_for_group(rig.server);
	assert_int_equal(group_of(rig.path), 54321);
	group.gr_gid = 54322;
	the_group = &group;
	control_server_look_for_group(rig.server);
	assert_int_equal(group_of(rig.path), 54322);
	the_group = NULL;
	rig_close(&rig);
}

static void a_dead_socket_is_replaced_a_living_one_is_not(void **state)
{
	struct control_server *second = NULL;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct rig rig;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", tmpdir_path(state, "control.sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd); /* the name stays, as after a crash */
	rig_open(state, &rig);
	assert_int_equal(control_server_new(rig.event, rig.path, &handlers, NULL, NULL, &second),
			 -EADDRINUSE);
	assert_null(second);
	assert_int_equal(access(rig.path, F_OK), 0); /* and it still listens */
	control_client_free(connect_to(&rig));
	rig_close(&rig);
}

static void nobody_there_is_told_apart(void **state)
{
	struct control_client *client = NULL;

	assert_int_equal(control_client_new(tmpdir_path(state, "none"), &client), -ENOENT);
	assert_null(client);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(good_requests_are_understood),
		TEST(bad_requests_are_refused_with_a_reason),
		TEST(requests_are_answered_in_order_however_they_are_cut),
		TEST(of_many_requests_at_once_one_is_answered_at_a_time),
		TEST(only_root_may_change_things),
		TEST(who_may_read_may_ask_for_holders),
		TEST(holders_that_have_no_room_are_counted),
		TEST(a_refused_reload_tells_the_errors),
		TEST(a_line_that_is_too_long_ends_the_session),
		TEST(stored_alerts_come_in_bounded_portions),
		TEST(following_goes_on_where_the_store_ends),
		TEST(a_follower_that_does_not_read_is_given_up),
		TEST(who_asks_without_reading_is_held),
		TEST(without_a_store_alerts_are_refused),
		TEST(status_over_the_socket),
		TEST(followers_get_what_is_published),
		TEST(a_slow_follower_is_disconnected_and_others_are_not),
		TEST(connections_are_bounded),
		TEST(rights_are_what_the_kernel_says),
		TEST(a_group_made_later_is_found_when_asked_to),
		TEST(a_dead_socket_is_replaced_a_living_one_is_not),
		TEST(nobody_there_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
