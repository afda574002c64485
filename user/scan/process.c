// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts children for hostile bytes, and never waits for one that hangs. */
#include "scan/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"

#define LINGERING_MAX 32
#define FD_FREE	      10 /* descriptors below may be in the way of the child's 0..3 */
#define MOMENT_MS     100
#define LONGER_MS     400 /* one that dies at the lowest priority, on a busy machine */

/* Killed children that did not go: they hang in a read from a dead file system. */
static pid_t lingering[LINGERING_MAX];

/* *out_status: 0 if somebody else has reaped it. */
static bool gone(pid_t pid, int *out_status)
{
	int status = 0;
	pid_t r;

	do
		r = waitpid(pid, &status, WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r > 0 && out_status)
		*out_status = status;
	return r != 0;
}

static unsigned reap_lingering(void)
{
	unsigned left = 0;

	for (int i = 0; i < LINGERING_MAX; i++) {
		if (lingering[i] && gone(lingering[i], NULL))
			lingering[i] = 0;
		left += lingering[i] != 0;
	}
	return left;
}

int scan_process_spawn(const char *program, char *const argv[], const int fds[SCAN_PROCESS_FDS],
		       struct scan_process *out_process)
{
	_cleanup_close_ int null = -1;
	int high[SCAN_PROCESS_FDS];
	pid_t pid;
	int err = 0;

	if (reap_lingering() == LINGERING_MAX)
		return -EBUSY;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	/* Copies that are out of the way of each other's places. */
	for (int i = 0; i < SCAN_PROCESS_FDS; i++) {
		high[i] = fcntl(fds[i] < 0 ? null : fds[i], F_DUPFD_CLOEXEC, FD_FREE);
		if (high[i] < 0)
			err = -errno;
	}
	if (!err)
		err = child_spawn(program, argv, high, SCAN_PROCESS_FDS, &pid);
	for (int i = 0; i < SCAN_PROCESS_FDS; i++)
		fd_close(high[i]);
	if (!err)
		*out_process = scan_process_of(pid);
	return err;
}

bool scan_process_crowded(void)
{
	return reap_lingering() >= LINGERING_MAX / 2;
}

struct scan_process scan_process_of(pid_t pid)
{
	return (struct scan_process){pid, (int)syscall(SYS_pidfd_open, pid, 0)};
}

static void pause_for(const struct scan_process *process, int ms)
{
	struct pollfd pfd = {.fd = process->pidfd, .events = POLLIN};

	poll(&pfd, 1, ms);
}

/* By descriptor, as a number could be another's if somebody else reaped the child. */
static void kill_it(const struct scan_process *process)
{
	if (process->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
	else
		kill(process->pid, SIGKILL);
}

bool scan_process_stopped(const struct scan_process *process)
{
	siginfo_t info = {.si_pid = 0};

	return process->pid &&
	       waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == process->pid;
}

void scan_process_continue(const struct scan_process *process)
{
	if (process->pid)
		kill(process->pid, SIGCONT); /* not reaped: the number is still its own */
}

static void forget(struct scan_process *process)
{
	fd_close(process->pidfd);
	*process = (struct scan_process){0, -1};
}

/* Killed: waits a moment, and remembers it if that was not enough. */
static int bury(struct scan_process *process, int ms)
{
	int status = -1;

	if (!gone(process->pid, &status)) {
		pause_for(process, ms);
		/* There is room: a spawn needs a free place, and children are few. */
		for (int i = 0; !gone(process->pid, &status) && i < LINGERING_MAX; i++)
			if (!lingering[i]) {
				lingering[i] = process->pid;
				break;
			}
	}
	forget(process);
	return status;
}

int scan_process_wait(struct scan_process *process)
{
	int status = -1;

	if (!process->pid)
		return -1;
	pause_for(process, MOMENT_MS);
	if (gone(process->pid, &status)) {
		forget(process);
		return status;
	}
	kill_it(process);
	return bury(process, LONGER_MS);
}

void scan_process_end(struct scan_process *process)
{
	if (!process->pid)
		return;
	kill_it(process);
	bury(process, MOMENT_MS);
}
