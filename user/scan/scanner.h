/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_scan() behind the walls of sandbox.h, in a process of its own: the bytes of a dump are
 * hostile, and its findings come back through a checked channel (channel.h).
 *
 * scanner_run() for callers that may wait. For an event loop: scanner_spawn(), poll scanner_fd(),
 * call scanner_read() while it says -EAGAIN, scanner_free(); the caller has the timer.
 */
#pragma once

#include <sys/types.h>

#include "base/cleanup.h"
#include "scan/about.h"
#include "scan/detector.h"

struct scanner_input {
	/* The dump, open for reading: a file, a block device, a pipe, /proc/PID/mem. Stays the
	 * caller's; its offset may be moved. */
	int fd;
	/* Of a living process: /proc/PID/maps. -1: fd is no process's memory. */
	int maps_fd;
	uint32_t pid; /* of it, for scan_about */
	struct scan_options options; /* what it points to is copied by the fork */
	uint64_t cpu_seconds; /* 0: six hours */
};

/* Called in the caller's process. Below 0 ends the scan. */
struct scanner_events {
	/* What is opened now: its findings follow. May be NULL. */
	int (*about)(void *userdata, const struct scan_about *about);
	/* In no order; the last one is FINDING_END: offset = bytes looked at, vaddr = SCAN_*
	 * flags. Then about() again if the file holds more dumps. */
	int (*found)(void *userdata, const struct finding *finding);
	/* Bytes of the input, a few times a second; total may be SCAN_SIZE_UNKNOWN. May be NULL.
	 */
	void (*progress)(void *userdata, uint64_t done, uint64_t total);
	/* With options.digests: what was unpacked, as far as it could be read to its end, and last
	 * the file (depth 0), if the scan came to its end. They are of what was read: that the file
	 * was the same before and after is the caller's to see (scanner_stamp()). May be NULL. */
	int (*digest)(void *userdata, const struct scan_digest *digest);
};

/* Changes when the file is written to, and whatever else changes its inode. */
struct scanner_stamp {
	uint64_t size, changed_ns; /* st_ctim */
};
int scanner_stamp(int fd, struct scanner_stamp *out_stamp); /* -errno */
bool scanner_stamp_same(const struct scanner_stamp *a, const struct scanner_stamp *b);

struct scanner;

#define SCANNER_PROGRAM KT_LIBEXECDIR "/keytrail-scan-dump"

/* Forks; call with one thread. -ENOMEM, -EMFILE, -EAGAIN. */
int scanner_spawn(const struct scanner_input *input, struct scanner **out_scanner);
/*
 * The same in a program of its own, which shares no memory with the caller; for one with several
 * threads and more rights. program: NULL = SCANNER_PROGRAM. It scans by one thread, at the lowest
 * priority that there is for processor and disk, and looks for tokens by the installed rules; of
 * the options unpack_max is passed on. needles_fd: a needle file that was checked, to be read from
 * its beginning, -1: none. Living processes (maps_fd) are not for it. As scan_process_spawn().
 */
int scanner_exec(const char *program, const struct scanner_input *input, int needles_fd,
		 struct scanner **out_scanner);
pid_t scanner_pid(const struct scanner *scanner); /* 0: it has ended */
int scanner_fd(const struct scanner *scanner); /* stays the scanner's; non-blocking */
/*
 * -EAGAIN: more is to come. 0: all is said. Otherwise what a handler returned, or: -EPERM no walls;
 * -ECHILD the scanner died before its last message; -ETIME its CPU time was up; -ENOMEM; -EBADMSG
 * it said what cannot be; or the errno of reading the dump.
 */
int scanner_read(struct scanner *scanner, const struct scanner_events *events, void *userdata);
/* Kills what still runs; does not wait for longer than 100 ms for it to go. NULL is fine. */
void scanner_free(struct scanner *scanner);
DEFINE_CLEANUP(struct scanner *, scanner_free)
#define _cleanup_scanner_ _cleanup_(scanner_freep)

/* All of it; as scanner_read(), without -EAGAIN. */
int scanner_run(const struct scanner_input *input, const struct scanner_events *events,
		void *userdata);

const char *scanner_strerror(int error); /* "the scanner crashed" */
