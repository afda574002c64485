// SPDX-License-Identifier: GPL-2.0-or-later
/* Which executables are looked at, and that the engine is told. */
#include "daemon/programs.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/app.h"
#include "daemon/mounts.h"
#include "sensor/sensor.h"
#include "trust/dpkg.h"
#include "watch/reach.h"

struct programs_watch {
	struct app *app;
	struct inspect *inspect;
	sd_event_source *answers;
};

static int identify(void *userdata, int fd, struct inode_id *out_identity)
{
	struct programs_watch *w = userdata;

	return sensor_identify_fd(w->app->sensor, fd, out_identity);
}

static bool answers(void *userdata, int fd)
{
	struct programs_watch *w = userdata;

	return mounts_answers(w->app->mounts, fd);
}

static int open_path(void *userdata, const char *path)
{
	const struct reach reach = {.answers = answers, .userdata = userdata};

	return reach_path(&reach, path, false);
}

static void told(void *userdata, const struct event_program *program)
{
	struct programs_watch *w = userdata;
	const struct event event = {
		.type = EVENT_PROGRAM,
		.time = app_boottime(),
		.program = *program,
	};

	feed(w->app, &event);
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct programs_watch *w = userdata;

	inspect_answer(w->inspect);
	return 0;
}

int programs_watch_new(struct app *app, struct programs_watch **out_watch)
{
	static const struct inspect_ops ops = {
		.identify = identify,
		.open = open_path,
		.told = told,
	};
	struct programs_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->app = app;
	r = inspect_new(&ops, w, DPKG_INFO, NULL, &w->inspect);
	if (!r)
		r = sd_event_add_io(app->loop, &w->answers, inspect_fd(w->inspect), EPOLLIN,
				    on_answer, w);
	if (r < 0) {
		programs_watch_free(w);
		return r;
	}
	*out_watch = w;
	return 0;
}

void programs_watch_free(struct programs_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->answers);
	inspect_free(w->inspect);
	free(w);
}

void programs_watch_subject(struct programs_watch *w, const struct subject *subject,
			    struct span exe)
{
	/* Kernel threads have none. */
	if (subject->exe.ino || subject->exe.dev)
		inspect_want(w->inspect, exe, &subject->exe, policy_inspects(w->app->policy, exe));
}

void programs_watch_exec(struct programs_watch *w, const struct event_exec *exec)
{
	if (policy_inspects(w->app->policy, exec->exe))
		inspect_want(w->inspect, exec->exe, &exec->subject.exe, true);
}

void programs_watch_policy(struct programs_watch *w)
{
	const char *path;

	for (size_t i = 0; (path = policy_allowed_exe(w->app->policy, i)); i++)
		if (policy_inspects(w->app->policy, span_of(path)))
			inspect_want(w->inspect, span_of(path), NULL, true);
}

void programs_watch_stats(const struct programs_watch *w, struct inspect_stats *out_stats)
{
	inspect_stats(w->inspect, out_stats);
}
