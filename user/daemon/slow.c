// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks file systems that may not answer by children, and gives up those that do not. */
#include "daemon/slow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "sensor/sensor.h"
#include "watch/watcher.h"

#define PLACES_MAX  4096
#define SILENCE_S   20 /* a child that says nothing for so long is taken to hang */
#define INTERVAL_S  5 /* between two walks of one place */
#define RETRY_S	    60 /* of a place that did not answer */
#define PARTLY_S    600 /* of one of which not all could be looked at */
#define REAP_US	    20000ULL
#define FINDS_MAX   256 /* taken over at a time: the loop has more to do */
#define EXIT_PARTLY 1

struct place {
	struct slow *owner;
	enum slow_state state;
	bool again; /* wanted once more while it is walked */
	bool stale; /* not wanted by the set in force */
	uint64_t begun_s, said_s; /* its last walk: begin, and sign of life; CLOCK_MONOTONIC */
	/* Of a child, which may outlive its walk (pid 0: none) */
	pid_t pid;
	unsigned slot;
	int fd; /* its finds; -1: nobody listens any more */
	uint32_t number; /* watcher_apart_number() */
	sd_event_source *readable; /* NULL: it has said all */
	UT_hash_handle hh;
	char path[];
};

struct slow {
	sd_event *loop;
	struct watcher *watcher;
	const struct slow_ops *ops;
	void *userdata;
	struct place *places; /* hash by path */
	bool used[MARKING_SLOT_SEARCH]; /* 0 is the daemon's own */
	bool held; /* between slow_begin() and slow_end() */
	bool told; /* that one is silent */
	uint64_t left_out;
	sd_event_source *reap; /* soon after a child has said all */
};

static uint64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

const char *slow_state_str(enum slow_state state)
{
	static const char *const words[SLOW_STATE_NR] = {"waiting", "walking", "seen", "partly",
							 "silent"};

	return state < SLOW_STATE_NR ? words[state] : "?";
}

static int on_reap(sd_event_source *source, uint64_t usec, void *userdata);

int slow_new(sd_event *loop, struct watcher *watcher, const struct slow_ops *ops, void *userdata,
	     struct slow **out_slow)
{
	struct slow *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = sd_event_add_time_relative(loop, &s->reap, CLOCK_MONOTONIC, 0, 0, on_reap, s);
	if (r >= 0)
		r = sd_event_source_set_enabled(s->reap, SD_EVENT_OFF);
	if (r < 0) {
		sd_event_source_unref(s->reap);
		free(s);
		return r;
	}
	s->loop = loop;
	s->watcher = watcher;
	s->ops = ops;
	s->userdata = userdata;
	s->used[0] = true;
	*out_slow = s;
	return 0;
}

/* Nobody listens any more; the child goes when the kernel lets it. */
static void give_up(struct place *place)
{
	place->readable = sd_event_source_disable_unref(place->readable);
	place->fd = fd_close(place->fd);
	if (place->pid)
		kill(place->pid, SIGKILL);
}

static void place_free(struct place *place)
{
	HASH_DEL(place->owner->places, place);
	free(place);
}

void slow_free(struct slow *s)
{
	struct place *place, *tmp;

	if (!s)
		return;
	HASH_ITER(hh, s->places, place, tmp)
	{
		give_up(place);
		if (place->pid)
			waitpid(place->pid, NULL, WNOHANG);
		place_free(place);
	}
	sd_event_source_disable_unref(s->reap);
	free(s);
}

static void tell_silence(struct slow *s)
{
	const struct place *silent = NULL;

	for (const struct place *place = s->places; place && !silent; place = place->hh.next)
		if (place->state == SLOW_SILENT && !place->stale)
			silent = place;
	if (!silent == !s->told)
		return;
	s->told = silent;
	s->ops->silent(s->userdata, silent ? silent->path : NULL);
}

/* --- the child -------------------------------------------------------------------------------- */

struct child {
	int fd;
};

static void child_find(void *userdata, const struct watcher_find *find)
{
	const struct child *child = userdata;

	/* Shorter than PIPE_BUF: whole or not at all. */
	if (write(child->fd, find, sizeof(*find)) != sizeof(*find))
		_exit(EXIT_PARTLY);
}

_Static_assert(sizeof(struct watcher_find) <= 4096, "a find must fit PIPE_BUF");

/*
 * Has nothing of the daemon's open but the pipe: if it hangs, and the daemon ends, it must keep
 * neither the probes nor the daemon's locks. What it uses is its copy of the memory (glibc keeps
 * malloc usable after a fork() in a program with threads), and its slot.
 */
__attribute__((noreturn)) static void child_run(struct slow *s, const char *path, unsigned slot,
						int fd)
{
	struct child child = {.fd = 3};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fd != child.fd && dup2(fd, child.fd) < 0)
		_exit(EXIT_PARTLY);
	closefrom(child.fd + 1);
	s->ops->enter(s->userdata, slot);
	_exit(watcher_walk_apart(s->watcher, path, child_find, &child) ? 0 : EXIT_PARTLY);
}

/* --- its parent ------------------------------------------------------------------------------- */

/* Takes over what the child has said. 0: no more for now; 1: there may be; negative: its end. */
static int take(struct place *place)
{
	for (unsigned i = 0; i < FINDS_MAX; i++) {
		struct watcher_find find;
		ssize_t n = read(place->fd, &find, sizeof(find));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n != sizeof(find))
			return -EPIPE;
		find.name[sizeof(find.name) - 1] = '\0';
		place->said_s = now_s();
		watcher_take(place->owner->watcher, &find);
	}
	return 1;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct place *place = userdata;

	if (take(place) >= 0)
		return 0;
	place->readable = sd_event_source_disable_unref(place->readable);
	/* What it has open on that file system it closes after the pipe: not waited for here. */
	sd_event_source_set_time_relative(place->owner->reap, REAP_US);
	return sd_event_source_set_enabled(place->owner->reap, SD_EVENT_ONESHOT);
}

static void run(struct slow *s);

/* Called before its number can be given again. Frees what is not wanted any more. */
static void child_ended(struct place *place, const siginfo_t *info)
{
	struct slow *s = place->owner;

	s->ops->ended(s->userdata, place->slot);
	s->used[place->slot] = false;
	waitpid(place->pid, NULL, WNOHANG);
	place->pid = 0;
	if (place->fd >= 0) {
		while (take(place) > 0)
			;
		place->state = SLOW_PARTLY;
		if (info->si_code == CLD_EXITED && !info->si_status) {
			place->state = SLOW_SEEN;
			watcher_seen_apart(s->watcher, place->path, place->number);
		}
		give_up(place);
	}
	if (place->stale) {
		place_free(place);
	} else if (place->again && place->state != SLOW_SILENT) {
		place->again = false;
		place->state = SLOW_WAITING;
	}
}

/* At most a handful has a child. */
static void reap(struct slow *s)
{
	struct place *place, *tmp;

	HASH_ITER(hh, s->places, place, tmp)
	{
		siginfo_t info = {};

		if (place->pid &&
		    waitid(P_PID, (id_t)place->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == place->pid)
			child_ended(place, &info);
	}
	tell_silence(s);
	run(s);
}

static int on_reap(sd_event_source *source, uint64_t usec, void *userdata)
{
	reap(userdata);
	return 0;
}

static int start(struct slow *s, struct place *place, unsigned slot)
{
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	watcher_begin_apart(s->watcher);
	place->pid = fork();
	if (place->pid == 0)
		child_run(s, place->path, slot, pipes[1]);
	fd_close(pipes[1]);
	if (place->pid < 0) {
		r = -errno;
		place->pid = 0;
		fd_close(pipes[0]);
		return r;
	}
	s->used[slot] = true;
	place->slot = slot;
	place->fd = pipes[0];
	place->number = watcher_apart_number(s->watcher);
	place->state = SLOW_WALKING;
	place->begun_s = place->said_s = now_s();
	r = fcntl(place->fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
	if (!r)
		r = sd_event_add_io(s->loop, &place->readable, place->fd, EPOLLIN, on_readable,
				    place);
	if (r < 0) {
		give_up(place);
		place->state = SLOW_WAITING; /* it is ours, not the file system's */
	}
	return r < 0 ? r : 0;
}

static bool is_due(const struct place *place, uint64_t now)
{
	if (place->pid || place->stale)
		return false;
	if (place->state == SLOW_SILENT)
		return now >= place->begun_s + RETRY_S;
	if (place->state == SLOW_PARTLY)
		return now >= place->begun_s + PARTLY_S;
	return place->state == SLOW_WAITING &&
	       (!place->begun_s || now >= place->begun_s + INTERVAL_S);
}

/* Starts what is due, as far as there are slots. */
static void run(struct slow *s)
{
	uint64_t now = now_s();
	unsigned slot = 1;

	for (struct place *place = s->places; place && !s->held; place = place->hh.next) {
		if (!is_due(place, now))
			continue;
		while (slot < MARKING_SLOT_SEARCH && s->used[slot])
			slot++;
		if (slot == MARKING_SLOT_SEARCH || start(s, place, slot) < 0)
			return;
	}
}

void slow_second(struct slow *s)
{
	uint64_t now = now_s();

	for (struct place *place = s->places; place; place = place->hh.next) {
		/* Also one that was ended for another set, and does not go. */
		if (place->state != SLOW_WALKING && !(place->state == SLOW_WAITING && place->pid))
			continue;
		/* What it has said may wait to be read. */
		if (now >= place->said_s + SILENCE_S && place->readable)
			take(place);
		if (now < place->said_s + SILENCE_S)
			continue;
		place->state = SLOW_SILENT;
		place->begun_s = now;
		give_up(place);
	}
	reap(s);
}

/* The place of this path, or the nearest that it is in. */
static struct place *find(struct slow *s, const char *path)
{
	struct place *place = NULL;
	size_t len = strlen(path);

	while (len > 0 && !place) {
		HASH_FIND(hh, s->places, path, len, place);
		while (len > 0 && path[--len] != '/')
			;
	}
	return place;
}

bool slow_add(struct slow *s, const char *path)
{
	struct place *place = find(s, path);
	size_t len = strlen(path);

	if (!place && HASH_COUNT(s->places) < PLACES_MAX)
		place = calloc(1, sizeof(*place) + len + 1);
	if (!place) {
		s->left_out++;
		return false;
	}
	if (!place->owner) {
		place->owner = s;
		place->fd = -1;
		memcpy(place->path, path, len + 1);
		HASH_ADD_KEYPTR(hh, s->places, place->path, len, place);
	}
	place->stale = false;
	if (place->state == SLOW_WALKING)
		place->again = true;
	else if (place->state != SLOW_SILENT)
		place->state = SLOW_WAITING;
	run(s);
	return true;
}

void slow_begin(struct slow *s)
{
	s->held = true;
	for (struct place *place = s->places; place; place = place->hh.next) {
		place->stale = true;
		/* What it would say is of the old set. */
		if (place->state == SLOW_WALKING) {
			give_up(place);
			place->state = SLOW_WAITING;
		}
		if (place->state != SLOW_SILENT)
			place->begun_s = 0;
	}
}

void slow_end(struct slow *s)
{
	struct place *place, *tmp;

	s->held = false;
	HASH_ITER(hh, s->places, place, tmp)
	{
		if (place->stale && !place->pid)
			place_free(place);
	}
	tell_silence(s);
	run(s);
}

void slow_each(const struct slow *s, void (*call)(void *userdata, const struct slow_place *place),
	       void *userdata)
{
	for (const struct place *place = s->places; place; place = place->hh.next) {
		const struct slow_place view = {place->path, place->state};

		if (!place->stale)
			call(userdata, &view);
	}
}

uint64_t slow_left_out(const struct slow *s)
{
	return s->left_out;
}
