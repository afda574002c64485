// SPDX-License-Identifier: GPL-2.0-or-later
/* Completes what the kernel side tells of opens that failed. */
#include "daemon/refused.h"

#include <limits.h>
#include <string.h>

#include "daemon/app.h"
#include "daemon/deny.h"
#include "daemon/homes.h"
#include "daemon/images.h"
#include "daemon/programs.h"
#include "trust/trust.h"
#include "watch/namepath.h"
#include "watch/watcher.h"

static struct span last_name(struct span path)
{
	const char *slash = path.len ? memrchr(path.p, '/', path.len) : NULL;

	return slash ? (struct span){slash + 1, path.len - (size_t)(slash + 1 - path.p)} : path;
}

/* The watch entry and the whole path; 0 = it is none of the policy's names. denied: by us. */
static uint32_t complete(struct app *app, struct event_refused *r, bool denied,
			 char path[static PATH_MAX])
{
	struct watched watched;
	uint32_t watch;
	int len;

	if (r->object) {
		if (watcher_lookup(app->watcher, r->object, &watched, path, PATH_MAX) < 0)
			/* Gone meanwhile. What we refused is told by what it was called. */
			return denied ? watchset_match(app->set, r->path) : 0;
		r->path = span_of(path);
		return watched.watch;
	}
	/* Exactly, where the kernel side's form of a glob may match more. */
	watch = watchset_step(app->set, r->state, last_name(r->path)).watch;
	if (!watch || policy_watch(app->policy, watch)->object_class == CLASS_AGENT_SOCKET)
		return 0;
	len = name_path(r->dir, r->path, path, PATH_MAX);
	if (len >= 0)
		r->path = (struct span){path, (size_t)len};
	return watch;
}

void refused_event(struct app *app, const struct event *event)
{
	struct event copy = *event;
	struct event_refused *r = &copy.refused;
	char path[PATH_MAX];
	const bool denied = event->flags & EVENT_DENIED;
	uint32_t watch = complete(app, r, denied, path);

	if (!watch) {
		app->unmatched++;
		return;
	}
	r->watch = span_of(policy_watch(app->policy, watch)->name);
	homes_seen(app->homes, r->subject.uid);
	homes_seen(app->homes, r->subject.loginuid);
	images_seen(app->images, r->cgroup, event->flags);
	r->exe_trust = trust_subject(app->trust, r->exe, r->exe_nlink, r->exe_mode, r->exe_uid,
				     &r->subject);
	programs_watch_subject(app->programs, &r->subject, r->exe);
	if (denied)
		deny_refused(app->deny, r);
	feed(app, &copy);
}
