// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose homes `~` stands for, and what users are called. */
#include "daemon/homes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/usertab.h"

#ifndef PASSWD /* its test has one of its own */
#define PASSWD "/etc/passwd"
#endif

/* What the look-up thread answers: one write() of a pipe, so never torn. */
struct answer {
	uint32_t uid;
	enum usertab_answer answer;
	char name[64];
	char home[1024];
};
_Static_assert(sizeof(struct answer) <= 4096, "an answer must fit PIPE_BUF");

struct homes {
	const struct homes_ops *ops;
	void *userdata;
	struct usertab *users;
	char **list;
	size_t nr;
	sd_event_source *answers;
	struct stat passwd; /* the file as it was read */
	int questions_fd, answers_fd; /* ends of this side */
	int thread_questions, thread_answers;
	pthread_t thread;
	bool has_thread;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* asked for with each exec */
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool is_home(const char *home)
{
	static const char *const never[] = {"/", "/nonexistent", "/dev/null", "/proc", "/dev"};

	if (home[0] != '/' || strstr(home, "/../") || strlen(home) >= 1024)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(home, never[i]))
			return false;
	return true;
}

/* True if the list grew. */
static bool add_home(struct homes *h, const char *home)
{
	size_t len = strlen(home);
	char **list, *copy;

	while (len > 1 && home[len - 1] == '/')
		len--;
	if (!is_home(home))
		return false;
	for (size_t i = 0; i < h->nr; i++)
		if (!strncmp(h->list[i], home, len) && !h->list[i][len])
			return false;
	copy = strndup(home, len);
	list = copy ? reallocarray(h->list, h->nr + 1, sizeof(*list)) : NULL;
	if (!list) {
		free(copy);
		return false;
	}
	h->list = list;
	list[h->nr++] = copy;
	return true;
}

static void on_gone(void *userdata, uint32_t uid)
{
	struct homes *h = userdata;

	h->ops->user(h->userdata, uid, "");
}

/* The file itself, not NSS: this never waits for a network. */
static bool read_passwd(struct homes *h)
{
	_cleanup_fclose_ FILE *f = fopen(PASSWD, "re");
	bool grew = false;

	/* Of what is read, not of what stands there when it has been. */
	if (!f || fstat(fileno(f), &h->passwd) < 0)
		h->passwd = (struct stat){};
	usertab_begin(h->users);
	for (struct passwd *pw; f && (pw = fgetpwent(f));) {
		if (add_home(h, pw->pw_dir))
			grew = true;
		if (usertab_listed(h->users, pw->pw_uid, pw->pw_name))
			h->ops->user(h->userdata, pw->pw_uid, pw->pw_name);
	}
	if (f)
		usertab_end(h->users, on_gone, h);
	return grew;
}

/* A full pipe means that a thousand questions wait: this one is asked when it is due again. */
static bool ask(struct homes *h, uint32_t uid)
{
	if (write(h->questions_fd, &uid, sizeof(uid)) == sizeof(uid))
		return true;
	usertab_not_asked(h->users, uid);
	return false;
}

void homes_look(struct homes *h)
{
	const uint64_t now_is = now_ns();
	struct stat now;
	uint32_t uid;

	while (usertab_due(h->users, now_is, &uid))
		if (!ask(h, uid))
			break;
	if (stat(PASSWD, &now) < 0)
		return;
	/* It is replaced by rename, or written in place. */
	if (now.st_ino == h->passwd.st_ino && now.st_dev == h->passwd.st_dev &&
	    now.st_size == h->passwd.st_size &&
	    !memcmp(&now.st_mtim, &h->passwd.st_mtim, sizeof(now.st_mtim)) &&
	    !memcmp(&now.st_ctim, &h->passwd.st_ctim, sizeof(now.st_ctim)))
		return;
	if (read_passwd(h))
		h->ops->changed(h->userdata);
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct homes *h = userdata;
	bool grew = false;
	struct answer a;

	while (read(fd, &a, sizeof(a)) == sizeof(a)) {
		if (usertab_answered(h->users, a.uid, a.answer, a.name, now_ns()))
			h->ops->user(h->userdata, a.uid, a.name);
		if (a.answer == USER_FOUND && add_home(h, a.home))
			grew = true;
	}
	if (grew)
		h->ops->changed(h->userdata);
	return 0;
}

/* Ends when the daemon closes its end of the pipe. Touches nothing but its two descriptors. */
static void *look_up(void *arg)
{
	const struct homes *h = arg;
	uint32_t uid;

	while (read(h->thread_questions, &uid, sizeof(uid)) == sizeof(uid)) {
		struct answer a = {.uid = uid, .answer = USER_ABSENT};
		struct passwd pw, *found = NULL;
		char buf[16384];
		int r = getpwuid_r(uid, &pw, buf, sizeof(buf), &found);

		/* The two are how some services put "no such user" (getpwuid(3)). */
		if (r && r != ENOENT && r != ESRCH)
			a.answer = USER_FAILED;
		if (!r && found && strlen(pw.pw_name) < sizeof(a.name) &&
		    strlen(pw.pw_dir) < sizeof(a.home)) {
			a.answer = USER_FOUND;
			memcpy(a.name, pw.pw_name, strlen(pw.pw_name) + 1);
			memcpy(a.home, pw.pw_dir, strlen(pw.pw_dir) + 1);
		}
		if (write(h->thread_answers, &a, sizeof(a)) != sizeof(a))
			break;
	}
	return NULL;
}

static int start_thread(struct homes *h)
{
	int q[2], a[2];
	int r;

	if (pipe2(q, O_CLOEXEC) < 0)
		return -errno;
	h->thread_questions = q[0];
	h->questions_fd = q[1];
	if (pipe2(a, O_CLOEXEC) < 0)
		return -errno;
	h->answers_fd = a[0];
	h->thread_answers = a[1];
	if (fcntl(h->questions_fd, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(h->answers_fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = pthread_create(&h->thread, NULL, look_up, h);
	h->has_thread = !r;
	return -r;
}

int homes_new(sd_event *loop, const struct homes_ops *ops, void *userdata, struct homes **out_homes)
{
	struct homes *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->ops = ops;
	h->userdata = userdata;
	h->questions_fd = h->answers_fd = h->thread_questions = h->thread_answers = -1;
	h->users = usertab_new();
	r = h->users ? start_thread(h) : -ENOMEM;
	if (!r)
		read_passwd(h);
	if (!r)
		r = sd_event_add_io(loop, &h->answers, h->answers_fd, EPOLLIN, on_answer, h);
	if (r < 0) {
		homes_free(h);
		return r;
	}
	*out_homes = h;
	return 0;
}

void homes_free(struct homes *h)
{
	if (!h)
		return;
	sd_event_source_unref(h->answers);
	h->questions_fd = fd_close(h->questions_fd);
	h->answers_fd = fd_close(h->answers_fd);
	if (h->has_thread) {
		struct timespec until;

		/* A name service that does not answer must not hold up our end; nor may the thread
		 * be left with what it uses gone. */
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		if (pthread_timedjoin_np(h->thread, NULL, &until))
			return;
	}
	fd_close(h->thread_questions);
	fd_close(h->thread_answers);
	usertab_free(h->users);
	for (size_t i = 0; i < h->nr; i++)
		free(h->list[i]);
	free(h->list);
	free(h);
}

void homes_seen(struct homes *h, uint32_t uid)
{
	if (uid != (uint32_t)-1 && usertab_seen(h->users, uid, now_ns()))
		ask(h, uid);
}

const char *const *homes_list(const struct homes *h, size_t *out_nr)
{
	*out_nr = h->nr;
	return (const char *const *)h->list;
}
