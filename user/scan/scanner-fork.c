// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dump scanner as a fork of its caller. Apart from scanner.c, so that the daemon, which starts
 * a program instead, does not have the detectors and their libraries in its memory.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/prctl.h>

#include "scan/scanner-child.h"
#include "scan/scanner-internal.h"

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
	scanner_child(&dump, scanner_cpu_seconds(input));
}

int scanner_spawn(const struct scanner_input *input, struct scanner **out_scanner)
{
	_cleanup_scanner_ struct scanner *scanner = NULL;
	_cleanup_close_ int out = -1;
	int r = scanner_new(&scanner, &out);
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
