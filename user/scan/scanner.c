// SPDX-License-Identifier: GPL-2.0-or-later
/* A forked, walled-in dump scanner and the pipe of its findings. */
#include "scan/scanner.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "scan/dump.h"
#include "scan/sandbox.h"
#include "scan/wipe.h"

static int send_finding(void *userdata, const struct finding *finding)
{
	uint8_t record[FINDING_SIZE];

	finding_encode(finding, record);
	return write(1, record, sizeof(record)) == (ssize_t)sizeof(record) ? 0 : -EPIPE;
}

/* The exit status carries the errno: there is no other way to say it. */
__attribute__((noreturn)) static void child(int fd, int out)
{
	static const struct scan_limits limits = {.memory = 512 << 20, .cpu_seconds = 6 * 3600};
	int err;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Both may stand where the other is to go. */
	fd = fcntl(fd, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	if (fd < 0 || out < 0 || dup2(fd, 0) < 0 || dup2(out, 1) < 0)
		_exit(EIO);
	close_range(2, ~0U, 0);
	signal(SIGPIPE, SIG_IGN);
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (scan_sandbox_enter(&limits, NULL) < 0)
		_exit(EPERM);
	err = dump_scan(0, send_finding, NULL);
	wipe_stack();
	_exit(err < 0 && err > -256 ? -err : 0);
}

/* Whole records until the end; 1 when the last one has come. */
static int receive(int fd, int (*found)(void *userdata, const struct finding *finding),
		   void *userdata)
{
	uint8_t record[FINDING_SIZE];
	struct finding finding;
	size_t len = 0;
	int last = 0;

	for (;;) {
		ssize_t n = read(fd, record + len, sizeof(record) - len);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return len ? -EBADMSG : last;
		len += (size_t)n;
		if (len < sizeof(record))
			continue;
		len = 0;
		if (last || finding_decode(record, &finding) < 0)
			return -EBADMSG;
		last = finding.what == FINDING_END;
		err = found(userdata, &finding);
		if (err < 0)
			return err;
	}
}

int scanner_run(int fd, int (*found)(void *userdata, const struct finding *finding), void *userdata)
{
	_cleanup_close_ int in = -1, out = -1;
	int pipes[2], status, r;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	out = pipes[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(fd, out);
	out = fd_close(out);
	r = receive(in, found, userdata);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return -WEXITSTATUS(status);
	return r && WIFEXITED(status) ? 0 : -ECHILD;
}
