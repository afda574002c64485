// SPDX-License-Identifier: GPL-2.0-or-later
/* The search for private keys: its child, and when it searches. */
#include "daemon/search-internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/app.h"
#include "daemon/log.h"
#include "daemon/search-owners.h"
#include "watch/watcher.h"

#define SECOND_NS 1000000000ULL
#define SOON_S	  5 /* after a start, a reload: others begin then, too */
#define SILENCE_S 60 /* a child that says nothing for so long hangs */
#define RETRY_S	  600 /* after one that hung, or could not be had */

uint64_t search_now_s(void)
{
	return app_boottime() / SECOND_NS;
}

const struct discover_settings *search_settings(const struct search_watch *s)
{
	return &policy_settings(s->app->policy)->discover;
}

static bool is_wanted(const struct search_watch *s)
{
	return search_settings(s)->content && policy_find_class(s->app->policy, CLASS_FOUND_KEY);
}

/* --- the child's end -----------------------------------------------------------------------------
 */

static void child_end(struct search_watch *s)
{
	search_bounded_free(&s->bounded);
	search_file_end(s);
	s->readable = sd_event_source_disable_unref(s->readable);
	s->fd = fd_close(s->fd);
	/* Before its number can be another's. */
	if (s->child.pid)
		sensor_child_ended(s->app->sensor, MARKING_SLOT_SEARCH);
	scan_process_end(&s->child);
	s->forget = false; /* a new one remembers nothing */
	s->whole_s = 0;
	search_places_free(s);
}

static void child_failed(struct search_watch *s, const char *why)
{
	s->failed++;
	search_tell_broken(s, why, RETRY_S);
	child_end(s);
	s->state = SEARCH_IS_BROKEN;
	s->next_s = search_now_s() + RETRY_S;
}

void search_say(struct search_watch *s, const struct search_message *message)
{
	/* It waits for each: there is room. */
	if (send(s->fd, message, sizeof(*message), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*message))
		kill(s->child.pid, SIGKILL); /* told by the end of its socket */
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
	search_say(s, &message);
}

static void done(struct search_watch *s, const struct search_counts *counts)
{
	search_bounded_free(&s->last_bounded);
	s->last_bounded = s->bounded;
	s->bounded = (struct search_bounded){.nr = 0};
	search_tell_bounded(s);
	search_tell_done(s);
	s->state = SEARCH_IS_WAITING;
	s->last = s->so_far = *counts;
	s->ended_ns = app_realtime();
	s->searches++;
	s->next_s = search_now_s() + (s->forget ? SOON_S : search_settings(s)->look_s);
	search_places_free(s);
}

static void take(struct search_watch *s, const struct search_message *message)
{
	switch (message->word) {
	case SEARCH_FILE:
		if (!s->reader && s->file < 0)
			search_file_take(s, message);
		return;
	case SEARCH_COUNTS:
		if (!message->value)
			s->so_far = message->counts;
		return;
	case SEARCH_NEXT:
		if (message->value)
			search_note_bounded(s);
		send_place(s);
		return;
	case SEARCH_DONE:
		if (s->state == SEARCH_IS_UNDER_WAY)
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
	s->said_s = search_now_s();
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
	const struct discover_settings *set = search_settings(s);
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
	s->whole = s->forget || !s->whole_s || search_now_s() >= s->whole_s + set->again_s;
	if (s->whole)
		s->whole_s = search_now_s();
	message.value = (s->whole ? SEARCH_WHOLE : 0) | (s->forget ? SEARCH_FORGET : 0);
	search_owners_begin(s->owners, s->whole);
	s->unread_now = 0;
	s->forget = false;
	s->so_far = (struct search_counts){0};
	search_bounded_free(&s->bounded);
	s->begun_ns = app_realtime();
	s->said_s = search_now_s();
	s->continued = false;
	s->state = SEARCH_IS_UNDER_WAY;
	search_places_list(s);
	search_say(s, &message);
	send_place(s);
}

/* Whoever has its user's rights can do that, and it is no fault of a file system. Once. */
static void child_stopped(struct search_watch *s)
{
	if (s->continued) {
		child_failed(s, "somebody has stopped the child that searches, twice");
		return;
	}
	log_line(SD_WARNING, "somebody has stopped the child that searches (SIGSTOP, as root or "
			     "as the user it runs as); it is to go on");
	s->continued = true;
	s->said_s = search_now_s();
	scan_process_continue(&s->child);
}

void search_watch_second(struct search_watch *s)
{
	if (s->state == SEARCH_IS_UNDER_WAY && scan_process_stopped(&s->child))
		child_stopped(s);
	else if (s->state == SEARCH_IS_UNDER_WAY && !s->reader &&
		 search_now_s() >= s->said_s + SILENCE_S)
		child_failed(s, "a file system does not answer");
	else if ((s->state == SEARCH_IS_WAITING || s->state == SEARCH_IS_BROKEN) &&
		 search_now_s() >= s->next_s)
		begin(s);
}

void search_watch_soon(struct search_watch *s)
{
	if (s->state == SEARCH_IS_WAITING && s->next_s > search_now_s() + SOON_S)
		s->next_s = search_now_s() + SOON_S;
}

void search_watch_policy(struct search_watch *s)
{
	const uint32_t watch = policy_find_class(s->app->policy, CLASS_FOUND_KEY);

	/* Before the set is put in force. */
	watcher_set_found_watch(s->app->watcher, is_wanted(s) ? watch : 0);
	if (!is_wanted(s)) {
		child_end(s);
		s->state = SEARCH_IS_OFF;
		search_tell_off(s);
		return;
	}
	/* What was watched by its name may be so no longer. */
	s->forget = true;
	if (s->state != SEARCH_IS_UNDER_WAY) {
		s->state = SEARCH_IS_WAITING;
		s->next_s = search_now_s() + SOON_S;
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
	search_bounded_free(&s->last_bounded);
	search_owners_free(s->owners);
	free(s);
}

bool search_watch_is(const struct search_watch *s, const struct subject *subject)
{
	return s && s->child.pid && subject->id.tgid == (uint32_t)s->child.pid;
}
