// SPDX-License-Identifier: GPL-2.0-or-later
/* The canary's file, child and clock. */
#include "daemon/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SECOND 1000000ULL /* in the loop's microseconds */

/*
 * The event stands in a ring before the child's open() returns. What may still hold it up is the
 * map that takes over when a ring is full, which is drained in turns.
 */
#define GRACE (2 * SECOND)

struct canary {
	struct canary_ops ops;
	void *userdata;
	sd_event *loop;
	sd_event_source *clock, *child, *grace;
	uint32_t period_s;
	pid_t pid; /* of the last child; 0 before the first */
	bool arrived; /* its event did */
	struct canary_stats st;
	char path[]; /* NUL terminated */
};

static void set_blind(struct canary *canary, bool blind)
{
	if (canary->st.blind == blind)
		return;
	canary->st.blind = blind;
	canary->ops.changed(canary->userdata, blind);
}

static int make_file(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	return write(fd, "canary\n", 7) == 7 ? 0 : -EIO;
}

/* Whoever took the file or its mark away has blinded us for it; the next round shows if it holds.
 */
static int lay(struct canary *canary)
{
	int r = access(canary->path, F_OK) < 0 ? make_file(canary->path) : 0;

	return r < 0 ? r : canary->ops.mark(canary->userdata, canary->path);
}

static int on_grace(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct canary *canary = userdata;

	canary->ops.drain(canary->userdata);
	if (canary->arrived)
		return 0;
	set_blind(canary, true);
	lay(canary);
	return 0;
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct canary *canary = userdata;

	canary->child = sd_event_source_unref(canary->child);
	if (info->si_code != CLD_EXITED || info->si_status != 0) {
		/* It could not open the file: nothing is shown about the sensor. */
		lay(canary);
		return 0;
	}
	canary->st.reads++;
	canary->ops.drain(canary->userdata);
	if (canary->arrived)
		return 0;
	sd_event_source_set_time_relative(canary->grace, GRACE);
	return sd_event_source_set_enabled(canary->grace, SD_EVENT_ONESHOT);
}

/* In the child: only what is safe after fork() in a program with threads. */
__attribute__((noreturn)) static void read_once(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char byte;

	_exit(fd >= 0 && read(fd, &byte, 1) == 1 ? 0 : 1);
}

static void send_child(struct canary *canary)
{
	pid_t pid = fork();
	int r;

	if (pid == 0)
		read_once(canary->path);
	if (pid < 0)
		return; /* no process to be had: the next round tries again */
	canary->pid = pid;
	canary->arrived = false;
	r = sd_event_add_child(canary->loop, &canary->child, pid, WEXITED, on_child, canary);
	if (r < 0)
		waitpid(pid, NULL, 0);
}

static int on_clock(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct canary *canary = userdata;
	int waiting = SD_EVENT_OFF;

	/* One that still runs (a machine that swaps), or whose event may still come, is waited for.
	 */
	sd_event_source_get_enabled(canary->grace, &waiting);
	if (!canary->child && waiting == SD_EVENT_OFF)
		send_child(canary);
	return sd_event_source_set_time_relative(source, canary->period_s * SECOND);
}

int canary_new(sd_event *loop, const char *path, uint32_t period_s, const struct canary_ops *ops,
	       void *userdata, struct canary **out_canary)
{
	struct canary *canary = calloc(1, sizeof(*canary) + strlen(path) + 1);
	int r;

	if (!canary)
		return -ENOMEM;
	canary->ops = *ops;
	canary->userdata = userdata;
	canary->loop = sd_event_ref(loop);
	canary->period_s = period_s;
	memcpy(canary->path, path, strlen(path) + 1);
	r = make_file(path);
	if (r >= 0)
		r = ops->mark(userdata, path);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &canary->grace, CLOCK_MONOTONIC, 0, 0,
					       on_grace, canary);
	if (r >= 0)
		r = sd_event_source_set_enabled(canary->grace, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &canary->clock, CLOCK_MONOTONIC, 0, SECOND / 2,
					       on_clock, canary);
	if (r >= 0)
		r = sd_event_source_set_enabled(canary->clock, SD_EVENT_ON);
	if (r < 0) {
		canary_free(canary);
		return r;
	}
	*out_canary = canary;
	return 0;
}

void canary_free(struct canary *canary)
{
	if (!canary)
		return;
	if (canary->child) {
		sd_event_source_unref(canary->child);
		kill(canary->pid, SIGKILL);
		waitpid(canary->pid, NULL, 0);
	}
	sd_event_source_unref(canary->grace);
	sd_event_source_unref(canary->clock);
	sd_event_unref(canary->loop);
	unlink(canary->path);
	free(canary);
}

bool canary_seen(struct canary *canary, const struct event_access *access)
{
	if (!canary->pid || access->subject.id.tgid != (uint32_t)canary->pid)
		return false;
	if (!canary->arrived) {
		canary->arrived = true;
		canary->st.seen++;
		set_blind(canary, false);
	}
	return true;
}

void canary_stats(const struct canary *canary, struct canary_stats *out_stats)
{
	*out_stats = canary->st;
}
