// SPDX-License-Identifier: GPL-2.0-or-later
/* Which executables are looked at, and that the engine is told. */
#include "daemon/programs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/app.h"
#include "daemon/deny.h"
#include "daemon/log.h"
#include "daemon/mounts.h"
#include "sensor/sensor.h"
#include "trust/dpkg.h"
#include "trust/rpm.h"
#include "watch/reach.h"

struct programs_watch {
	struct app *app;
	struct inspect *inspect;
	sd_event_source *answers;
	struct rpm_counts rpm; /* as last seen */
	bool rpm_told; /* that it does not answer */
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

int programs_open(struct programs_watch *w, const char *path)
{
	return open_path(w, path);
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
	deny_program(w->app->deny, program);
}

/* Once, and once when it answers again. */
static void tell_rpm(struct programs_watch *w)
{
	static const char over[] = "the database of rpm is read again";
	struct rpm_counts now;
	char text[256];

	rpm_counts(&now);
	if (now.timed_out > w->rpm.timed_out && !w->rpm_told) {
		snprintf(
			text, sizeof(text),
			"keytrail-rpm gave no answer within %d s and was killed (%u such hang in the "
			"kernel): to which package of rpm a program belongs is not known, and rules "
			"that ask for one do not count",
			RPM_TIMEOUT_MS / 1000, now.left);
		log_line(SD_WARNING, "%s", text);
		feed_health(w->app, HEALTH_DEGRADED, "rpm-silent", text);
		w->rpm_told = true;
	} else if (now.answered > w->rpm.answered && now.timed_out == w->rpm.timed_out &&
		   w->rpm_told) {
		log_line(SD_NOTICE, "%s", over);
		feed_health(w->app, HEALTH_OK, "rpm-silent", over);
		w->rpm_told = false;
	}
	w->rpm = now;
}

static int on_answer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct programs_watch *w = userdata;

	inspect_answer(w->inspect);
	tell_rpm(w);
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

void programs_watch_path(struct programs_watch *w, const char *path, const struct inode_id *inode)
{
	inspect_want(w->inspect, span_of(path), inode, true);
	inspect_tell(w->inspect, inode);
}

void programs_look_again(struct programs_watch *w, const char *path, const struct inode_id *inode,
			 bool first)
{
	inspect_again(w->inspect, span_of(path), inode, first);
}

void programs_watch_stats(const struct programs_watch *w, struct inspect_stats *out_stats)
{
	inspect_stats(w->inspect, out_stats);
}
