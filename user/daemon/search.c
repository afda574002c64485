// SPDX-License-Identifier: GPL-2.0-or-later
/* The search for private keys: which trees, when, and what becomes of what is found. */
#include "daemon/search.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/fdinfo.h"
#include "daemon/app.h"
#include "daemon/homes.h"
#include "daemon/log.h"
#include "daemon/mounts.h"
#include "daemon/search-owners.h"
#include "scan/child.h"
#include "scan/process.h"
#include "scan/test-keys.h"
#include "search/channel.h"
#include "watch/reach.h"
#include "watch/watcher.h"

#define SECOND_NS	 1000000000ULL
#define CHILD_TIMEOUT_US 30000000ULL /* as in daemon/identify.c: processors may all be in use */
#define TRIES_MAX	 2 /* for a child that crashed or was too slow */
#define SOON_S		 5 /* after a start, a reload: others begin then, too */
#define SILENCE_S	 60 /* a child that says nothing for so long hangs */
#define RETRY_S		 600 /* after one that hung, or could not be had */
#define TREES_MAX	 8192

enum state { OFF, WAITING, SEARCHING, FAILED };

static const char *const states[] = {"off", "waiting", "searching", "failed"};

struct place {
	char *path;
	int mount;
};

#define BOUNDED_MAX 16 /* trees that are named */

/* Trees of which a search could not see all. */
struct bounded {
	char *paths[BOUNDED_MAX];
	size_t nr; /* all of them; the first ones are named */
};

struct search_watch {
	struct app *app;
	enum state state;
	struct scan_process child;
	int fd; /* -1: no child */
	sd_event_source *readable, *timeout;
	uint64_t said_s; /* its last sign of life; CLOCK_BOOTTIME, as all of these */
	bool continued; /* in this search: it had been stopped */
	uint64_t next_s; /* next search */
	uint64_t whole_s; /* the last one that read every directory was begun; 0 = none */
	bool whole, forget; /* the next, or this, search */
	struct place *places;
	size_t nr_places, at;
	struct search_counts so_far, last;
	struct bounded bounded, last_bounded; /* of this search, and the last */
	bool bounded_told;
	uint64_t begun_ns, ended_ns; /* CLOCK_REALTIME; 0 = never */
	uint64_t searches, keys, test_keys, failed, left_out, unread;
	uint64_t unread_now; /* in this search */
	struct search_owners *owners;
	uint64_t places_apart; /* not searched: they may not answer */
	/* A file that is being looked into: */
	struct scan_child *reader;
	sd_event_source *reader_readable, *reader_timeout;
	int file;
	uint32_t owner;
	unsigned tries;
	char path[PATH_MAX];
};

static uint64_t now_s(void)
{
	return app_boottime() / SECOND_NS;
}

static const struct discover_settings *settings(const struct search_watch *s)
{
	return &policy_settings(s->app->policy)->discover;
}

static bool is_wanted(const struct search_watch *s)
{
	return settings(s)->content && policy_find_class(s->app->policy, CLASS_FOUND_KEY);
}

/* --- the child's end -----------------------------------------------------------------------------
 */

static void reader_end(struct search_watch *s)
{
	s->reader_readable = sd_event_source_disable_unref(s->reader_readable);
	s->reader_timeout = sd_event_source_disable_unref(s->reader_timeout);
	scan_child_free(s->reader);
	s->reader = NULL;
}

static void file_end(struct search_watch *s)
{
	reader_end(s);
	s->file = fd_close(s->file);
}

static void places_free(struct search_watch *s)
{
	for (size_t i = 0; i < s->nr_places; i++)
		free(s->places[i].path);
	free(s->places);
	s->places = NULL;
	s->nr_places = s->at = 0;
}

static void bounded_free(struct bounded *bounded)
{
	for (size_t i = 0; i < BOUNDED_MAX; i++)
		free(bounded->paths[i]);
	*bounded = (struct bounded){.nr = 0};
}

static void child_end(struct search_watch *s)
{
	bounded_free(&s->bounded);
	file_end(s);
	s->readable = sd_event_source_disable_unref(s->readable);
	s->fd = fd_close(s->fd);
	/* Before its number can be another's. */
	if (s->child.pid)
		sensor_child_ended(s->app->sensor, MARKING_SLOT_SEARCH);
	scan_process_end(&s->child);
	s->forget = false; /* a new one remembers nothing */
	s->whole_s = 0;
	places_free(s);
}

static void child_failed(struct search_watch *s, const char *why)
{
	log_line(SD_WARNING, "the search for keys was broken off: %s; it begins anew in %d minutes",
		 why, RETRY_S / 60);
	s->failed++;
	child_end(s);
	s->state = FAILED;
	s->next_s = now_s() + RETRY_S;
}

static void say(struct search_watch *s, const struct search_message *message)
{
	/* It waits for each: there is room. */
	if (send(s->fd, message, sizeof(*message), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*message))
		kill(s->child.pid, SIGKILL); /* told by the end of its socket */
}

/* --- which trees ---------------------------------------------------------------------------------
 */

static bool is_below(const char *path, const char *tree)
{
	size_t len = strlen(tree);

	return !strcmp(tree, "/") ||
	       (!strncmp(path, tree, len) && (path[len] == '/' || !path[len]));
}

/* In the order in which they are added. */
static void add_place(struct search_watch *s, const char *path, int mount)
{
	struct place *places;

	for (size_t i = 0; i < s->nr_places; i++)
		if (s->places[i].mount == mount && is_below(path, s->places[i].path))
			return;
	if (s->nr_places == TREES_MAX) {
		s->left_out++;
		return;
	}
	places = reallocarray(s->places, s->nr_places + 1, sizeof(*places));
	if (!places)
		return;
	s->places = places;
	places[s->nr_places].mount = mount;
	places[s->nr_places].path = strdup(path);
	if (places[s->nr_places].path)
		s->nr_places++;
}

/* A service's home may be a directory of all: such are not anybody's. */
static bool is_somebodys(const char *home)
{
	static const char *const shared[] = {"/usr", "/bin",  "/sbin", "/lib",
					     "/dev", "/proc", "/sys"};
	static const char *const tops[] = {"/",	       "/var", "/var/lib", "/run", "/tmp",
					   "/var/tmp", "/etc", "/home",	   "/opt", "/srv"};

	for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
		if (is_below(home, shared[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		if (!strcmp(home, tops[i]))
			return false;
	return true;
}

static bool fd_answers(void *userdata, int fd)
{
	struct search_watch *s = userdata;

	return settings(s)->network || mounts_answers(s->app->mounts, fd);
}

static void add_tree(struct search_watch *s, const char *path, bool home)
{
	const struct reach reach = {fd_answers, s};
	_cleanup_close_ int fd = reach_path(&reach, path, true);
	char self[REACH_SELF_MAX], real[PATH_MAX];
	ssize_t n;

	s->places_apart += fd == -EREMOTE;
	if (fd < 0)
		return;
	/* By its own name, without links: it is opened again by that. */
	n = readlink(reach_self(fd, self), real, sizeof(real) - 1);
	if (n <= 0 || n >= (ssize_t)sizeof(real) - 1)
		return;
	real[n] = '\0';
	if (!home || is_somebodys(real))
		add_place(s, real, fdinfo_mount(fd));
}

struct below {
	struct search_watch *search;
	size_t nr_trees; /* of the places */
};

/* What is mounted in a tree is searched as a tree of its own, if it answers. */
static void add_mount(void *userdata, const char *path, int id, const char *type, bool answers)
{
	struct below *below = userdata;
	struct search_watch *s = below->search;
	bool inside = false;

	for (size_t i = 0; i < below->nr_trees && !inside; i++)
		inside = s->places[i].mount != id && is_below(path, s->places[i].path);
	if (!inside || mounts_type_is_pseudo(type))
		return;
	if (answers || (settings(s)->network && strcmp(type, "autofs") != 0))
		add_place(s, path, id);
	else
		s->places_apart++;
}

static void list_places(struct search_watch *s)
{
	struct below below = {.search = s};
	const char *const *list;
	size_t nr;

	places_free(s);
	s->places_apart = 0;
	list = policy_discover_trees(s->app->policy, &nr);
	for (size_t i = 0; i < nr; i++)
		add_tree(s, list[i], false);
	list = homes_list(s->app->homes, &nr);
	for (size_t i = 0; i < nr && settings(s)->homes; i++)
		add_tree(s, list[i], true);
	below.nr_trees = s->nr_places;
	mounts_each(s->app->mounts, add_mount, &below);
}

/* --- a file that begins as a key does
 * --------------------------------------------------------------
 */

static void answer(struct search_watch *s, int value)
{
	const struct search_message message = {.word = SEARCH_ANSWER, .value = value};

	file_end(s);
	s->said_s = now_s(); /* it could say nothing while it waited */
	say(s, &message);
}

static void tell_left_out(struct search_watch *s, int why)
{
	char text[512];

	if (why == -ENOSPC)
		snprintf(text, sizeof(text),
			 "as many keys are watched for what they are as may be (%d): keys of the "
			 "user with uid %u that were found are not watched",
			 WATCHER_FOUND_MAX, s->owner);
	else
		snprintf(text, sizeof(text),
			 "the user with uid %u has as many keys that are watched for what they are "
			 "as one may have (%d, and marks_quota): others of his are not watched",
			 s->owner, WATCHER_FOUND_OWNER_MAX);
	log_line(SD_WARNING, "%s", text);
	feed_health(s->app, HEALTH_DEGRADED, "found-keys", text);
}

/* The next whole search asks again. */
static void leave_out(struct search_watch *s, int why)
{
	s->left_out++;
	if (search_owners_left_out(s->owners, s->owner))
		tell_left_out(s, why);
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
	r = watcher_add_found(s->app->watcher, s->file, s->path);
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
	 * Not the file's fault for certain: whoever is nobody can kill the reader. It is asked
	 * about once more by each search that reads everything, which costs little.
	 */
	if (!s->unread_now++)
		log_line(
			SD_WARNING,
			"a file that begins as a key does could not be read: %s; it, and others of "
			"this search that cannot be read, are tried again within %u s",
			strerror(-r), settings(s)->again_s);
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

static void take_file(struct search_watch *s, const struct search_message *message)
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
	s->owner = st.st_uid;
	s->tries = 0;
	room = watcher_found_room(s->app->watcher, s->owner);
	if (room < 0)
		leave_out(s, room);
	else if (!search_owners_ask(s->owners, s->owner))
		answer(s, 1); /* the next search goes on */
	else if (start_reader(s) < 0)
		answer(s, 1);
}

/* --- a search
 * --------------------------------------------------------------------------------------
 */

static void send_place(struct search_watch *s)
{
	struct search_message message = {.word = SEARCH_END};

	if (s->at < s->nr_places) {
		message.word = SEARCH_TREE;
		message.value = s->places[s->at].mount;
		snprintf(message.path, sizeof(message.path), "%s", s->places[s->at].path);
		s->at++;
	}
	say(s, &message);
}

/* The child has done with the place that it was sent last. */
static void note_bounded(struct search_watch *s)
{
	if (s->bounded.nr < BOUNDED_MAX && s->at)
		s->bounded.paths[s->bounded.nr] = strdup(s->places[s->at - 1].path);
	s->bounded.nr++;
}

/* Once, and once when it is over: that only one which reads everything can tell. */
static void tell_bounded(struct search_watch *s)
{
	const char *path = s->last_bounded.paths[0];
	char name[512] = "a tree", text[1024];

	if (s->last_bounded.nr && !s->bounded_told) {
		if (path)
			escape_bytes(path, strlen(path), name, sizeof(name), NULL);
		snprintf(
			text, sizeof(text),
			"%s has more names or directories than the search for keys looks through "
			"(discover.max_names %u): a key beyond is not found by what it is. Trees so "
			"cut short: %zu; `keytrail status --json` lists them",
			name, settings(s)->max_names, s->last_bounded.nr);
		log_line(SD_WARNING, "%s", text);
		feed_health(s->app, HEALTH_DEGRADED, "search-bounds", text);
		s->bounded_told = true;
	} else if (!s->last_bounded.nr && s->bounded_told && s->whole) {
		static const char over[] = "the search for keys sees all of each tree again";

		log_line(SD_NOTICE, "%s", over);
		feed_health(s->app, HEALTH_OK, "search-bounds", over);
		s->bounded_told = false;
	}
}

static void done(struct search_watch *s, const struct search_counts *counts)
{
	bounded_free(&s->last_bounded);
	s->last_bounded = s->bounded;
	s->bounded = (struct bounded){.nr = 0};
	tell_bounded(s);
	if (s->whole && search_owners_over(s->owners)) {
		static const char over[] = "all keys that were found are watched again";

		log_line(SD_NOTICE, "%s", over);
		feed_health(s->app, HEALTH_OK, "found-keys", over);
	}
	s->state = WAITING;
	s->last = s->so_far = *counts;
	s->ended_ns = app_realtime();
	s->searches++;
	s->next_s = now_s() + (s->forget ? SOON_S : settings(s)->look_s);
	places_free(s);
}

static void take(struct search_watch *s, const struct search_message *message)
{
	switch (message->word) {
	case SEARCH_FILE:
		if (!s->reader && s->file < 0)
			take_file(s, message);
		return;
	case SEARCH_COUNTS:
		if (!message->value)
			s->so_far = message->counts;
		return;
	case SEARCH_NEXT:
		if (message->value)
			note_bounded(s);
		send_place(s);
		return;
	case SEARCH_DONE:
		if (s->state == SEARCHING)
			done(s, &message->counts);
		return;
	default:
		kill(s->child.pid, SIGKILL);
	}
}

/* Its end of the socket is closed: what of? */
static void child_ended(struct search_watch *s)
{
	int status;
	char why[96];

	/* Before its number can be another's. */
	sensor_child_ended(s->app->sensor, MARKING_SLOT_SEARCH);
	status = scan_process_wait(&s->child);
	if (status >= 0 && WIFSIGNALED(status))
		snprintf(why, sizeof(why), "the child that searches was killed by signal %d",
			 WTERMSIG(status));
	else if (status >= 0 && WIFEXITED(status))
		snprintf(why, sizeof(why), "the child that searches has ended with status %d",
			 WEXITSTATUS(status));
	else
		snprintf(why, sizeof(why), "the child that searches does not end");
	child_failed(s, why);
}

static int on_child(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct search_watch *s = userdata;
	struct search_message message;
	ssize_t n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != sizeof(message)) {
		child_ended(s);
		return 0;
	}
	message.path[sizeof(message.path) - 1] = '\0';
	s->said_s = now_s();
	take(s, &message);
	return 0;
}

static int start_child(struct search_watch *s)
{
	char *argv[] = {(char *)"keytrail-search", (char *)"serve", NULL};
	_cleanup_close_ int theirs = -1;
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	s->fd = ends[0];
	theirs = ends[1];
	r = scan_process_spawn(SEARCH_PROGRAM, argv,
			       (const int[SCAN_PROCESS_FDS]){theirs, -1, -1, -1}, &s->child);
	if (r < 0)
		return r;
	/* It opens nothing before it is told where. */
	sensor_lend_child(s->app->sensor, MARKING_SLOT_SEARCH, s->child.pid);
	return sd_event_add_io(s->app->loop, &s->readable, s->fd, EPOLLIN, on_child, s);
}

static void begin(struct search_watch *s)
{
	const struct discover_settings *set = settings(s);
	struct search_message message = {
		.word = SEARCH_BEGIN,
		.limits =
			{
				.names_per_s = set->names_per_s,
				.files_per_s = set->files_per_s,
				.max_size = set->max_size_kib * 1024,
				.max_names = set->max_names,
			},
	};
	int r = s->fd < 0 ? start_child(s) : 0;

	if (r < 0) {
		child_failed(s, strerror(-r));
		return;
	}
	s->whole = s->forget || !s->whole_s || now_s() >= s->whole_s + set->again_s;
	if (s->whole)
		s->whole_s = now_s();
	message.value = (s->whole ? SEARCH_WHOLE : 0) | (s->forget ? SEARCH_FORGET : 0);
	search_owners_begin(s->owners, s->whole);
	s->unread_now = 0;
	s->forget = false;
	s->so_far = (struct search_counts){0};
	bounded_free(&s->bounded);
	s->begun_ns = app_realtime();
	s->said_s = now_s();
	s->continued = false;
	s->state = SEARCHING;
	list_places(s);
	say(s, &message);
	send_place(s);
}

/* Whoever has its user's rights can do that, and it is no fault of a file system. Once. */
static void child_stopped(struct search_watch *s)
{
	if (s->continued) {
		child_failed(s, "somebody has stopped the child that searches, twice");
		return;
	}
	log_line(SD_WARNING, "somebody has stopped the child that searches (SIGSTOP, as nobody or "
			     "root); it is to go on");
	s->continued = true;
	s->said_s = now_s();
	scan_process_continue(&s->child);
}

void search_watch_second(struct search_watch *s)
{
	if (s->state == SEARCHING && scan_process_stopped(&s->child))
		child_stopped(s);
	else if (s->state == SEARCHING && !s->reader && now_s() >= s->said_s + SILENCE_S)
		child_failed(s, "a file system does not answer");
	else if ((s->state == WAITING || s->state == FAILED) && now_s() >= s->next_s)
		begin(s);
}

void search_watch_soon(struct search_watch *s)
{
	if (s->state == WAITING && s->next_s > now_s() + SOON_S)
		s->next_s = now_s() + SOON_S;
}

/* There is nothing to be degraded any more. */
static void tell_off(struct search_watch *s)
{
	static const char off[] = "the search for keys by what they are was switched off";

	if (s->bounded_told)
		feed_health(s->app, HEALTH_OK, "search-bounds", off);
	s->bounded_told = false;
	search_owners_begin(s->owners, true);
	if (search_owners_over(s->owners))
		feed_health(s->app, HEALTH_OK, "found-keys", off);
}

void search_watch_policy(struct search_watch *s)
{
	const uint32_t watch = policy_find_class(s->app->policy, CLASS_FOUND_KEY);

	/* Before the set is put in force. */
	watcher_set_found_watch(s->app->watcher, is_wanted(s) ? watch : 0);
	if (!is_wanted(s)) {
		child_end(s);
		s->state = OFF;
		tell_off(s);
		return;
	}
	/* What was watched by its name may be so no longer. */
	s->forget = true;
	if (s->state != SEARCHING) {
		s->state = WAITING;
		s->next_s = now_s() + SOON_S;
	}
}

int search_watch_new(struct app *app, struct search_watch **out_search)
{
	struct search_watch *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (search_owners_new(&s->owners) < 0) {
		free(s);
		return -ENOMEM;
	}
	s->app = app;
	s->fd = s->file = -1;
	s->child.pidfd = -1;
	*out_search = s;
	return 0;
}

void search_watch_free(struct search_watch *s)
{
	if (!s)
		return;
	child_end(s);
	bounded_free(&s->last_bounded);
	search_owners_free(s->owners);
	free(s);
}

bool search_watch_is(const struct search_watch *s, const struct subject *subject)
{
	return s && s->child.pid && subject->id.tgid == (uint32_t)s->child.pid;
}

static json_t *counts_json(const struct search_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "names", (json_int_t)counts->names,
			 "directories", (json_int_t)counts->dirs, "opened",
			 (json_int_t)counts->opened, "asked", (json_int_t)counts->asked,
			 "unreadable", (json_int_t)counts->unreadable, "mounts",
			 (json_int_t)counts->mounts, "bounded", (int)counts->bounded);
}

static json_t *bounded_json(const struct search_watch *s)
{
	json_t *list = json_array();
	char name[512];

	for (size_t i = 0; i < BOUNDED_MAX && s->last_bounded.paths[i]; i++) {
		const char *path = s->last_bounded.paths[i];

		escape_bytes(path, strlen(path), name, sizeof(name), NULL);
		json_array_append_new(list, json_string(name));
	}
	return list;
}

json_t *search_json(const struct search_watch *s)
{
	struct watcher_stats watched;
	json_t *json;

	watcher_stats(s->app->watcher, &watched);
	json = json_pack("{s:s, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state",
			 states[s->state], "whole", (int)s->whole, "now", counts_json(&s->so_far),
			 "last", counts_json(&s->last), "searches", (json_int_t)s->searches,
			 "trees", (json_int_t)s->nr_places, "tree", (json_int_t)s->at, "watched",
			 (json_int_t)watched.found, "test_keys", (json_int_t)s->test_keys,
			 "left_out", (json_int_t)s->left_out, "apart", (json_int_t)s->places_apart,
			 "failed", (json_int_t)s->failed);
	if (json) {
		json_object_set_new(json, "bounded_trees", bounded_json(s));
		json_object_set_new(json, "unread", json_integer((json_int_t)s->unread));
	}
	if (json && s->begun_ns)
		json_object_set_new(json, "begun", json_real((double)s->begun_ns / 1e9));
	if (json && s->ended_ns)
		json_object_set_new(json, "ended", json_real((double)s->ended_ns / 1e9));
	if (json && (s->state == WAITING || s->state == FAILED))
		json_object_set_new(json, "next_in_s",
				    json_integer(s->next_s > now_s()
							 ? (json_int_t)(s->next_s - now_s())
							 : 0));
	return json;
}
