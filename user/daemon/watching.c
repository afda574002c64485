// SPDX-License-Identifier: GPL-2.0-or-later
/* What is watched: what its parts ask of the rest of the daemon, and how they are set up. */
#include "daemon/app.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/escape.h"
#include "daemon/deny.h"
#include "daemon/devices.h"
#include "daemon/dumps.h"
#include "daemon/homes.h"
#include "daemon/identify.h"
#include "daemon/images.h"
#include "daemon/log.h"
#include "daemon/logins.h"
#include "daemon/mounts.h"
#include "daemon/programs.h"
#include "daemon/quota.h"
#include "daemon/scans.h"
#include "daemon/search.h"
#include "daemon/slow.h"
#include "trust/trust.h"
#include "watch/watcher.h"

static int identify_path(void *userdata, const char *path, struct inode_id *out_identity)
{
	return sensor_identify(((struct app *)userdata)->sensor, path, out_identity);
}

/* What marks of this entry have besides: MARK_KEY, MARK_SEND, MARK_GROUP. */
static uint32_t flags_of(const struct app *app, uint32_t watch)
{
	const struct watch_entry *entry = watch ? policy_watch(app->policy, watch) : NULL;
	uint32_t flags = 0;

	if (entry && object_class_gives_keys(entry->object_class))
		flags |= MARK_KEY;
	if (entry && entry->on & 1U << ACTION_SEND)
		flags |= MARK_SEND;
	return flags | deny_flags(app->deny, watch);
}

static int mark_path(void *userdata, int dirfd, const char *name, struct mark *mark,
		     struct inode_id *out_identity)
{
	struct app *app = userdata;
	uint32_t devs[MARKING_INODES];
	size_t nr;
	int r;

	mark->flags |= flags_of(app, mark->watch);
	r = sensor_mark(app->sensor, dirfd, name, mark, out_identity);
	nr = r < 0 ? 0 : sensor_marked_on(app->sensor, devs);
	for (size_t i = 0; i < nr && mark->flags & MARK_FILE; i++)
		devices_note(app->devices, devs[i]);
	return r;
}

static int unmark_inode(void *userdata, const struct inode_id *identity, uint64_t object)
{
	return sensor_unmark(((struct app *)userdata)->sensor, identity, object);
}

static bool is_marked(void *userdata, const struct inode_id *identity, uint64_t object)
{
	return sensor_is_marked(((struct app *)userdata)->sensor, identity, object);
}

static uint64_t names_moved(void *userdata)
{
	return sensor_names_moved(((struct app *)userdata)->sensor);
}

static int unmark_device(void *userdata, uint32_t dev)
{
	return sensor_unmark_device(((struct app *)userdata)->sensor, dev);
}

static int open_path(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		     size_t *out_nr)
{
	return sensor_open(((struct app *)userdata)->sensor, path, out_inodes, max, out_nr);
}

static void feed_object(struct app *app, const struct watched *watched,
			const struct key_identity *key)
{
	const struct watch_entry *entry =
		watched->watch ? policy_watch(app->policy, watched->watch) : NULL;
	struct event event = {
		.type = EVENT_OBJECT,
		.time = app_boottime(),
		.object =
			{
				.object = watched->object,
				.inode = watched->inode,
				.path = span_of(watched->path),
				.watch = entry ? span_of(entry->name) : (struct span){},
				.key_known = key != NULL,
			},
	};

	if (key)
		event.object.key = *key;
	feed(app, &event);
}

void app_retell(void *userdata, const struct watched *watched)
{
	struct app *app = userdata;

	feed_object(app, watched, identify_known(app->identify, watched->object));
}

static void on_object(void *userdata, const struct watched *watched)
{
	struct app *app = userdata;

	deny_object(app->deny, watched);
	/* By another name it is the same key, until it is found out whether the name is a part of
	 * that: a public half beside it. */
	feed_object(app, watched,
		    watched->watch ? identify_known(app->identify, watched->object) : NULL);
	if (!watched->watch)
		identify_forget(app->identify, watched->object);
	else if (object_class_holds_keys(policy_watch_class(app->policy, watched->watch)))
		identify_again(app->identify, watched->object);
}

static int remark_inode(void *userdata, const struct inode_id *identity, uint64_t object,
			uint32_t state, uint32_t watch)
{
	struct app *app = userdata;

	return sensor_remark(app->sensor, identity, object, state, watch, flags_of(app, watch));
}

static bool fd_answers(void *userdata, int fd)
{
	return mounts_answers(((struct app *)userdata)->mounts, fd);
}

static void on_apart(void *userdata, const char *path)
{
	struct app *app = userdata;
	const char *type = mounts_type_at(app->mounts, path);

	/* To look up a name there would mount it; what is mounted there is told by the table. */
	if (!type || strcmp(type, "autofs") != 0)
		slow_add(app->slow, path);
}

void app_walk_slow(void *userdata, const char *path)
{
	struct app *app = userdata;

	if (watcher_leads(app->watcher, path))
		slow_add(app->slow, path);
}

/* A walk of a million names on a cold disk takes minutes; systemd would take that for a hang. */
void app_alive(const struct app *app)
{
	sd_notify(0, app->up ? "WATCHDOG=1" : "EXTEND_TIMEOUT_USEC=120000000");
}

static void walk_goes_on(void *userdata)
{
	app_alive(userdata);
}

static const struct watcher_ops watcher_ops = {
	.mark = mark_path,
	.unmark = unmark_inode,
	.is_marked = is_marked,
	.names_moved = names_moved,
	.unmark_device = unmark_device,
	.remark = remark_inode,
	.object = on_object,
	.open = open_path,
	.answers = fd_answers,
	.apart = on_apart,
	.alive = walk_goes_on,
};

static void slow_enter(void *userdata, unsigned slot)
{
	sensor_enter_child(((struct app *)userdata)->sensor, slot);
}

static void slow_ended(void *userdata, unsigned slot)
{
	sensor_child_ended(((struct app *)userdata)->sensor, slot);
}

static void on_silent(void *userdata, const char *path)
{
	struct app *app = userdata;
	char name[512], text[1024];

	if (!path) {
		log_line(SD_NOTICE, "all file systems with watched places answer again");
		feed_health(app, HEALTH_OK, "file-systems",
			    "all file systems with watched places answer again");
		return;
	}
	escape_bytes(path, strlen(path), name, sizeof(name), NULL);
	snprintf(
		text, sizeof(text),
		"the file system at %s does not answer: what is there is not watched, but for what "
		"was marked before; `keytrail status` lists all of this kind",
		name);
	log_line(SD_WARNING, "%s", text);
	feed_health(app, HEALTH_DEGRADED, "file-systems", text);
}

static const struct slow_ops slow_ops = {slow_enter, slow_ended, on_silent};

static void on_identified(void *userdata, uint64_t object, const struct key_identity *key)
{
	struct app *app = userdata;
	struct watched watched;
	char path[4096];

	if (watcher_lookup(app->watcher, object, &watched, path, sizeof(path)) < 0)
		return; /* gone meanwhile */
	/* What was found for its content is watched for that alone. */
	if (key->kind == KEY_NONE && watched.watch &&
	    policy_watch_class(app->policy, watched.watch) == CLASS_FOUND_KEY)
		watcher_drop_found(app->watcher, object);
	else
		feed_object(app, &watched, key);
}

static const struct identify_ops identify_ops = {.done = on_identified};

static void on_user(void *userdata, uint32_t uid, const char *name)
{
	struct app *app = userdata;
	struct event event = {
		.type = EVENT_USER,
		.time = app_boottime(),
		.user = {.uid = uid, .name = span_of(name)},
	};

	feed(app, &event);
}

static void on_homes_changed(void *userdata)
{
	app_walk_soon(userdata);
}

static const struct homes_ops homes_ops = {.user = on_user, .changed = on_homes_changed};

static void walk_at(struct app *app, const char *path)
{
	const char *type = mounts_type_at(app->mounts, path);

	if (!type || mounts_type_answers(type))
		watcher_rescan(app->watcher, path);
	else if (strcmp(type, "autofs") != 0)
		app_walk_slow(app, path);
}

/* What the mount lay over has kept its marks, but for what came to be there by another way. */
static void on_unmounted(void *userdata, const char *path)
{
	walk_at(userdata, path);
}

static void on_mounted(void *userdata, const char *path)
{
	struct app *app = userdata;

	walk_at(app, path);
	search_watch_soon(app->search);
	devices_remounted(app->devices);
	/* What was opened there before it was marked. */
	app->look_for_open = true;
}

/*
 * From here on those hooks are live that see reads: first marks, then the other hooks, then the
 * picture of what is there already, so that nothing falls between.
 */
int watching_start(struct app *app)
{
	struct policy *policy = app->policy;
	int r;

	r = trust_new(identify_path, app, &app->trust);
	if (!r)
		r = deny_new(app, &app->deny);
	if (!r)
		r = devices_new(app->sensor, on_object, app, &app->devices);
	if (!r)
		r = watcher_new(&watcher_ops, app, &app->watcher);
	if (!r)
		r = slow_new(app->loop, app->watcher, &slow_ops, app, &app->slow);
	if (!r)
		r = identify_new(app->loop, app->watcher, &identify_ops, app, &app->identify);
	if (!r)
		r = scans_new(app, &app->scans);
	if (!r)
		r = dumps_new(app, &app->dumps);
	if (!r)
		r = search_watch_new(app, &app->search);
	if (!r)
		r = quota_new(app, &app->quota);
	if (!r)
		r = homes_new(app->loop, &homes_ops, app, &app->homes);
	if (!r)
		r = mounts_new(app->loop, on_mounted, on_unmounted, app, &app->mounts);
	if (!r)
		r = programs_watch_new(app, &app->programs);
	if (!r && !((app->logins = logins_new(app)) && (app->images = images_watch_new(app))))
		r = -ENOMEM;
	if (r < 0)
		return r;
	r = trust_set_policy(app->trust, policy);
	if (!r)
		r = reload_apply(app, policy);
	if (!r)
		devices_refresh(app->devices, policy_device_watch(policy));
	if (r < 0)
		return r;
	app->watching_ns = app_boottime() - app->began_ns;
	sensor_complete(app->sensor);
	app->complete_ns = app_boottime() - app->began_ns;
	r = sensor_start_picture(app->sensor);
	return r < 0 ? r : 0;
}
