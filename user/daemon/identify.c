// SPDX-License-Identifier: GPL-2.0-or-later
/* Which key stands in a watched file: a queue of questions to the scan child. */
#include "daemon/identify.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "scan/child.h"
#include "watch/watcher.h"

#define RUNNING_MAX 2 /* children at a time: identification must not be felt */
/*
 * A child may use five seconds of a processor (user/scan-child/main.c); on a host whose processors
 * are all in use those take long. One that opens its file on a file system that may not answer is
 * given no more: what it waits for is not a processor.
 */
#define CHILD_TIMEOUT_US    30000000ULL
#define CHILD_AT_TIMEOUT_US 5000000ULL
#define TRIES_MAX	    2 /* for a child that crashed or was too slow */
/*
 * The kernel side tells a name before it can be looked up (the hook runs before the dentry moves):
 * an open that finds nothing, or the file that is about to be replaced, is tried again, so often
 * and so much later.
 */
#define ABSENT_MAX	5
#define ABSENT_RETRY_US 50000ULL
/* Want of processes, descriptors or memory is none of the file's: all wait, and then try again. */
#define SHORT_MAX      60
#define SHORT_RETRY_US 500000ULL

enum state { IDLE, WAITING, RUNNING, ABSENT };

struct question {
	uint64_t object;
	enum state state;
	bool again; /* asked once more while it was running */
	bool gone; /* forgotten while it was running */
	bool known; /* key below is an answer */
	unsigned tries, absent, wanting; /* so often failed, was not there, had to wait */
	struct key_identity key;
	struct question *next; /* in the queue */
	/* while RUNNING */
	struct identify *owner;
	struct scan_child *child;
	sd_event_source *readable, *timeout;
	UT_hash_handle hh;
};

struct identify {
	sd_event *loop;
	struct watcher *watcher;
	const struct identify_ops *ops;
	void *userdata;
	struct question *questions; /* hash by object */
	struct question *first, *last; /* queue */
	sd_event_source *retry; /* of questions that are ABSENT */
	uint32_t nr_absent;
	sd_event_source *resume; /* of the queue, while it is on: nothing can be started */
	struct identify_stats stats;
};

static void run_next(struct identify *id);

static void child_end(struct question *q)
{
	q->readable = sd_event_source_disable_unref(q->readable);
	q->timeout = sd_event_source_disable_unref(q->timeout);
	scan_child_free(q->child);
	q->child = NULL;
	q->state = IDLE;
	q->owner->stats.running--;
}

static void question_free(struct question *q)
{
	if (q->state == ABSENT)
		q->owner->nr_absent--;
	HASH_DEL(q->owner->questions, q);
	free(q);
}

static void enqueue(struct identify *id, struct question *q)
{
	if (q->state == ABSENT)
		id->nr_absent--;
	q->state = WAITING;
	q->next = NULL;
	if (id->last)
		id->last->next = q;
	else
		id->first = q;
	id->last = q;
	id->stats.waiting++;
}

/* The child is done with, one way or another. r: 0 and *key, or negative errno. */
static void answered(struct question *q, int r, const struct key_identity *key)
{
	struct identify *id = q->owner;

	child_end(q);
	/* Where one has ended there is room for another. */
	sd_event_source_set_enabled(id->resume, SD_EVENT_OFF);
	if (q->gone) {
		question_free(q);
	} else if (q->again) {
		q->again = false;
		enqueue(id, q);
	} else if (r < 0) {
		id->stats.failed++;
		if (r == -ETIMEDOUT)
			id->stats.timed_out++;
		else if (r == -ECHILD || r == -EBADMSG)
			id->stats.crashed++;
		/* A file that is too large or unreadable stays so until it changes. */
		if (r != -EFBIG && ++q->tries < TRIES_MAX)
			enqueue(id, q);
	} else {
		id->stats.done++;
		q->known = true;
		q->key = *key;
		id->ops->done(id->userdata, q->object, key);
	}
	run_next(id);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct question *q = userdata;
	struct key_identity key;
	int r = scan_child_read(q->child, &key);

	if (r != -EAGAIN)
		answered(q, r, &key);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct question *q = userdata;
	struct key_identity key;
	/* The loop itself may have been busy meanwhile, and the answer wait to be read. */
	int r = scan_child_read(q->child, &key);

	answered(q, r == -EAGAIN ? -ETIMEDOUT : r, &key);
	return 0;
}

/* The file's file system may not answer: the child opens it. */
static int spawn_at(struct identify *id, struct question *q)
{
	struct watched watched;
	char path[PATH_MAX];
	int r = watcher_lookup(id->watcher, q->object, &watched, path, sizeof(path));

	if (r < 0)
		return r;
	return scan_child_spawn_at(NULL, path,
				   makedev(watched.inode.dev >> 20, watched.inode.dev & 0xfffff),
				   watched.inode.ino, &q->child);
}

static int run(struct identify *id, struct question *q)
{
	_cleanup_close_ int fd = -1, sibling = -1;
	int r;

	fd = watcher_open(id->watcher, q->object, ".pub", &sibling);
	if (fd < 0 && fd != -EREMOTE)
		return fd;
	/* Too many such children hang already: no reason for the other questions to wait. */
	r = fd < 0 ? spawn_at(id, q) : scan_child_spawn(NULL, fd, sibling, &q->child);
	if (fd < 0 && r == -EBUSY)
		return -EAGAIN;
	if (r < 0)
		return r;
	q->state = RUNNING;
	id->stats.running++;
	r = sd_event_add_io(id->loop, &q->readable, scan_child_fd(q->child), EPOLLIN, on_readable,
			    q);
	if (r >= 0)
		r = sd_event_add_time_relative(id->loop, &q->timeout, CLOCK_MONOTONIC,
					       fd < 0 ? CHILD_AT_TIMEOUT_US : CHILD_TIMEOUT_US, 0,
					       on_timeout, q);
	if (r < 0) {
		child_end(q);
		return r;
	}
	return 0;
}

/* -EAGAIN: the probe by which the daemon knows what it has opened was skipped. */
static bool is_for_the_moment(int error)
{
	return error == -ENOENT || error == -ESTALE || error == -EAGAIN;
}

static bool is_shortage(int r)
{
	return r == -EAGAIN || r == -EBUSY || r == -EMFILE || r == -ENFILE || r == -ENOMEM ||
	       r == -ENOBUFS || r == -EINTR;
}

static bool is_on(sd_event_source *source)
{
	int enabled = SD_EVENT_OFF;

	return sd_event_source_get_enabled(source, &enabled) >= 0 && enabled != SD_EVENT_OFF;
}

static void run_next(struct identify *id)
{
	while (!is_on(id->resume) && id->first && id->stats.running < RUNNING_MAX) {
		struct question *q = id->first;
		int r;

		id->first = q->next;
		if (!id->first)
			id->last = NULL;
		id->stats.waiting--;
		q->state = IDLE;
		if (q->gone) {
			question_free(q);
			continue;
		}
		r = run(id, q);
		if (is_for_the_moment(r) && q->absent++ < ABSENT_MAX) {
			q->state = ABSENT;
			id->nr_absent++;
			sd_event_source_set_time_relative(id->retry, ABSENT_RETRY_US);
			sd_event_source_set_enabled(id->retry, SD_EVENT_ONESHOT);
		} else if (is_shortage(r) && q->wanting++ < SHORT_MAX) {
			enqueue(id, q); /* behind the others, in case it is the file after all */
			sd_event_source_set_time_relative(id->resume, SHORT_RETRY_US);
			sd_event_source_set_enabled(id->resume, SD_EVENT_ONESHOT);
		} else if (r < 0) {
			id->stats.failed++; /* gone, or unreadable: its next change asks again */
		}
	}
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct identify *id = userdata;
	struct question *q, *tmp;

	HASH_ITER(hh, id->questions, q, tmp)
	{
		if (q->state == ABSENT)
			enqueue(id, q);
	}
	run_next(id);
	return 0;
}

static int on_resume(sd_event_source *source, uint64_t usec, void *userdata)
{
	run_next(userdata);
	return 0;
}

int identify_new(sd_event *loop, struct watcher *watcher, const struct identify_ops *ops,
		 void *userdata, struct identify **out_identify)
{
	struct identify *id = calloc(1, sizeof(*id));
	int r;

	if (!id)
		return -ENOMEM;
	r = sd_event_add_time_relative(loop, &id->retry, CLOCK_MONOTONIC, 0, 0, on_retry, id);
	if (r >= 0)
		r = sd_event_source_set_enabled(id->retry, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &id->resume, CLOCK_MONOTONIC, 0, 0, on_resume,
					       id);
	if (r >= 0)
		r = sd_event_source_set_enabled(id->resume, SD_EVENT_OFF);
	if (r < 0) {
		identify_free(id);
		return r;
	}
	id->loop = loop;
	id->watcher = watcher;
	id->ops = ops;
	id->userdata = userdata;
	*out_identify = id;
	return 0;
}

void identify_free(struct identify *id)
{
	struct question *q, *tmp;

	if (!id)
		return;
	HASH_ITER(hh, id->questions, q, tmp)
	{
		if (q->state == RUNNING)
			child_end(q);
		question_free(q);
	}
	sd_event_source_disable_unref(id->retry);
	sd_event_source_disable_unref(id->resume);
	free(id);
}

void identify_again(struct identify *id, uint64_t object)
{
	struct question *q;

	HASH_FIND(hh, id->questions, &object, sizeof(object), q);
	if (!q) {
		q = calloc(1, sizeof(*q));
		if (!q) {
			id->stats.failed++;
			return;
		}
		q->object = object;
		q->owner = id;
		HASH_ADD(hh, id->questions, object, sizeof(q->object), q);
	}
	q->known = false;
	q->gone = false;
	q->tries = q->absent = q->wanting = 0;
	if (q->state == RUNNING) {
		q->again = true;
	} else if (q->state == IDLE || q->state == ABSENT) {
		enqueue(id, q);
		run_next(id);
	}
}

void identify_forget(struct identify *id, uint64_t object)
{
	struct question *q;

	HASH_FIND(hh, id->questions, &object, sizeof(object), q);
	if (!q)
		return;
	q->known = false;
	if (q->state == IDLE || q->state == ABSENT)
		question_free(q);
	else
		q->gone = true;
}

const struct key_identity *identify_known(const struct identify *id, uint64_t object)
{
	struct question *q;

	HASH_FIND(hh, id->questions, &object, sizeof(object), q);
	return q && q->known ? &q->key : NULL;
}

void identify_stats(const struct identify *id, struct identify_stats *out_stats)
{
	*out_stats = id->stats;
	out_stats->waiting += id->nr_absent;
}
