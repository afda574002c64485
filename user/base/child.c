// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting programs of our own, and staying out of the way as one. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOBODY 65534

int child_spawn(const char *program, char *const argv[], const int *fds, int nr, pid_t *out_pid)
{
	char *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err = posix_spawn_file_actions_init(&actions);

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
	for (int i = 0; i < nr && !err; i++)
		err = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions, nr);
	if (!err)
		err = posix_spawn(out_pid, program, &actions, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

void child_step_back(void)
{
	static const struct sched_param none = {0};
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	setpriority(PRIO_PROCESS, 0, 19);
	(void)setrlimit(RLIMIT_NICE, &(struct rlimit){0}); /* inspect.c has raised it */
	sched_setscheduler(0, SCHED_IDLE, &none);
	/* What keytraild has set for itself and leaves to its children. */
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	/* Where memory is short, this goes and not the daemon, whose score it has. */
	if (fd >= 0)
		(void)!write(fd, "500", 3);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

struct child_user child_user_of(FILE *passwd)
{
	static const char none[] =
		"there is no user " CHILD_USER " (systemd-sysusers makes it, or " CHILD_USERADD ")";
	static const char other[] = "the number of the user " CHILD_USER " is another user's, too "
				    "(give it a number of its own, by usermod)";
	struct child_user nobody = {NOBODY, NOBODY, false, none}, user = nobody;

	for (struct passwd *pw; passwd && (pw = fgetpwent(passwd));)
		if (!user.own && pw->pw_uid && pw->pw_gid && !strcmp(pw->pw_name, CHILD_USER))
			user = (struct child_user){pw->pw_uid, pw->pw_gid, true, NULL};
	if (!user.own)
		return nobody;
	nobody.fault = other;
	rewind(passwd);
	for (struct passwd *pw; (pw = fgetpwent(passwd));)
		if (pw->pw_uid == user.uid && strcmp(pw->pw_name, CHILD_USER) != 0)
			return nobody;
	return user;
}

struct child_user child_user(void)
{
	_cleanup_fclose_ FILE *passwd = fopen("/etc/passwd", "re");

	return child_user_of(passwd);
}

int child_leave_root(const struct child_user *user)
{
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return 0;
}
