// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts the scan child, collects its answer, and never waits for it. */
#include "scan/child.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "scan/process.h"
#include "scan/result.h"

struct scan_child {
	struct scan_process process;
	int fd; /* the answer, non-blocking */
	int error; /* what reading came to; 1 = not known yet */
	size_t len;
	uint8_t message[SCAN_RESULT_SIZE + 1]; /* one more shows that it says too much */
	struct key_identity id;
};

static int spawn_child(const char *program, char *const argv[], int key_fd, int sibling_fd,
		       struct scan_child **out_child)
{
	_cleanup_close_ int in = -1, out = -1;
	_cleanup_free_ struct scan_child *child = calloc(1, sizeof(*child));
	int pipes[2];
	int err;

	if (!child)
		return -ENOMEM;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	out = pipes[1];
	if (fcntl(in, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	err = scan_process_spawn(program ? program : SCAN_CHILD_PROGRAM, argv,
				 (const int[SCAN_PROCESS_FDS]){key_fd, out, -1, sibling_fd},
				 &child->process);
	if (err < 0)
		return err;
	child->fd = take_fd(in);
	child->error = 1;
	*out_child = take_ptr(child);
	return 0;
}

int scan_child_spawn(const char *program, int key_fd, int sibling_fd, struct scan_child **out_child)
{
	char *argv[] = {(char *)"keytrail-scan", (char *)"identify", NULL};

	return spawn_child(program, argv, key_fd, sibling_fd, out_child);
}

int scan_child_spawn_at(const char *program, const char *path, dev_t dev, ino_t ino,
			struct scan_child **out_child)
{
	char dev_text[24], ino_text[24];
	char *argv[] = {
		(char *)"keytrail-scan",
		(char *)"identify-at",
		(char *)path,
		dev_text,
		ino_text,
		NULL,
	};

	if (scan_process_crowded())
		return -EBUSY;
	snprintf(dev_text, sizeof(dev_text), "%llu", (unsigned long long)dev);
	snprintf(ino_text, sizeof(ino_text), "%llu", (unsigned long long)ino);
	return spawn_child(program, argv, -1, -1, out_child);
}

int scan_child_fd(const struct scan_child *child)
{
	return child->fd;
}

pid_t scan_child_pid(const struct scan_child *child)
{
	return child->process.pid;
}

/* The pipe has ended: what was said stands. */
static int judge(struct scan_child *child)
{
	struct scan_result result;
	int err;

	if (!child->len)
		return -ECHILD;
	err = scan_result_decode(child->message, child->len, &result);
	if (err < 0)
		return err;
	child->id = result.id;
	return result.error;
}

int scan_child_read(struct scan_child *child, struct key_identity *out_id)
{
	while (child->error == 1) {
		ssize_t n = read(child->fd, child->message + child->len,
				 sizeof(child->message) - child->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -EAGAIN;
		if (n < 0) {
			child->error = -EBADMSG;
			break;
		}
		child->len += (size_t)n;
		if (child->len > SCAN_RESULT_SIZE)
			child->error = -EBADMSG;
		else if (!n)
			child->error = judge(child);
	}
	if (!child->error)
		*out_id = child->id;
	return child->error;
}

void scan_child_free(struct scan_child *child)
{
	if (!child)
		return;
	scan_process_end(&child->process);
	fd_close(child->fd);
	free(child);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int scan_child_identify(const char *program, int key_fd, int sibling_fd, int timeout_ms,
			struct key_identity *out_id)
{
	_cleanup_scan_child_ struct scan_child *child = NULL;
	int64_t end = now_ms() + timeout_ms;
	int r = scan_child_spawn(program, key_fd, sibling_fd, &child);

	if (r < 0)
		return r;
	while ((r = scan_child_read(child, out_id)) == -EAGAIN) {
		struct pollfd pfd = {.fd = child->fd, .events = POLLIN};
		int64_t left = end - now_ms();

		if (left <= 0)
			return -ETIMEDOUT;
		poll(&pfd, 1, (int)left);
	}
	return r;
}

const char *scan_child_strerror(int error)
{
	switch (error) {
	case -EFBIG:
		return "the file is too large for a key file";
	case -EIO:
		return "the file could not be read";
	case -EPERM:
		return "the scanner could not shut itself in";
	case -ECHILD:
		return "the scanner crashed";
	case -EBADMSG:
		return "the scanner gave no valid answer";
	case -ETIMEDOUT:
		return "the scanner took too long";
	case -EBUSY:
		return "earlier scanners hang in the kernel";
	default:
		return strerror(-error);
	}
}
