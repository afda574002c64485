// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts the scan child, collects its answer, and never waits for it. */
#include "scan/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "scan/result.h"

#define LINGERING_MAX 8
#define FD_FREE	      10 /* descriptors below may be in the way of the child's 0..3 */

struct scan_child {
	pid_t pid;
	int pidfd; /* -1: not to be had, then the wait is a sleep */
	int fd; /* the answer, non-blocking */
	int error; /* what reading came to; 1 = not known yet */
	size_t len;
	uint8_t message[SCAN_RESULT_SIZE + 1]; /* one more shows that it says too much */
	struct key_identity id;
};

/* Killed children that did not go: they hang in a read from a dead file system. */
static pid_t lingering[LINGERING_MAX];

static bool gone(pid_t pid)
{
	pid_t r;

	do
		r = waitpid(pid, NULL, WNOHANG);
	while (r < 0 && errno == EINTR);
	return r != 0; /* ECHILD too: somebody else has reaped it */
}

static unsigned reap_lingering(void)
{
	unsigned left = 0;

	for (int i = 0; i < LINGERING_MAX; i++) {
		if (lingering[i] && gone(lingering[i]))
			lingering[i] = 0;
		left += lingering[i] != 0;
	}
	return left;
}

/* The child's 0, 1, 2 and 3, from descriptors that lie above them. */
struct child_fds {
	int key, result, null, sibling;
};

static int spawn(const char *program, const struct child_fds *fds, pid_t *out_pid)
{
	char *argv[] = {(char *)"keytrail-scan", (char *)"identify", NULL};
	char *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (err) {
		posix_spawn_file_actions_destroy(&actions);
		return -err;
	}
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn_file_actions_adddup2(&actions, fds->key, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, fds->result, 1);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, fds->null, 2);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, fds->sibling, 3);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
	if (!err)
		err = posix_spawn(out_pid, program, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* A copy that is out of the way; closed by the caller. */
static int lift(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, FD_FREE);

	return copy < 0 ? -errno : copy;
}

int scan_child_spawn(const char *program, int key_fd, int sibling_fd, struct scan_child **out_child)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_close_ int in = -1, out = -1, key = -1, sibling = -1, result = -1, high_null = -1;
	_cleanup_free_ struct scan_child *child = calloc(1, sizeof(*child));
	int pipes[2];
	int err;

	if (!child)
		return -ENOMEM;
	if (reap_lingering() == LINGERING_MAX)
		return -EBUSY;
	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	out = pipes[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	key = lift(key_fd);
	sibling = lift(sibling_fd >= 0 ? sibling_fd : null);
	result = lift(out);
	high_null = lift(null);
	if (key < 0 || sibling < 0 || result < 0 || high_null < 0)
		return key < 0 ? key : sibling < 0 ? sibling : result < 0 ? result : high_null;
	err = spawn(program ? program : SCAN_CHILD_PROGRAM,
		    &(struct child_fds){key, result, high_null, sibling}, &child->pid);
	if (err < 0)
		return err;
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	child->fd = take_fd(in);
	child->error = 1;
	*out_child = take_ptr(child);
	return 0;
}

int scan_child_fd(const struct scan_child *child)
{
	return child->fd;
}

pid_t scan_child_pid(const struct scan_child *child)
{
	return child->pid;
}

/* The pipe has ended: what was said stands. */
static int judge(struct scan_child *child)
{
	struct scan_result result;
	int err;

	if (!child->len)
		return -ECHILD;
	err = scan_result_decode(child->message, child->len, &result);
	if (err < 0)
		return err;
	child->id = result.id;
	return result.error;
}

int scan_child_read(struct scan_child *child, struct key_identity *out_id)
{
	while (child->error == 1) {
		ssize_t n = read(child->fd, child->message + child->len,
				 sizeof(child->message) - child->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -EAGAIN;
		if (n < 0) {
			child->error = -EBADMSG;
			break;
		}
		child->len += (size_t)n;
		if (child->len > SCAN_RESULT_SIZE)
			child->error = -EBADMSG;
		else if (!n)
			child->error = judge(child);
	}
	if (!child->error)
		*out_id = child->id;
	return child->error;
}

/* Waits a moment for a killed child, and remembers it if that was not enough. */
static void bury(const struct scan_child *child)
{
	struct pollfd pfd = {.fd = child->pidfd, .events = POLLIN};

	if (!gone(child->pid)) {
		poll(&pfd, 1, 100);
		if (!gone(child->pid)) {
			/* There is room: a spawn needs a free place, and children are few. */
			for (int i = 0; i < LINGERING_MAX; i++)
				if (!lingering[i]) {
					lingering[i] = child->pid;
					break;
				}
		}
	}
}

void scan_child_free(struct scan_child *child)
{
	if (!child)
		return;
	/* By descriptor, as a number could be another's if somebody else reaped the child. */
	if (child->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
	else
		kill(child->pid, SIGKILL);
	bury(child);
	fd_close(child->pidfd);
	fd_close(child->fd);
	free(child);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int scan_child_identify(const char *program, int key_fd, int sibling_fd, int timeout_ms,
			struct key_identity *out_id)
{
	_cleanup_scan_child_ struct scan_child *child = NULL;
	int64_t end = now_ms() + timeout_ms;
	int r = scan_child_spawn(program, key_fd, sibling_fd, &child);

	if (r < 0)
		return r;
	while ((r = scan_child_read(child, out_id)) == -EAGAIN) {
		struct pollfd pfd = {.fd = child->fd, .events = POLLIN};
		int64_t left = end - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		poll(&pfd, 1, (int)left);
	}
	return r;
}

const char *scan_child_strerror(int error)
{
	switch (error) {
	case -EFBIG:
		return "the file is too large for a key file";
	case -EIO:
		return "the file could not be read";
	case -EPERM:
		return "the scanner could not shut itself in";
	case -ECHILD:
		return "the scanner crashed";
	case -EBADMSG:
		return "the scanner gave no valid answer";
	case -ETIMEDOUT:
		return "the scanner took too long";
	case -EBUSY:
		return "earlier scanners hang in the kernel";
	default:
		return strerror(-error);
	}
}
