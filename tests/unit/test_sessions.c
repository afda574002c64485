// SPDX-License-Identifier: GPL-2.0-or-later
/* engine/sessions.c and what daemon/logins.c makes of cgroups and PAM services. */
#include "daemon/logins.c" /* the daemon is no library */
#include "engine/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/cleanup.h"

static struct event told[4];
static unsigned nr_told;

void feed(struct app *app, const struct event *event)
{
	told[nr_told++ % 4] = *event;
}

uint64_t app_boottime(void)
{
	return 77;
}

static void set(struct sessions *sessions, uint32_t number, enum session_type type,
		const char *remote)
{
	sessions_set(sessions, &(struct event_session){.number = number,
						       .type = type,
						       .remote = span_of(remote)});
}

static void sessions_are_found_by_their_number(void **state)
{
	struct sessions *sessions = sessions_new();
	char longer[SESSION_REMOTE_SIZE + 1];

	assert_null(sessions_find(sessions, 0));
	assert_null(sessions_find(sessions, UID_UNSET));
	set(sessions, 3, SESSION_SSH, "192.0.2.7");
	set(sessions, 4, SESSION_LOCAL, NULL);
	assert_int_equal(sessions_find(sessions, 3)->type, SESSION_SSH);
	assert_string_equal(sessions_find(sessions, 3)->remote, "192.0.2.7");
	assert_string_equal(sessions_find(sessions, 4)->remote, "");
	/* What was told last counts. */
	set(sessions, 3, SESSION_CRON, "");
	assert_int_equal(sessions_find(sessions, 3)->type, SESSION_CRON);
	assert_string_equal(sessions_find(sessions, 3)->remote, "");
	/* A newer one in its place; of the old one nothing is known. */
	set(sessions, 3 + SESSIONS_MAX, SESSION_SSH, "a");
	assert_null(sessions_find(sessions, 3));
	assert_string_equal(sessions_find(sessions, 3 + SESSIONS_MAX)->remote, "a");
	/* A name that would be cut is none. */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	set(sessions, 5, SESSION_SSH, longer);
	assert_string_equal(sessions_find(sessions, 5)->remote, "");
	/* Rubbish from a trace. */
	set(sessions, UID_UNSET, SESSION_SSH, "a");
	set(sessions, 6, SESSION_TYPE_NR, "a");
	assert_null(sessions_find(sessions, UID_UNSET));
	assert_null(sessions_find(sessions, 6));
	sessions_free(sessions);
}

static void a_cgroup_names_a_session_only_where_root_names_it(void **state)
{
	static const struct {
		const char *cgroup, *id;
		enum session_type type;
	} rows[] = {
		{"/user.slice/user-1000.slice/session-3.scope", "3", SESSION_UNKNOWN},
		{"/user.slice/user-1000.slice/session-c2.scope", "c2", SESSION_UNKNOWN},
		{"/user.slice/user-1000.slice/session-3.scope/x", "3", SESSION_UNKNOWN},
		/* In a user's own part of the tree he writes what he likes. */
		{"/user.slice/user-1000.slice/user@1000.service/session-9.scope", "",
		 SESSION_UNKNOWN},
		{"/user.slice/user-1000.slice/user@1000.service/cron.service", "", SESSION_UNKNOWN},
		{"/system.slice/cron.service", "", SESSION_CRON},
		{"/system.slice/crond.service", "", SESSION_CRON},
		{"/system.slice/atd.service", "", SESSION_CRON},
		{"/system.slice/xcron.service", "", SESSION_UNKNOWN},
		{"/system.slice/ssh.service", "", SESSION_UNKNOWN},
		{"/user.slice/user-1000.slice/session-.scope", "", SESSION_UNKNOWN},
		{"/", "", SESSION_UNKNOWN},
		{"", "", SESSION_UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum session_type type = SESSION_TYPE_NR;
		struct span id = logins_read_cgroup(span_of(rows[i].cgroup), &type);

		if (id.len != strlen(rows[i].id) ||
		    (id.len && memcmp(id.p, rows[i].id, id.len) != 0) || type != rows[i].type)
			fail_msg("row %zu: '%.*s' %s", i, (int)id.len, id.p,
				 session_type_str(type));
	}
}

static void services_of_pam_say_how_somebody_came(void **state)
{
	assert_int_equal(logins_type("sshd", true), SESSION_SSH);
	assert_int_equal(logins_type("sshd", false), SESSION_SSH);
	assert_int_equal(logins_type("login", false), SESSION_LOCAL);
	assert_int_equal(logins_type("remote", true), SESSION_REMOTE);
	assert_int_equal(logins_type("gdm-password", false), SESSION_LOCAL);
	assert_int_equal(logins_type("crond", false), SESSION_CRON);
	assert_int_equal(logins_type("", false), SESSION_UNKNOWN);
	assert_int_equal(logins_type("", true), SESSION_REMOTE);
}

static void a_session_is_told_once_and_not_asked_for_ever(void **state)
{
	static const char cron[] = "/system.slice/cron.service";
	struct subject who = {.uid = 0, .loginuid = UID_UNSET, .session = UID_UNSET};
	struct logins *logins = logins_new(NULL);

	nr_told = 0;
	/* Nobody has logged in: the daemon itself. */
	logins_seen(logins, &who, span_of(cron));
	who.loginuid = 1000;
	who.session = 12;
	logins_seen(logins, &who, (struct span){NULL, 0});
	/* Not moved to its own place yet. */
	logins_seen(logins, &who, span_of("/system.slice/ssh.service"));
	assert_int_equal(nr_told, 0);
	logins_seen(logins, &who, span_of(cron));
	logins_seen(logins, &who, span_of(cron));
	assert_int_equal(nr_told, 1);
	assert_int_equal(told[0].type, EVENT_SESSION);
	assert_int_equal(told[0].time, 77);
	assert_int_equal(told[0].session.number, 12);
	assert_int_equal(told[0].session.type, SESSION_CRON);
	/* A session that logind has never heard of. */
	who.session = 13;
	for (unsigned i = 0; i < 3 * TRIES_MAX; i++)
		logins_seen(logins, &who,
			    span_of("/user.slice/user-1.slice/session-no-such-one.scope"));
	assert_int_equal(nr_told, 1);
	assert_int_equal(logins->list[13].tries, TRIES_MAX);
	logins_free(logins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_found_by_their_number),
		cmocka_unit_test(a_cgroup_names_a_session_only_where_root_names_it),
		cmocka_unit_test(services_of_pam_say_how_somebody_came),
		cmocka_unit_test(a_session_is_told_once_and_not_asked_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
