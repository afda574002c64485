// SPDX-License-Identifier: GPL-2.0-or-later
/* needle_make() in a forked, walled-in child; what comes out is text that is parsed as a file is.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "scan/keyfile.h"
#include "scan/needle-make.h"
#include "scan/sandbox.h"
#include "scan/wipe.h"

#define ANSWER_MAX 65536
#define ROOM	   (KEYFILE_MAX + 1) /* one more shows that a file is too large */

/* By position: the descriptor may be shared. */
static long read_all(int fd, uint8_t *out)
{
	size_t len = 0;

	while (len < ROOM) {
		ssize_t n = pread(fd, out + len, ROOM - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EIO;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (long)len;
}

static int answer(const uint8_t key[NEEDLE_KEY_SIZE], bool symmetric, uint8_t *file)
{
	struct needle needle = {.nr_forms = 0};
	struct buf text;
	long len = read_all(0, file);
	int err;

	if (len < 0 || len > KEYFILE_MAX)
		return len < 0 ? (int)len : -EFBIG;
	buf_init(&text, ANSWER_MAX);
	err = needle_make((struct bytes){file, (size_t)len}, key, symmetric, &needle);
	if (!err)
		err = needle_print(&needle, &text);
	if (!err && write(1, text.p, text.len) != (ssize_t)text.len)
		err = -EIO;
	needle_fini(&needle);
	buf_fini(&text);
	return err;
}

/* The exit status carries the errno: there is no other way to say it. */
__attribute__((noreturn)) static void child(int fd, int out, const uint8_t key[NEEDLE_KEY_SIZE],
					    bool symmetric)
{
	static const struct scan_limits limits = {.memory = 512 << 20, .cpu_seconds = 10};
	uint8_t *file = NULL;
	int err;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Both may stand where the other is to go. */
	fd = fcntl(fd, F_DUPFD, 10);
	out = fcntl(out, F_DUPFD, 10);
	if (fd < 0 || out < 0 || dup2(fd, 0) < 0 || dup2(out, 1) < 0)
		_exit(EIO);
	close_range(2, ~0U, 0);
	signal(SIGPIPE, SIG_IGN);
	wipe_libcrypto();
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	file = wipe_alloc(ROOM);
	if (!file)
		_exit(ENOMEM);
	if (scan_sandbox_enter(&limits, NULL) < 0)
		_exit(EPERM);
	err = answer(key, symmetric, file);
	wipe_free(file);
	wipe_stack();
	_exit(err < 0 && err > -256 ? -err : 0);
}

/* All of it, or an error; *out_len 0 if nothing was said. */
static int receive(int fd, char *text, size_t *out_len)
{
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, text + len, ANSWER_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (!n || len == ANSWER_MAX)
			break;
	}
	*out_len = len;
	return len < ANSWER_MAX ? 0 : -EBADMSG;
}

/* The block in a file of its own, for the parser. */
static int parse(const uint8_t key[NEEDLE_KEY_SIZE], const char *block, size_t len,
		 struct needle *out_needle)
{
	struct needles head = {.made = 1}, needles;
	struct diag_list diags = {0};
	struct buf text;
	int err;

	memcpy(head.key, key, NEEDLE_KEY_SIZE);
	buf_init(&text, 0);
	err = needles_print(&head, &text);
	if (!err) {
		text.len--; /* the block has its own empty line */
		err = buf_append(&text, block, len);
	}
	if (!err)
		err = buf_append(&text, "\n", 1);
	if (!err)
		err = needles_parse(NULL, text.p, text.len, &diags, &needles);
	if (!err) {
		if (needles.nr == 1) {
			*out_needle = needles.items[0];
			needles.nr = 0;
		} else {
			err = -EINVAL;
		}
		needles_fini(&needles);
	}
	diag_list_fini(&diags);
	buf_fini(&text);
	return err == -EINVAL ? -EBADMSG : err;
}

int needle_make_file(int fd, const uint8_t key[NEEDLE_KEY_SIZE], bool symmetric,
		     struct needle *out_needle)
{
	_cleanup_close_ int in = -1, out = -1;
	_cleanup_free_ char *text = malloc(ANSWER_MAX);
	int pipes[2], status, r;
	size_t len = 0;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	in = pipes[0];
	out = pipes[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		child(fd, out, key, symmetric);
	out = fd_close(out);
	r = receive(in, text, &len);
	in = fd_close(in);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return r;
	if (!WIFEXITED(status))
		return -ECHILD;
	if (WEXITSTATUS(status))
		return -WEXITSTATUS(status);
	return parse(key, text, len, out_needle);
}

const char *needle_make_strerror(int error)
{
	switch (error) {
	case -ENOKEY:
		return "no private key in a format that is understood (PEM, DER, OpenSSH)";
	case -EACCES:
		return "the key has a passphrase: make the needle from a copy without one";
	case -ENOTSUP:
		return "no needle can be made of a key of this kind";
	case -EINVAL:
		return "a symmetric key is 16 to 64 bytes, or as many pairs of hex digits";
	case -EDOM:
		return "the key's bytes are not random, so its needle would let guesses be tried";
	case -EFBIG:
		return "the file is too large for a key file";
	case -EPERM:
		return "the reader could not shut itself in";
	case -ECHILD:
		return "the reader crashed";
	case -EBADMSG:
		return "the reader gave no valid answer";
	default:
		return strerror(-error);
	}
}
