// SPDX-License-Identifier: GPL-2.0-or-later
/* A file that begins as a key does: has it read, and watched if it is one. */
#include "daemon/search-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/log.h"
#include "daemon/quota.h"
#include "daemon/search-owners.h"
#include "scan/child.h"
#include "scan/test-keys.h"
#include "watch/watcher.h"

#define CHILD_TIMEOUT_US 30000000ULL /* as in daemon/identify.c: processors may all be in use */
#define TRIES_MAX	 2 /* for a child that crashed or was too slow */

static void reader_end(struct search_watch *s)
{
	s->reader_readable = sd_event_source_disable_unref(s->reader_readable);
	s->reader_timeout = sd_event_source_disable_unref(s->reader_timeout);
	scan_child_free(s->reader);
	s->reader = NULL;
}

void search_file_end(struct search_watch *s)
{
	reader_end(s);
	s->file = fd_close(s->file);
}

static void answer(struct search_watch *s, int value)
{
	const struct search_message message = {.word = SEARCH_ANSWER, .value = value};

	search_file_end(s);
	s->said_s = search_now_s(); /* it could say nothing while it waited */
	search_say(s, &message);
}

/* The next whole search asks again. */
static void leave_out(struct search_watch *s, int why)
{
	s->left_out++;
	if (search_owners_left_out(s->owners, s->owner))
		search_tell_left_out(s, why);
	answer(s, 2);
}

static void take_key(struct search_watch *s, const struct key_identity *key)
{
	int r;

	if (key->kind == KEY_NONE) {
		answer(s, 0);
		return;
	}
	/* In every copy of a library, or of its sources. */
	if (key->has_spki && test_key(key->spki)) {
		s->test_keys++;
		answer(s, 0);
		return;
	}
	r = watcher_add_found(s->app->watcher, s->file, s->path, s->owner);
	s->keys += r == 0;
	if (r == -ENOSPC || r == -EDQUOT)
		leave_out(s, r);
	else
		answer(s, r < 0);
}

static int start_reader(struct search_watch *s);

/* Want of processes, descriptors or memory is none of the file's, nor are walls that could not be
 * put up. */
static bool is_shortage(int r)
{
	return r == -EAGAIN || r == -EBUSY || r == -EMFILE || r == -ENFILE || r == -ENOMEM ||
	       r == -ENOBUFS || r == -EPERM;
}

static void give_up(struct search_watch *s, int r)
{
	if (is_shortage(r)) {
		answer(s, 1);
		return;
	}
	if (r == -EFBIG) {
		answer(s, 0); /* until it changes */
		return;
	}
	/*
	 * Not the file's fault for certain: root can kill the reader, and so can whoever is nobody
	 * where that is what it runs as. It is asked about once more by each search that reads
	 * everything, which costs little.
	 */
	if (!s->unread_now++)
		log_line(
			SD_WARNING,
			"a file that begins as a key does could not be read: %s; it, and others of "
			"this search that cannot be read, are tried again within %u s",
			strerror(-r), search_settings(s)->again_s);
	s->unread++;
	answer(s, 2);
}

/* What its reader has said, or why there is none. A file may well be made to crash or to slow it:
 * it is not tried for ever. */
static void take_reply(struct search_watch *s, int r, const struct key_identity *key)
{
	if (r == 0) {
		take_key(s, key);
		return;
	}
	reader_end(s);
	if (r != -EFBIG && !is_shortage(r) && ++s->tries < TRIES_MAX)
		r = start_reader(s);
	if (r < 0)
		give_up(s, r);
}

static int on_reader(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct search_watch *s = userdata;
	struct key_identity key;
	int r = scan_child_read(s->reader, &key);

	if (r != -EAGAIN)
		take_reply(s, r, &key);
	return 0;
}

static int on_reader_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct search_watch *s = userdata;
	struct key_identity key;
	/* The loop itself may have been busy meanwhile, and the answer wait to be read. */
	int r = scan_child_read(s->reader, &key);

	take_reply(s, r == -EAGAIN ? -ETIMEDOUT : r, &key);
	return 0;
}

static int start_reader(struct search_watch *s)
{
	sd_event *loop = s->app->loop;
	int r = scan_child_spawn(NULL, s->file, -1, &s->reader);

	if (r < 0)
		return r;
	r = sd_event_add_io(loop, &s->reader_readable, scan_child_fd(s->reader), EPOLLIN, on_reader,
			    s);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &s->reader_timeout, CLOCK_MONOTONIC,
					       CHILD_TIMEOUT_US, 0, on_reader_timeout, s);
	return r < 0 ? r : 0;
}

void search_file_take(struct search_watch *s, const struct search_message *message)
{
	struct stat st;
	int room;

	snprintf(s->path, sizeof(s->path), "%s", message->path);
	s->file = watcher_open_found(s->app->watcher, s->path, message->dev, message->ino);
	if (s->file < 0) {
		answer(s, s->file == -EEXIST || s->file == -EINVAL ? 0 : 1);
		return;
	}
	if (fstat(s->file, &st) < 0) {
		answer(s, 1);
		return;
	}
	s->owner = quota_account(s->app->quota, st.st_uid);
	s->tries = 0;
	room = watcher_found_room(s->app->watcher, s->owner);
	if (room < 0)
		leave_out(s, room);
	else if (!search_owners_ask(s->owners, s->owner))
		answer(s, 1); /* the next search goes on */
	else if (start_reader(s) < 0)
		answer(s, 1);
}
