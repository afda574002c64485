// SPDX-License-Identifier: GPL-2.0-or-later
/* How somebody came in, and that the engine is told. */
#include "daemon/logins.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "proc/cgroup.h"

#define LOGINS_MAX 1024 /* as the engine's table (engine/sessions.h) */
#define TRIES_MAX  16 /* for a session that logind does not know (yet) */

struct login {
	uint32_t number; /* UID_UNSET: none */
	uint16_t tries;
	bool known;
};

struct logins {
	struct app *app;
	struct login list[LOGINS_MAX];
};

struct logins *logins_new(struct app *app)
{
	struct logins *logins = calloc(1, sizeof(*logins));

	if (!logins)
		return NULL;
	logins->app = app;
	for (size_t i = 0; i < LOGINS_MAX; i++)
		logins->list[i].number = UID_UNSET;
	return logins;
}

void logins_free(struct logins *logins)
{
	free(logins);
}

static bool is_cron(struct span unit)
{
	static const char *const units[] = {"cron.service",    "crond.service", "cronie.service",
					    "anacron.service", "atd.service",	"fcron.service"};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (unit.len == strlen(units[i]) && !memcmp(unit.p, units[i], unit.len))
			return true;
	return false;
}

struct span logins_read_cgroup(struct span cgroup, enum session_type *out_type)
{
	static const char begin[] = "session-", end[] = ".scope";
	const size_t nb = sizeof(begin) - 1, ne = sizeof(end) - 1;
	struct span unit = cgroup_system_unit(cgroup);

	*out_type = is_cron(unit) ? SESSION_CRON : SESSION_UNKNOWN;
	if (unit.len <= nb + ne || memcmp(unit.p, begin, nb) != 0 ||
	    memcmp(unit.p + unit.len - ne, end, ne) != 0)
		return (struct span){NULL, 0};
	return (struct span){unit.p + nb, unit.len - nb - ne};
}

enum session_type logins_type(const char *service, bool is_remote)
{
	if (!strcmp(service, "sshd") || !strcmp(service, "dropbear"))
		return SESSION_SSH;
	if (!strcmp(service, "cron") || !strcmp(service, "crond") || !strcmp(service, "atd"))
		return SESSION_CRON;
	if (is_remote)
		return SESSION_REMOTE;
	return *service ? SESSION_LOCAL : SESSION_UNKNOWN;
}

static bool ask_logind(const char *name, uint32_t loginuid, enum session_type *out_type,
		       char **out_remote)
{
	_cleanup_free_ char *service = NULL, *remote = NULL;
	uid_t uid;

	/* The cgroup is that of a session of somebody else's: moved there, or su's. */
	if (sd_session_get_uid(name, &uid) < 0 || uid != loginuid)
		return false;
	if (sd_session_get_service(name, &service) < 0)
		service = NULL;
	if (sd_session_get_remote_host(name, &remote) < 0)
		remote = NULL;
	*out_type = logins_type(service ? service : "", sd_session_is_remote(name) > 0);
	*out_remote = take_ptr(remote);
	return *out_type != SESSION_UNKNOWN;
}

void logins_seen(struct logins *logins, const struct subject *subject, struct span cgroup)
{
	struct login *login = &logins->list[subject->session % LOGINS_MAX];
	_cleanup_free_ char *remote = NULL;
	enum session_type type;
	char name[64];
	struct span id;

	if (subject->session == UID_UNSET || subject->loginuid == UID_UNSET || !cgroup.len)
		return;
	if (login->number != subject->session)
		*login = (struct login){.number = subject->session};
	if (login->known || login->tries == TRIES_MAX)
		return;
	id = logins_read_cgroup(cgroup, &type);
	if (!id.len && type == SESSION_UNKNOWN)
		return; /* not in its own place yet: PAM moves it there */
	login->tries++;
	if (id.len && id.len < sizeof(name)) {
		memcpy(name, id.p, id.len);
		name[id.len] = '\0';
		if (!ask_logind(name, subject->loginuid, &type, &remote))
			return;
	}
	if (type == SESSION_UNKNOWN)
		return;
	login->known = true;
	feed(logins->app, &(struct event){
				  .type = EVENT_SESSION,
				  .time = app_boottime(),
				  .session = {.number = subject->session,
					      .type = type,
					      .remote = span_of(remote)},
			  });
}
