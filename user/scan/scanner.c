// SPDX-License-Identifier: GPL-2.0-or-later
/* A forked, walled-in dump scanner and the pipe of its findings. */
#include "scan/scanner.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "scan/channel.h"
#include "scan/process.h"
#include "scan/scanner-child.h"

struct scanner {
	struct scan_process process;
	int fd;
	int error; /* 1: not known yet */
	struct channel_reader channel;
};

/* --- in the child --- */

/* The dump as 0, the channel as 1, /proc/PID/maps as 3; whatever they were before. */
static int arrange(const struct scanner_input *input, int out)
{
	int dump = fcntl(input->fd, F_DUPFD, 10);
	int maps = input->maps_fd < 0 ? -1 : fcntl(input->maps_fd, F_DUPFD, 10);

	out = fcntl(out, F_DUPFD, 10);
	if (dump < 0 || out < 0 || (input->maps_fd >= 0 && maps < 0))
		return -EIO;
	if (dup2(dump, 0) < 0 || dup2(out, 1) < 0 || (maps >= 0 && dup2(maps, 3) < 0))
		return -EIO;
	close_range(2, 2, 0);
	close_range(maps >= 0 ? 4 : 3, ~0U, 0);
	return 0;
}

static uint32_t cpu_seconds(const struct scanner_input *input)
{
	return input->cpu_seconds ? (uint32_t)input->cpu_seconds : SCANNER_CPU_SECONDS;
}

__attribute__((noreturn)) static void child(const struct scanner_input *input, int out)
{
	struct dump_input dump = {
		.fd = 0,
		.maps_fd = input->maps_fd < 0 ? -1 : 3,
		.pid = input->pid,
		.options = input->options,
	};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (arrange(input, out) < 0)
		_exit(1);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	scanner_child(&dump, cpu_seconds(input));
}

/* --- in the parent --- */

/* *out: the child's end of its channel. */
static int new_scanner(struct scanner **out_scanner, int *out)
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

int scanner_spawn(const struct scanner_input *input, struct scanner **out_scanner)
{
	_cleanup_scanner_ struct scanner *scanner = NULL;
	_cleanup_close_ int out = -1;
	int r = new_scanner(&scanner, &out);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(input, out);
	scanner->process = scan_process_of(pid);
	*out_scanner = take_ptr(scanner);
	return 0;
}

int scanner_exec(const char *program, const struct scanner_input *input, int needles_fd,
		 struct scanner **out_scanner)
{
	_cleanup_scanner_ struct scanner *scanner = NULL;
	_cleanup_close_ int out = -1;
	char unpack[24], seconds[24];
	char *argv[] = {(char *)"keytrail-scan-dump", unpack, seconds, NULL};
	int r = new_scanner(&scanner, &out);

	if (r < 0)
		return r;
	snprintf(unpack, sizeof(unpack), "%llu", (unsigned long long)input->options.unpack_max);
	snprintf(seconds, sizeof(seconds), "%u", cpu_seconds(input));
	r = scan_process_spawn(program ? program : SCANNER_PROGRAM, argv,
			       (const int[SCAN_PROCESS_FDS]){input->fd, out, -1, needles_fd},
			       &scanner->process);
	if (r < 0)
		return r;
	*out_scanner = take_ptr(scanner);
	return 0;
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

int scanner_run(const struct scanner_input *input, const struct scanner_events *events,
		void *userdata)
{
	_cleanup_scanner_ struct scanner *scanner = NULL;
	int r = scanner_spawn(input, &scanner);

	if (r < 0)
		return r;
	while ((r = scanner_read(scanner, events, userdata)) == -EAGAIN) {
		struct pollfd pfd = {.fd = scanner->fd, .events = POLLIN};

		poll(&pfd, 1, -1);
	}
	return r;
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
