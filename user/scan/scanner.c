// SPDX-License-Identifier: GPL-2.0-or-later
/* A forked, walled-in dump scanner and the pipe of its findings. */
#include "scan/scanner.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "scan/channel.h"
#include "scan/dump.h"
#include "scan/sandbox.h"
#include "scan/wipe.h"

#define MEMORY	    (512 << 20) /* of address space */
#define CPU_SECONDS (6 * 3600)

struct scanner {
	pid_t pid;
	int fd;
	int error; /* 1: not known yet */
	struct channel_reader channel;
};

/* --- in the child --- */

static int say(const struct channel_message *message)
{
	uint8_t bytes[CHANNEL_MAX];
	size_t len = channel_encode(message, bytes);

	return write(1, bytes, len) == (ssize_t)len ? 0 : -EPIPE;
}

static int say_about(void *userdata, const struct scan_about *about)
{
	return say(&(struct channel_message){.type = CHANNEL_ABOUT, .about = *about});
}

static int say_finding(void *userdata, const struct finding *finding)
{
	return say(&(struct channel_message){.type = CHANNEL_FINDING, .finding = *finding});
}

static void say_progress(void *userdata, uint64_t done, uint64_t total)
{
	say(&(struct channel_message){.type = CHANNEL_PROGRESS, .progress = {done, total}});
}

static int start_threads(void *userdata)
{
	return dump_start(userdata);
}

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

__attribute__((noreturn)) static void child(const struct scanner_input *input, int out)
{
	static const struct dump_events events = {say_about, say_finding, say_progress};
	struct dump_input dump = {
		.fd = 0,
		.maps_fd = input->maps_fd < 0 ? -1 : 3,
		.pid = input->pid,
		.options = input->options,
	};
	struct scan_limits limits = {
		.memory = MEMORY,
		.cpu_seconds = input->cpu_seconds ? (uint32_t)input->cpu_seconds : CPU_SECONDS,
		.refuse_files = true,
		.threads = start_threads,
		.userdata = &dump,
	};
	struct channel_message done = {.type = CHANNEL_DONE};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	if (arrange(input, out) < 0)
		_exit(1);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	done.error =
		scan_sandbox_enter(&limits, NULL) < 0 ? -EPERM : dump_scan(&dump, &events, NULL);
	wipe_stack();
	_exit(say(&done) < 0);
}

/* --- in the parent --- */

int scanner_spawn(const struct scanner_input *input, struct scanner **out_scanner)
{
	_cleanup_free_ struct scanner *scanner = calloc(1, sizeof(*scanner));
	_cleanup_close_ int in = -1, out = -1;
	int pipes[2];

	if (!scanner)
		return -ENOMEM;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	out = pipes[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	scanner->pid = fork();
	if (scanner->pid < 0)
		return -errno;
	if (!scanner->pid)
		child(input, out);
	scanner->fd = take_fd(in);
	scanner->error = 1;
	*out_scanner = take_ptr(scanner);
	return 0;
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

/*
 * Its end of the pipe is gone before its last word. Killed if it lives on all the same: what it
 * died of is what counts, and that it shows at once.
 */
static int died(struct scanner *s)
{
	int status = 0;

	for (int i = 0; waitpid(s->pid, &status, WNOHANG) == 0; i++) {
		if (i == 100)
			kill(s->pid, SIGKILL);
		poll(NULL, 0, 10);
	}
	s->pid = 0;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? -ETIME : -ECHILD;
}

int scanner_read(struct scanner *scanner, const struct scanner_events *events, void *userdata)
{
	struct channel_message message;

	while (scanner->error == 1) {
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
	if (scanner->pid) {
		kill(scanner->pid, SIGKILL);
		while (waitpid(scanner->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
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
