// SPDX-License-Identifier: GPL-2.0-or-later
/* How those came in who have logged in. */
#include "engine/sessions.h"

#include <stdlib.h>
#include <string.h>

struct sessions {
	struct session list[SESSIONS_MAX];
};

struct sessions *sessions_new(void)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	for (size_t i = 0; sessions && i < SESSIONS_MAX; i++)
		sessions->list[i].number = UID_UNSET;
	return sessions;
}

void sessions_free(struct sessions *sessions)
{
	free(sessions);
}

void sessions_set(struct sessions *sessions, const struct event_session *told)
{
	struct session *session = &sessions->list[told->number % SESSIONS_MAX];
	size_t n = told->remote.len < SESSION_REMOTE_SIZE ? told->remote.len : 0;

	if (told->number == UID_UNSET || told->type >= SESSION_TYPE_NR)
		return;
	session->number = told->number;
	session->type = told->type;
	/* One that is cut would be another address. */
	if (n)
		memcpy(session->remote, told->remote.p, n);
	session->remote[n] = '\0';
}

const struct session *sessions_find(const struct sessions *sessions, uint32_t number)
{
	const struct session *session = &sessions->list[number % SESSIONS_MAX];

	return number != UID_UNSET && session->number == number ? session : NULL;
}
