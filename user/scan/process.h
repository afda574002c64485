/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that look at hostile bytes, started and ended by one who must not wait for them: the
 * daemon. One thread at a time: the list of those that would not die is shared by all.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct scan_process {
	pid_t pid; /* 0: none */
	int pidfd; /* -1: not to be had, then waits are sleeps */
};

#define SCAN_PROCESS_FDS 4

/*
 * Runs `program` with no environment, default signals, and descriptors 0 to 3 being copies of
 * fds[], each of which may be -1: /dev/null. They stay the caller's. -EBUSY: too many earlier ones
 * hang in the kernel (a dead file system); -ENOENT, -EACCES: the program; -ENOMEM, -EMFILE,
 * -EAGAIN.
 */
int scan_process_spawn(const char *program, char *const argv[], const int fds[SCAN_PROCESS_FDS],
		       struct scan_process *out_process);

/* Half of the places for such are taken: time to start none that are likely to hang. */
bool scan_process_crowded(void);

/* Takes in a child that fork() made. */
struct scan_process scan_process_of(pid_t pid);

/* Whether somebody has stopped it (SIGSTOP), and it stands still for that. Takes nothing in. */
bool scan_process_stopped(const struct scan_process *process);

/* Has one that was stopped go on. */
void scan_process_continue(const struct scan_process *process);

/*
 * It is about to end by itself, as the end of its pipe shows: what of? Waits a tenth of a second,
 * then kills it and waits four more. Its status as waitpid(2) has it, -1 if it hangs.
 */
int scan_process_wait(struct scan_process *process);

/* Kills it if it is there; does not wait for longer than a tenth of a second for it to go. */
void scan_process_end(struct scan_process *process);
