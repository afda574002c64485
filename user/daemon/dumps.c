// SPDX-License-Identifier: GPL-2.0-or-later
/* Events about dumps: completed with what this host knows, and handed on. */
#include "daemon/dumps.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/homes.h"
#include "daemon/images.h"
#include "daemon/scans.h"
#include "trust/trust.h"
#include "watch/dumptype.h"
#include "watch/watcher.h"

#define LOOK_SECONDS 5
#define TEXT_MAX     256
#define ACCESSES_MAX 64 /* in a tenth of a second, of dumps and copies */
#define CLOSES_KEPT  16 /* of them for closes of copies that were written to */

/* What a helper writes so soon after a holder's crash is taken for that one's memory, ns. */
#define HELPER_NS 60000000000ULL

/* Settings of the host. */
static const struct sysctl {
	enum setting_what what;
	const char *path;
} sysctls[] = {
	{SETTING_CORE_PATTERN, "/proc/sys/kernel/core_pattern"},
	{SETTING_SUID_DUMPABLE, "/proc/sys/fs/suid_dumpable"},
	{SETTING_CORE_PIPE_LIMIT, "/proc/sys/kernel/core_pipe_limit"},
	{SETTING_CORE_USES_PID, "/proc/sys/kernel/core_uses_pid"},
};

#define SYSCTLS ARRAY_SIZE(sysctls)

struct dumps {
	struct app *app;
	struct written *written;
	char known[SYSCTLS][TEXT_MAX]; /* as read; "" = not known yet */
	unsigned seconds;
	bool look_soon;
	uint64_t holder_handed; /* time of the last crash of a holder to a helper; 0 = none */
	struct event accesses[ACCESSES_MAX]; /* without texts */
	size_t nr_accesses;
	uint64_t copies_dropped; /* closes of copies for which there was no room */
};

/* 0 and the value without its newline, or negative errno. */
static int read_sysctl(const struct sysctl *sysctl, char out[static TEXT_MAX])
{
	_cleanup_fclose_ FILE *f = fopen(sysctl->path, "re");

	if (!f)
		return -errno;
	if (!fgets(out, TEXT_MAX, f))
		return -EIO;
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int find_sysctl(enum setting_what what)
{
	for (size_t i = 0; i < SYSCTLS; i++)
		if (sysctls[i].what == what)
			return (int)i;
	return -1;
}

/* Puts the old value in. False: nothing has changed. */
static bool complete_setting(struct dumps *d, struct event_setting *setting,
			     char old[static TEXT_MAX])
{
	int i = find_sysctl(setting->what);
	char now[TEXT_MAX];

	if (i < 0) /* of a process: the kernel side told both */
		return setting->value != setting->old_value;
	if (setting->what == SETTING_CORE_PATTERN)
		snprintf(now, sizeof(now), "%.*s", (int)setting->text.len,
			 setting->text.len ? setting->text.p : "");
	else
		snprintf(now, sizeof(now), "%llu", (unsigned long long)setting->value);
	memcpy(old, d->known[i], TEXT_MAX);
	memcpy(d->known[i], now, TEXT_MAX);
	if (!strcmp(old, now))
		return false;
	setting->old_text = span_of(setting->what == SETTING_CORE_PATTERN ? old : NULL);
	setting->old_value = setting->what == SETTING_CORE_PATTERN ? 0 : strtoull(old, NULL, 10);
	return true;
}

static void on_setting(struct dumps *d, const struct event *event)
{
	struct event copy = *event;
	struct event_setting *s = &copy.setting;
	char old[TEXT_MAX];

	if (!complete_setting(d, s, old))
		return;
	homes_seen(d->app->homes, s->subject.uid);
	homes_seen(d->app->homes, s->subject.loginuid);
	images_seen(d->app->images, s->cgroup, event->flags);
	if (s->subject.id.tgid)
		s->exe_trust = trust_subject(d->app->trust, s->exe, s->exe_nlink, s->exe_mode,
					     s->exe_uid, &s->subject);
	feed(d->app, &copy);
}

/* The value is not the one that is known, and no probe has told of it. */
static void found_changed(struct dumps *d, size_t i, const char *now)
{
	struct event event = {
		.type = EVENT_SETTING,
		.time = app_boottime(),
		.setting =
			{
				.what = sysctls[i].what,
				.exe_nlink = 1,
				.text = span_of(now),
			},
	};

	event.setting.subject.loginuid = event.setting.subject.session = UID_UNSET;
	if (sysctls[i].what != SETTING_CORE_PATTERN) {
		event.setting.value = strtoull(now, NULL, 10);
		event.setting.text = (struct span){NULL, 0};
	}
	on_setting(d, &event);
}

static void look(struct dumps *d)
{
	for (size_t i = 0; i < SYSCTLS; i++) {
		char now[TEXT_MAX];

		if (read_sysctl(&sysctls[i], now) < 0 || !strcmp(now, d->known[i]))
			continue;
		/* The record of who did it may just have come. */
		sensor_drain(d->app->sensor);
		if (strcmp(now, d->known[i]) != 0)
			found_changed(d, i, now);
	}
}

static void on_written(void *userdata, const struct event *event, int fd)
{
	struct dumps *d = userdata;

	homes_seen(d->app->homes, event->written.subject.uid);
	homes_seen(d->app->homes, event->written.owner);
	feed(d->app, event);
	if (event->written.how & WRITTEN_COPY) {
		scans_copy(d->app->scans, event, fd);
		return;
	}
	if (dump_kind_is_dump(event->written.kind) ||
	    (event->written.size && event->written.kind != DUMPKIND_TEXT))
		scans_written(d->app->scans, event, fd,
			      (event->written.how & WRITTEN_HELPER) && d->holder_handed &&
				      event->time - d->holder_handed < HELPER_NS);
}

static int open_file(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		     size_t *out_nr)
{
	return sensor_open(((struct dumps *)userdata)->app->sensor, path, out_inodes, max, out_nr);
}

static const struct written_ops written_ops = {.open = open_file, .dump = on_written};

int dumps_new(struct app *app, struct dumps **out_dumps)
{
	struct dumps *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->app = app;
	r = written_new(app->watcher, &written_ops, d, &d->written);
	if (r < 0) {
		free(d);
		return r;
	}
	for (size_t i = 0; i < SYSCTLS; i++)
		if (read_sysctl(&sysctls[i], d->known[i]) < 0)
			d->known[i][0] = '\0';
	*out_dumps = d;
	return 0;
}

void dumps_free(struct dumps *d)
{
	if (!d)
		return;
	written_free(d->written);
	free(d);
}

void dumps_event(struct dumps *d, const struct event *event)
{
	struct event copy = *event;

	switch (event->type) {
	case EVENT_DUMP:
		d->look_soon = true;
		if (event->dump.held.nr &&
		    (event->dump.how == DUMP_PIPE || event->dump.how == DUMP_SOCKET))
			d->holder_handed = event->time;
		homes_seen(d->app->homes, event->dump.subject.uid);
		homes_seen(d->app->homes, event->dump.subject.loginuid);
		images_seen(d->app->images, event->dump.cgroup, event->flags);
		copy.dump.exe_trust =
			trust_subject(d->app->trust, copy.dump.exe, copy.dump.exe_nlink,
				      copy.dump.exe_mode, copy.dump.exe_uid, &copy.dump.subject);
		feed(d->app, &copy);
		break;
	case EVENT_WRITTEN:
		written_add(d->written, event);
		break;
	default:
		on_setting(d, event);
	}
}

void dumps_access(struct dumps *d, const struct event *event)
{
	struct event_access *a;
	enum object_class object_class;
	struct watched watched;
	char path[PATH_MAX];

	if (watcher_lookup(d->app->watcher, event->access.object, &watched, path, sizeof(path)) <
		    0 ||
	    !watched.watch)
		return;
	/* What a copy has in it is known until it is written to. */
	object_class = policy_watch_class(d->app->policy, watched.watch);
	if (object_class != CLASS_DUMP &&
	    (object_class != CLASS_KEY_COPY || event->access.how != ACCESS_CLOSE_WRITE))
		return;
	/* More than that at a time are reads of a few dumps: the next one asks again. Of a copy
	 * nobody asks again, so no dump takes its room. */
	if (d->nr_accesses >=
	    (object_class == CLASS_DUMP ? ACCESSES_MAX - CLOSES_KEPT : ACCESSES_MAX)) {
		d->copies_dropped += object_class != CLASS_DUMP;
		return;
	}
	d->accesses[d->nr_accesses] = *event;
	a = &d->accesses[d->nr_accesses++].access;
	a->path = a->exe = a->cgroup = a->args = (struct span){NULL, 0};
}

void dumps_run(struct dumps *d)
{
	written_run(d->written);
	/* After those, which know more of the same files. */
	for (size_t i = 0; i < d->nr_accesses; i++)
		scans_access(d->app->scans, &d->accesses[i]);
	d->nr_accesses = 0;
	if (d->look_soon) {
		d->look_soon = false;
		look(d);
	}
}

void dumps_second(struct dumps *d)
{
	if (++d->seconds % LOOK_SECONDS == 0)
		look(d);
}

void dumps_set_policy(struct dumps *d)
{
	const struct settings *settings = policy_settings(d->app->policy);
	uint32_t watch = policy_dump_watch(d->app->policy);

	scans_set_policy(d->app->scans);
	watcher_set_dump_watch(d->app->watcher, watch);
	if (watch && policy_watch(d->app->policy, watch)->on & 1U << ACTION_SEND)
		watch |= WATCH_SEND;
	sensor_watch_dumps(d->app->sensor, settings->dump_threshold, watch);
	watch = settings->scan.on ? policy_find_class(d->app->policy, CLASS_KEY_COPY) : 0;
	watcher_set_copy_watch(d->app->watcher, watch);
	sensor_tell_copies(d->app->sensor, watch);
}

uint64_t dumps_copies_dropped(const struct dumps *d)
{
	return d->copies_dropped;
}

void dumps_stats(const struct dumps *d, struct written_stats *out_stats)
{
	written_stats(d->written, out_stats);
}
