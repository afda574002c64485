// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumps from their close to a verdict: queue, children, time. */
#include "daemon/scans.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "daemon/app.h"
#include "daemon/known.h"
#include "daemon/log.h"
#include "daemon/quota.h"
#include "scan/scanner.h"
#include "scanq/scanq.h"
#include "scanq/shares.h"
#include "scanq/tally.h"
#include "trail/graph.h"
#include "watch/reach.h"
#include "watch/watcher.h"

#define DONE_MAX 256 /* verdicts that are remembered, so that a file is not scanned twice */
/* Of copies, besides the policy's bounds, which are made for dumps: that wait, in all and of one
 * owner; of one file, seconds of CPU time, and of waiting for it, and MiB. */
#define COPIES_MAX	 128
#define COPIES_OWNER_MAX 32
#define COPY_CPU_S	 60
#define COPY_WALL_S	 600
#define COPY_SIZE_MIB	 4096
/* Of scanning them at a stretch, for each owner; then his have a tenth of the time. */
#define COPIES_SPARE_NS 120000000000ULL
#define KEYS_TOLD	64 /* of one dump, the worst first */
#define FULL_TOLD_NS	60000000000ULL /* that the queue is full is an alert this often at most */
#define FD_FREE		10
#define REST_SECONDS	10

/* A dump that waits or is being scanned. */
struct scan {
	struct scanq_item item; /* the first: what the queue hands out is this */
	struct scans *owner;
	int fd;
	uint64_t number;
	struct event event; /* EVENT_SCAN as far as it is known; its spans point to `path` */
	char path[PATH_MAX];
	/* while it runs */
	struct scanner *scanner;
	sd_event_source *readable, *timeout;
	struct known known; /* as it was passed on */
	struct scan_tally tally;
	struct scanner_stamp stamp; /* of the file when it began */
	uint64_t began; /* CLOCK_BOOTTIME ns */
	bool named; /* `path` is the name that we have it by: see follow_name() */
	bool again; /* see look_again() */
	struct scan *next; /* that runs */
};

struct scans {
	struct app *app;
	const char *program; /* NULL: the installed one */
	struct scanq *queue;
	struct scan *running;
	unsigned nr_running; /* dumps */
	struct scanq *copies; /* that wait */
	bool copy_runs;
	struct shares shares; /* of the scanner's time, by who owns the copies */
	sd_event_source *copies_timer; /* for that; NULL: not yet made */
	uint64_t numbers;
	struct scanq_item done[DONE_MAX], copies_done[DONE_MAX];
	size_t next_done, next_copy_done;
	struct known known; /* keys that the policy names */
	uint32_t known_of; /* generation of that policy, 0 = none yet */
	bool known_failed;
	struct full {
		uint64_t told; /* CLOCK_BOOTTIME ns */
		uint64_t since; /* files since then */
	} full, copies_full; /* the queues */
	struct scans_stats stats;
};

static void run_next(struct scans *s);
static void look_again(const struct scan *scan);

static const struct scan_settings *settings(const struct scans *s)
{
	return &policy_settings(s->app->policy)->scan;
}

static void scan_free(struct scan *scan)
{
	sd_event_source_disable_unref(scan->readable);
	sd_event_source_disable_unref(scan->timeout);
	scanner_free(scan->scanner);
	scan_tally_fini(&scan->tally);
	known_fini(&scan->known);
	fd_close(scan->fd);
	free(scan);
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

static void tell(struct scan *scan, enum scan_state state, enum scan_cause cause)
{
	const bool copy = scan->event.scan.copy;
	struct scans *s = scan->owner;

	scan->event.time = app_boottime();
	scan->event.scan.state = state;
	scan->event.scan.cause = cause;
	if (state == SCANSTATE_UNSCANNED && cause != SCANCAUSE_WAITING)
		(copy ? s->stats.copies_unscanned : s->stats.unscanned)[cause]++;
	else if (state != SCANSTATE_UNSCANNED && state != SCANSTATE_SCANNING)
		(copy ? s->stats.copies_done : s->stats.done)[state]++;
	else if (copy)
		return; /* nothing waits for the verdict on what is not watched yet */
	feed(s->app, &scan->event);
}

/* It did not come to a scan. */
static void give_up(struct scan *scan, enum scan_cause cause)
{
	tell(scan, SCANSTATE_UNSCANNED, cause);
	scan_free(scan);
}

/* The trail follows keys by their names; a token has none, nor what is encrypted and says none. */
static bool is_named(const struct found_key *key)
{
	char name[TRAIL_NAME_MAX];

	return found_key_counts(key) && key->finding.id.kind != KEY_NONE &&
	       trail_key_name(&key->finding.id, name);
}

static size_t count_named(const struct scan_verdict *verdict)
{
	size_t named = 0;

	for (size_t i = 0; i < verdict->nr_keys; i++)
		named += is_named(&verdict->keys[i]);
	return named;
}

/* The worst first. Tokens, of which one can write any number into a file, leave room for half as
 * many keys with names. */
static void tell_keys(struct scan *scan)
{
	struct scan_verdict *verdict = &scan->tally.verdict;
	struct event event = {.type = EVENT_SCAN_KEY, .time = app_boottime()};
	size_t room = KEYS_TOLD, named = count_named(verdict);
	size_t kept = named < KEYS_TOLD / 2 ? named : KEYS_TOLD / 2;

	for (size_t i = 0; i < verdict->nr_keys && room; i++) {
		if (!found_key_counts(&verdict->keys[i]))
			continue;
		if (is_named(&verdict->keys[i]))
			kept -= kept != 0;
		else if (room <= kept)
			continue;
		room--;
		scan_tally_key(&verdict->keys[i], &event.scan_key);
		event.scan_key.scan = scan->number;
		feed(scan->owner->app, &event);
	}
}

static void remember(struct scans *s, const struct scan *scan)
{
	if (scan->event.scan.copy)
		s->copies_done[s->next_copy_done++ % DONE_MAX] = scan->item;
	else
		s->done[s->next_done++ % DONE_MAX] = scan->item;
}

static bool is_watched(const struct watcher *watcher, uint64_t object)
{
	struct watched watched;
	char path[PATH_MAX];

	return object && watcher_lookup(watcher, object, &watched, path, sizeof(path)) >= 0 &&
	       watched.watch;
}

/*
 * What is written under one name and then moved to its own (zip, rsync, a browser) may be told, and
 * be here, before it is moved, and nobody tells of the name of what is not watched yet. What we do
 * not have by the path that was told (it was moved already, or is seen from elsewhere) keeps that.
 */
static void follow_name(struct scan *scan)
{
	char now[PATH_MAX];

	if (!scan->named || !reach_fd_name(scan->fd, now) || !strcmp(now, scan->path))
		return;
	memcpy(scan->path, now, strlen(now) + 1);
	scan->event.scan.path = span_of(scan->path);
	if (scan->event.scan.object)
		watcher_name_born(scan->owner->app->watcher, scan->event.scan.object, now);
}

/* What has the key in it is watched from now on, what has it no longer is not; what was written to
 * meanwhile may have it again. */
static void watch_copy(struct scan *scan, bool touched)
{
	struct watcher *watcher = scan->owner->app->watcher;
	struct event_scan *out = &scan->event.scan;

	if (out->state == SCANSTATE_KEY && count_named(&scan->tally.verdict)) {
		/* One that is watched has its place, however many its owner has. */
		const int r = is_watched(watcher, out->object)
				      ? 0
				      : watcher_add_copy(watcher, scan->fd, scan->path,
							 scan->item.owner, &out->object);
		struct scans_stats *stats = &scan->owner->stats;

		(*(r == 0	  ? &stats->copies_kept
		   : r == -EDQUOT ? &stats->copies_left_owner
		   : r == -ENOSPC ? &stats->copies_left_full
				  : &stats->copies_left_other))++;
	} else if (out->object && out->state == SCANSTATE_CLEAN && !touched) {
		watcher_drop_copy(watcher, out->object);
		out->object = 0;
	}
}

static void end_copy(struct scan *scan)
{
	struct scans *s = scan->owner;

	s->copy_runs = false;
	shares_charge(&s->shares, scan->item.owner, app_boottime(), scan->event.scan.took);
}

/* error: as scan_tally_end() takes it. */
static void finish(struct scan *scan, int error)
{
	struct scans *s = scan->owner;
	struct event_scan *out = &scan->event.scan;
	char flags[SCAN_TALLY_FLAGS];
	struct scanner_stamp stamp;
	unsigned touched;

	for (struct scan **at = &s->running; *at; at = &(*at)->next)
		if (*at == scan) {
			*at = scan->next;
			break;
		}
	known_names(&scan->known, &scan->tally.verdict);
	follow_name(scan);
	touched = scanner_stamp(scan->fd, &stamp) < 0 ? SCAN_TOUCHED | SCAN_CHANGED
						      : scanner_stamp_compare(&stamp, &scan->stamp);
	scan_tally_touched(&scan->tally, touched);
	scan_tally_end(&scan->tally, error, flags, out);
	out->took = app_boottime() - scan->began;
	s->stats.bytes += out->bytes;
	if (out->copy) {
		end_copy(scan);
		watch_copy(scan, touched);
	} else {
		s->nr_running--;
	}
	if (error)
		log_line(SD_WARNING, "a %s was not scanned to its end: %s",
			 out->copy ? "file of who has a key" : "dump",
			 error == -ETIMEDOUT ? "its time was up" : scanner_strerror(error));
	tell_keys(scan);
	tell(scan, out->state, out->cause);
	/* A copy that was not scanned may be when it is told once more: at its owner's cost. */
	if (!out->copy || out->state != SCANSTATE_UNSCANNED)
		remember(s, scan);
	if (out->copy && out->object && out->state == SCANSTATE_CLEAN && touched == SCAN_TOUCHED &&
	    !scan->again)
		look_again(scan);
	scan_free(scan);
	run_next(s);
}

/* --- children ----------------------------------------------------------------------------------
 */

static int on_about(void *userdata, const struct scan_about *about)
{
	return scan_tally_about(&((struct scan *)userdata)->tally, about);
}

static int on_found(void *userdata, const struct finding *finding)
{
	return scan_tally_found(&((struct scan *)userdata)->tally, finding);
}

static int on_digest(void *userdata, const struct scan_digest *digest)
{
	return scan_tally_digest(&((struct scan *)userdata)->tally, digest);
}

static const struct scanner_events scanner_events = {
	.about = on_about,
	.found = on_found,
	.digest = on_digest,
};

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct scan *scan = userdata;
	int r = scanner_read(scan->scanner, &scanner_events, scan);

	if (r != -EAGAIN)
		finish(scan, r);
	return 0;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct scan *scan = userdata;
	/* The loop may have been busy while the last of it came. */
	int r = scanner_read(scan->scanner, &scanner_events, scan);

	finish(scan, r == -EAGAIN ? -ETIMEDOUT : r);
	return 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What the policy says, and of copies less. */
static struct scan_settings bounds(const struct scans *s, bool copy)
{
	struct scan_settings set = *settings(s);

	if (copy) {
		set.max_size_mib = least(set.max_size_mib, COPY_SIZE_MIB);
		set.max_time_s = least(set.max_time_s, COPY_WALL_S);
	}
	return set;
}

static int start(struct scan *scan)
{
	struct scans *s = scan->owner;
	const bool copy = scan->event.scan.copy;
	const struct scan_settings set = bounds(s, copy);
	const struct scanner_input input = {
		.fd = scan->fd,
		.maps_fd = -1,
		.options.unpack_max = (uint64_t)set.max_size_mib << 20,
		.cpu_seconds = copy ? least(set.max_time_s, COPY_CPU_S) : set.max_time_s,
	};
	sd_event *loop = s->app->loop;
	int r = known_copy(&s->known, &scan->known);

	if (r >= 0)
		r = scanner_stamp(scan->fd, &scan->stamp);
	if (r >= 0)
		r = scanner_exec(s->program, &input, known_fd(&scan->known), &scan->scanner);
	if (r >= 0)
		r = sd_event_add_io(loop, &scan->readable, scanner_fd(scan->scanner), EPOLLIN,
				    on_readable, scan);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &scan->timeout, CLOCK_MONOTONIC,
					       set.max_time_s * 1000000ULL, 0, on_timeout, scan);
	/* Watching comes first. */
	if (r >= 0)
		r = sd_event_source_set_priority(scan->readable, SD_EVENT_PRIORITY_IDLE);
	return r < 0 ? r : 0;
}

static bool begin(struct scan *scan)
{
	struct scans *s = scan->owner;
	int r;

	scan->began = app_boottime();
	r = start(scan);
	if (r < 0) {
		log_line(SD_ERR, "a file cannot be scanned: %s", strerror(-r));
		give_up(scan, r == -ENOMEM ? SCANCAUSE_MEMORY : SCANCAUSE_PROGRAM);
		return false;
	}
	scan->next = s->running;
	s->running = scan;
	tell(scan, SCANSTATE_SCANNING, SCANCAUSE_NONE);
	return true;
}

static int on_copies_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	run_next(userdata);
	return 0;
}

/* Wakes us when the next copy may be begun. Without it that is when the next file is told. */
static void wait_for_copies(struct scans *s, uint64_t ns)
{
	const uint64_t usec = ns / 1000 + 1;
	int r;

	if (!s->copies_timer) {
		r = sd_event_add_time_relative(s->app->loop, &s->copies_timer, CLOCK_BOOTTIME, usec,
					       0, on_copies_time, s);
	} else {
		r = sd_event_source_set_time_relative(s->copies_timer, usec);
		if (r >= 0)
			r = sd_event_source_set_enabled(s->copies_timer, SD_EVENT_ONESHOT);
	}
	if (r < 0)
		log_line(SD_ERR, "no timer for scans: %s", strerror(-r));
}

static uint64_t cost_of(void *userdata, uint32_t owner)
{
	return shares_spent(&((struct scans *)userdata)->shares, owner, app_boottime());
}

/* Whose turn it is: his who has used least of the time. Dumps or not: who has some scanned all the
 * time would keep every copy unseen. */
static void run_copies(struct scans *s)
{
	while (!s->copy_runs && scanq_count(s->copies)) {
		uint64_t spent;
		struct scan *scan = (struct scan *)scanq_take_cheapest(s->copies, cost_of, s,
								       COPIES_SPARE_NS, &spent);

		if (!scan) {
			wait_for_copies(s, (spent - COPIES_SPARE_NS) * 10);
			return;
		}
		s->copy_runs = begin(scan);
	}
}

static void run_next(struct scans *s)
{
	while (s->nr_running < settings(s)->children) {
		struct scan *scan = (struct scan *)scanq_take(s->queue);

		if (!scan)
			break;
		s->nr_running += begin(scan);
	}
	run_copies(s);
}

/* --- the queue ---------------------------------------------------------------------------------
 */

/* A file found no place: each has its verdict, and the queue's owner hears of it, now and then. */
static void tell_full(struct scans *s, const struct scan *scan)
{
	const bool copy = scan->event.scan.copy;
	struct full *full = copy ? &s->copies_full : &s->full;
	uint64_t now = app_boottime();
	char name[512], text[1024];

	full->since++;
	if (full->told && now - full->told < FULL_TOLD_NS)
		return;
	escape_bytes(scan->path, strlen(scan->path), name, sizeof(name), NULL);
	if (copy)
		snprintf(text, sizeof(text),
			 "files of who has a key find no place to wait for their scan (%d, %d of "
			 "one owner): %llu not scanned, the last is %s",
			 COPIES_MAX, COPIES_OWNER_MAX, (unsigned long long)full->since, name);
	else
		snprintf(text, sizeof(text),
			 "the queue of dumps to be scanned for keys is full (%u): %llu not "
			 "scanned, the last is %s",
			 settings(s)->queue, (unsigned long long)full->since, name);
	feed_health(s->app, HEALTH_DEGRADED, copy ? "copy-queue" : "scan-queue", text);
	full->told = now;
	full->since = 0;
}

/* As what it is told: a copy is scanned within narrower bounds than a dump, and of a dump nothing
 * is watched for what was found. */
static bool is_known(const struct scans *s, const struct scanq_item *item, bool copy)
{
	const struct scanq_item *done = copy ? s->copies_done : s->done;

	for (size_t i = 0; i < DONE_MAX; i++)
		if (scanq_same_content(&done[i], item))
			return true;
	for (const struct scan *scan = s->running; scan; scan = scan->next)
		if (scan->event.scan.copy == copy && scanq_same_content(&scan->item, item))
			return true;
	return false;
}

/* A sparse file is as large as what is in it. */
static uint64_t size_of(const struct stat *st)
{
	uint64_t blocks = (uint64_t)st->st_blocks * 512;

	return blocks < (uint64_t)st->st_size ? blocks : (uint64_t)st->st_size;
}

static int new_scan(struct scans *s, int fd, const struct event_scan *about, struct span path,
		    bool urgent, struct scan **out_scan)
{
	char now[PATH_MAX];
	struct scan *scan;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return -ENOMEM;
	scan->owner = s;
	scan->fd = fcntl(fd, F_DUPFD_CLOEXEC, FD_FREE);
	if (scan->fd < 0) {
		int err = -errno;

		free(scan);
		return err;
	}
	scan->item = (struct scanq_item){
		.inode = about->inode,
		.changed = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec,
		.size = size_of(&st),
		/* Subordinate uids have no shares of their own: anybody has 65,536 of them. */
		.owner = quota_account(s->app->quota, st.st_uid),
		.rank = urgent			      ? SCANQ_RANK_HOLDER
			: size_of(&st) <= SCANQ_SMALL ? SCANQ_RANK_SMALL
						      : SCANQ_RANK_OTHER,
	};
	memcpy(scan->path, path.p, path.len < PATH_MAX ? path.len : PATH_MAX - 1);
	scan->event.type = EVENT_SCAN;
	scan->event.scan = *about;
	scan->event.scan.size = (uint64_t)st.st_size;
	scan->event.scan.owner = st.st_uid;
	scan->event.scan.path = span_of(scan->path);
	scan->named = reach_fd_name(scan->fd, now) && !strcmp(now, scan->path);
	*out_scan = scan;
	return 0;
}

static void enqueue(struct scans *s, struct scan *scan)
{
	const bool copy = scan->event.scan.copy;
	struct scanq_item *ousted = NULL;
	struct scan *other;

	switch (scanq_add(copy ? s->copies : s->queue, &scan->item, &ousted)) {
	case SCANQ_KNOWN:
		s->stats.known++;
		scan_free(scan);
		return;
	case SCANQ_FULL:
		tell_full(s, scan);
		give_up(scan, SCANCAUSE_QUEUE);
		return;
	default:
		break;
	}
	other = (struct scan *)ousted;
	if (other && scanq_same_file(&other->item, &scan->item)) {
		scan_free(other); /* written once more: the verdict will be of that */
	} else if (other) {
		tell_full(s, other);
		give_up(other, SCANCAUSE_QUEUE);
	}
	tell(scan, SCANSTATE_UNSCANNED, SCANCAUSE_WAITING);
	run_next(s);
}

/* again: when it has been scanned and is to be once more. */
static void take_up(struct scans *s, int fd, const struct event_scan *about, struct span path,
		    bool urgent, bool again)
{
	const struct scan_settings set = bounds(s, about->copy);
	struct scan *scan = NULL;
	int r = new_scan(s, fd, about, path, urgent, &scan);

	if (r < 0) {
		log_line(SD_ERR, "a file cannot be scanned: %s", strerror(-r));
		(about->copy ? s->stats.copies_unscanned : s->stats.unscanned)[SCANCAUSE_MEMORY]++;
		return;
	}
	if (is_known(s, &scan->item, about->copy)) {
		s->stats.known++;
		scan_free(scan);
		return;
	}
	if (about->copy)
		s->stats.copies_taken++;
	else
		s->stats.taken++;
	scan->again = again;
	scan->number = scan->event.scan.scan = ++s->numbers;
	if (!set.on)
		give_up(scan, SCANCAUSE_OFF);
	else if (scan->item.size > (uint64_t)set.max_size_mib << 20)
		give_up(scan, SCANCAUSE_SIZE);
	else
		enqueue(s, scan);
}

/* A watched copy has no key in it, and its mode, owner or a name was changed meanwhile: nobody
 * closes it for that, so nobody tells of it. Once, or who does so on and on keeps us at it. */
static void look_again(const struct scan *scan)
{
	const struct event_scan *was = &scan->event.scan;
	const struct event_scan about = {
		.subject = was->subject,
		.parent = was->parent,
		.inode = was->inode,
		.held = was->held,
		.object = was->object,
		.copy = true,
	};

	take_up(scan->owner, scan->fd, &about, span_of(scan->path), false, true);
}

/* --- what comes in -----------------------------------------------------------------------------
 */

static struct event_scan about_written(const struct event_written *w)
{
	return (struct event_scan){
		.subject = w->subject,
		.parent = w->parent,
		.inode = w->inode,
		.held = w->held,
		.object = w->object,
		.copy = w->how & WRITTEN_COPY,
	};
}

void scans_written(struct scans *s, const struct event *event, int fd, bool urgent)
{
	const struct event_scan about = about_written(&event->written);

	take_up(s, fd, &about, event->written.path, urgent || event->written.held.nr, false);
}

void scans_copy(struct scans *s, const struct event *event, int fd)
{
	const struct event_scan about = about_written(&event->written);

	take_up(s, fd, &about, event->written.path, false, false);
}

/* Nobody has written to it of late: who reads it so soon reads what is not whole yet, or has just
 * been closed, and is scanned for that. */
static bool at_rest(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && time(NULL) - st.st_ctim.tv_sec > REST_SECONDS;
}

void scans_access(struct scans *s, const struct event *event)
{
	const struct event_access *a = &event->access;
	const bool closed = a->how == ACCESS_CLOSE_WRITE;
	struct event_scan about = {.inode = a->inode, .object = a->object};
	struct watched watched;
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	if (!settings(s)->on ||
	    (!closed && (!(a->mode & ACCESS_M_READ) || a->mode & ACCESS_M_CREATED)) ||
	    watcher_lookup(s->app->watcher, a->object, &watched, path, sizeof(path)) < 0 ||
	    !watched.watch)
		return;
	about.copy = policy_watch_class(s->app->policy, watched.watch) == CLASS_KEY_COPY;
	/* Who read it is not who wrote it. */
	if (closed) {
		about.subject = a->subject;
		about.parent = a->parent;
	}
	fd = watcher_open(s->app->watcher, a->object, NULL, NULL);
	if (fd >= 0 && (closed || at_rest(fd)))
		take_up(s, fd, &about, span_of(path), false, false);
}

/* --- up and down -------------------------------------------------------------------------------
 */

int scans_new(struct app *app, struct scans **out_scans)
{
	struct scans *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->queue = scanq_new(1);
	s->copies = scanq_new(COPIES_MAX);
	if (!s->queue || !s->copies) {
		scanq_free(s->queue);
		scanq_free(s->copies);
		free(s);
		return -ENOMEM;
	}
	s->app = app;
	scanq_set_owner_max(s->copies, COPIES_OWNER_MAX);
	known_init(&s->known);
	*out_scans = s;
	return 0;
}

void scans_free(struct scans *s)
{
	struct scan *scan;

	if (!s)
		return;
	while ((scan = s->running)) {
		s->running = scan->next;
		give_up(scan, SCANCAUSE_STOPPED);
	}
	while ((scan = (struct scan *)scanq_take(s->queue)))
		give_up(scan, SCANCAUSE_STOPPED);
	while ((scan = (struct scan *)scanq_take(s->copies)))
		give_up(scan, SCANCAUSE_STOPPED);
	sd_event_source_disable_unref(s->copies_timer);
	scanq_free(s->queue);
	scanq_free(s->copies);
	known_fini(&s->known);
	free(s);
}

void scans_set_policy(struct scans *s)
{
	const struct scan_settings *set = settings(s);

	scanq_set_max(s->queue, set->queue);
	if (s->known_of != s->app->generation) { /* else it is new homes only */
		const bool failed = known_load(&s->known, set->needles) < 0;

		if (failed)
			feed_health(s->app, HEALTH_DEGRADED, "scan-needles",
				    "the file of known keys that the policy names cannot be used: "
				    "dumps are scanned without it; the daemon's log says why");
		else if (s->known_failed)
			feed_health(s->app, HEALTH_OK, "scan-needles",
				    "the file of known keys is in use");
		s->known_failed = failed;
		s->known_of = s->app->generation;
	}
	s->stats.needles = (uint32_t)known_count(&s->known);
	run_next(s);
}

void scans_stats(const struct scans *s, struct scans_stats *out_stats)
{
	*out_stats = s->stats;
	out_stats->queued = (uint32_t)scanq_count(s->queue);
	out_stats->running = s->nr_running;
	out_stats->copies_queued = (uint32_t)scanq_count(s->copies) + s->copy_runs;
}
