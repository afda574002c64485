// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A walled-in dump scanner and the pipe of its findings: its life, for whoever started it, and the
 * one that is a program of its own. The one that is a fork of the caller stands in scanner-fork.c.
 */
#include "scan/scanner.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scan/scanner-child.h"
#include "scan/scanner-internal.h"

uint32_t scanner_cpu_seconds(const struct scanner_input *input)
{
	return input->cpu_seconds ? (uint32_t)input->cpu_seconds : SCANNER_CPU_SECONDS;
}

int scanner_new(struct scanner **out_scanner, int *out)
{
	_cleanup_free_ struct scanner *scanner = calloc(1, sizeof(*scanner));
	_cleanup_close_ int in = -1, theirs = -1;
	int pipes[2];

	if (!scanner)
		return -ENOMEM;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	theirs = pipes[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	scanner->process = (struct scan_process){0, -1};
	scanner->fd = take_fd(in);
	scanner->error = 1;
	*out_scanner = take_ptr(scanner);
	*out = take_fd(theirs);
	return 0;
}

int scanner_exec(const char *program, const struct scanner_input *input, int needles_fd,
		 struct scanner **out_scanner)
{
	_cleanup_scanner_ struct scanner *scanner = NULL;
	_cleanup_close_ int out = -1;
	char unpack[24], seconds[24];
	char *argv[] = {(char *)"keytrail-scan-dump", unpack, seconds, NULL};
	int r = scanner_new(&scanner, &out);

	if (r < 0)
		return r;
	snprintf(unpack, sizeof(unpack), "%llu", (unsigned long long)input->options.unpack_max);
	snprintf(seconds, sizeof(seconds), "%u", scanner_cpu_seconds(input));
	r = scan_process_spawn(program ? program : SCANNER_PROGRAM, argv,
			       (const int[SCAN_PROCESS_FDS]){input->fd, out, -1, needles_fd},
			       &scanner->process);
	if (r < 0)
		return r;
	*out_scanner = take_ptr(scanner);
	return 0;
}

int scanner_stamp(int fd, struct scanner_stamp *out_stamp)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*out_stamp = (struct scanner_stamp){
		.size = (uint64_t)st.st_size,
		.changed_ns =
			(uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec,
	};
	return 0;
}

bool scanner_stamp_same(const struct scanner_stamp *a, const struct scanner_stamp *b)
{
	return a->size == b->size && a->changed_ns == b->changed_ns;
}

pid_t scanner_pid(const struct scanner *scanner)
{
	return scanner->process.pid;
}

int scanner_fd(const struct scanner *scanner)
{
	return scanner->fd;
}

static int hand_over(struct scanner *s, const struct channel_message *m,
		     const struct scanner_events *events, void *userdata)
{
	switch (m->type) {
	case CHANNEL_ABOUT:
		return events->about ? events->about(userdata, &m->about) : 0;
	case CHANNEL_FINDING:
		return events->found(userdata, &m->finding);
	case CHANNEL_PROGRESS:
		if (events->progress)
			events->progress(userdata, m->progress.done, m->progress.total);
		return 0;
	case CHANNEL_DIGEST:
		return events->digest ? events->digest(userdata, &m->digest) : 0;
	default:
		s->error = m->error;
		return 0;
	}
}

/* Its end of the pipe is gone before its last word. */
static int died(struct scanner *s)
{
	int status = scan_process_wait(&s->process);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? -ETIME : -ECHILD;
}

#define READS_MAX 64 /* in one turn */

int scanner_read(struct scanner *scanner, const struct scanner_events *events, void *userdata)
{
	struct channel_message message;

	for (unsigned i = 0; scanner->error == 1; i++) {
		if (i ==
		    READS_MAX) /* it is there to be taken over by what it reads: its turn is over */
			return -EAGAIN;
		size_t size;
		uint8_t *room = channel_room(&scanner->channel, &size);
		ssize_t n = read(scanner->fd, room, size);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -EAGAIN;
		if (n <= 0) {
			scanner->error = n < 0 ? -errno : died(scanner);
			break;
		}
		channel_got(&scanner->channel, (size_t)n);
		while ((r = channel_next(&scanner->channel, &message)) > 0) {
			r = hand_over(scanner, &message, events, userdata);
			if (r < 0)
				break;
		}
		if (r < 0)
			scanner->error = r;
		else if (scanner->error != 1 && scanner->channel.len)
			scanner->error = -EBADMSG; /* it says more after its last word */
	}
	return scanner->error;
}

void scanner_free(struct scanner *scanner)
{
	if (!scanner)
		return;
	scan_process_end(&scanner->process);
	fd_close(scanner->fd);
	free(scanner);
}

const char *scanner_strerror(int error)
{
	switch (error) {
	case -EPERM:
		return "the scanner could not shut itself in";
	case -ECHILD:
		return "the scanner crashed";
	case -ETIME:
		return "the scanner's time was up";
	case -EBADMSG:
		return "the scanner gave no valid answer";
	case -ENOMEM:
		return "the scanner had too little memory";
	default:
		return strerror(-error);
	}
}
