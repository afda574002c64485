// SPDX-License-Identifier: GPL-2.0-or-later
/* Asks keytrail-rpm, and believes what it can check. */
#include "trust/rpm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "trust/rpm-answer.h"

#define READER	KT_LIBEXECDIR "/keytrail-rpm"
#define FD_FREE 10 /* descriptors below may be in the way of the child's 0 to 2 */
#define GONE_MS 1000 /* for a killed child to go */

const char *rpm_state_str(enum rpm_state state)
{
	static const char *const words[RPM_STATE_NR] = {
		[RPM_NONE] = "none",
		[RPM_READ] = "read",
		[RPM_NO_READER] = "no-reader",
	};

	return state < RPM_STATE_NR ? words[state] : "?";
}

static const char *program_of(const struct rpm_reader *reader)
{
	return reader && reader->program ? reader->program : READER;
}

/*
 * As rpm calls the formats that there are; which one it is shows by its file. Releases before 4.16
 * know Berkeley DB only, and look at no such name.
 */
static const char *const databases[][2] = {
	{"rpmdb.sqlite", "sqlite"},
	{"Packages.db", "ndb"},
	{"Packages", "bdb_ro"},
};

/* The directory of the database, or NULL. */
static const char *find_database(const struct rpm_reader *reader, const char **out_backend)
{
	static const char *const usual[] = RPM_DIRS;
	const char *const *dirs = reader && reader->dirs ? reader->dirs : usual;

	for (; *dirs; dirs++) {
		_cleanup_close_ int dir = open(*dirs, O_PATH | O_DIRECTORY | O_CLOEXEC);

		for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(databases); i++) {
			if (faccessat(dir, databases[i][0], F_OK, 0) < 0)
				continue;
			*out_backend = databases[i][1];
			return *dirs;
		}
	}
	return NULL;
}

enum rpm_state rpm_state(const struct rpm_reader *reader)
{
	const char *backend;

	if (!find_database(reader, &backend))
		return RPM_NONE;
	return access(program_of(reader), X_OK) < 0 ? RPM_NO_READER : RPM_READ;
}

/* --- those that hang ---------------------------------------------------------------------------
 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct rpm_counts counts;
static pid_t hung[RPM_LEFT_MAX];

/* Takes in what has gone meanwhile. */
static void reap_left(void)
{
	for (unsigned i = 0; i < counts.left;)
		if (waitpid(hung[i], NULL, WNOHANG))
			hung[i] = hung[--counts.left];
		else
			i++;
}

static bool is_full(void)
{
	bool full;

	pthread_mutex_lock(&lock);
	reap_left();
	full = counts.left == RPM_LEFT_MAX;
	pthread_mutex_unlock(&lock);
	return full;
}

static void leave(pid_t pid)
{
	pthread_mutex_lock(&lock);
	reap_left();
	/* Threads that ask at once may be more than there are places; then it stays a zombie. */
	if (counts.left < RPM_LEFT_MAX)
		hung[counts.left++] = pid;
	pthread_mutex_unlock(&lock);
}

static void count(int r)
{
	pthread_mutex_lock(&lock);
	counts.answered += r == 0;
	counts.timed_out += r == -ETIMEDOUT;
	pthread_mutex_unlock(&lock);
}

void rpm_counts(struct rpm_counts *out_counts)
{
	pthread_mutex_lock(&lock);
	reap_left();
	*out_counts = counts;
	pthread_mutex_unlock(&lock);
}

/* --- the child ---------------------------------------------------------------------------------
 */

/* Kills it, and waits a little; one that hangs in the kernel is left. */
static void end(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	kill(pid, SIGKILL); /* not reaped yet, so the number is its own */
	for (int ms = 0; ms < GONE_MS; ms += 10) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		nanosleep(&pause, NULL);
	}
	leave(pid);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Up to the end of the pipe: one message, and nothing behind it. */
static int read_answer(int fd, int timeout_ms, struct rpm_answer *answer)
{
	const int64_t until = now_ms() + timeout_ms;
	char *at = (char *)answer;
	size_t len = 0;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		char more;
		ssize_t n;

		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = len < sizeof(*answer) ? read(fd, at + len, sizeof(*answer) - len)
					  : read(fd, &more, 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return len == sizeof(*answer) ? 0 : -EBADMSG;
		if (n > 0)
			len += (size_t)n;
		if (len > sizeof(*answer))
			return -EBADMSG;
	}
}

static int ask(const char *program, const char *dir, const char *backend, const char *path,
	       int timeout_ms, struct rpm_answer *answer)
{
	char *argv[] = {(char *)"keytrail-rpm", (char *)dir, (char *)backend, (char *)path, NULL};
	_cleanup_close_ int in = -1, out = -1, null = -1;
	int pipes[2], r;
	pid_t pid;

	if (is_full())
		return -EBUSY;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	/* Out of the way of the places that they are put in. */
	out = fcntl(pipes[1], F_DUPFD_CLOEXEC, FD_FREE);
	close(pipes[1]);
	if (out < 0)
		return -errno;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	if (null < FD_FREE) {
		int high = fcntl(null, F_DUPFD_CLOEXEC, FD_FREE);

		close(null);
		null = high;
		if (null < 0)
			return -errno;
	}
	r = child_spawn(program, argv, (const int[]){null, out, null}, 3, &pid);
	if (r < 0)
		return r;
	out = fd_close(out);
	r = read_answer(in, timeout_ms, answer);
	end(pid);
	return r;
}

int rpm_find(const struct rpm_reader *reader, const char *path, const char *sha256, const char *md5,
	     char out_package[static PACKAGE_MAX], enum package_state *out_state)
{
	struct rpm_answer answer;
	const char *dir, *backend;
	int r;

	dir = find_database(reader, &backend);
	if (!dir)
		return -ENOENT;
	if (access(program_of(reader), X_OK) < 0)
		return -ENOSYS;
	r = ask(program_of(reader), dir, backend, path,
		reader && reader->timeout_ms ? reader->timeout_ms : RPM_TIMEOUT_MS, &answer);
	if (r < 0) {
		count(r);
		return r;
	}
	r = rpm_answer_judge(&answer, sha256, md5, out_package, out_state);
	/* A child that says that it cannot read the database has answered nothing. */
	count(r < 0 ? r : 0);
	return r;
}
