// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * keytrail-scan: the child that parses key files for the daemon. Started by user/scan/child.c with
 * the key file as descriptor 0, its answer's pipe as 1 and the sibling as 3 (/dev/null if there is
 * none). Opens nothing itself, but as `identify-at PATH DEVICE INODE`, where the daemon must not:
 * that may wait for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "scan/keyfile.h"
#include "scan/result.h"
#include "scan/sandbox.h"
#include "scan/wipe.h"

#define ROOM (KEYFILE_MAX + 1) /* one more shows that a file is too large */

/* By position: the descriptor may be shared with others. */
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

static void identify(uint8_t *file, uint8_t *sibling, struct scan_result *result)
{
	long len = read_all(0, file);
	long sibling_len = read_all(3, sibling);

	if (len < 0) {
		result->error = (int)len;
		return;
	}
	if (sibling_len < 0 || sibling_len > KEYFILE_MAX)
		sibling_len = 0;
	result->error = keyfile_identify((struct bytes){file, (size_t)len},
					 (struct bytes){sibling, (size_t)sibling_len}, &result->id);
	wipe_stack();
}

/* A regular file, and none that a link leads to: a device may act on being opened. */
static int open_file(const char *path, struct stat *out_st)
{
	const struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				     .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int at = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	char self[64];

	if (at < 0 || fstat(at, out_st) < 0 || !S_ISREG(out_st->st_mode))
		return -EIO;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	return open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Puts the files where they would be if the daemon had opened them. */
static int open_at(const char *path, const char *dev, const char *ino)
{
	_cleanup_close_ int key = -1, sibling = -1;
	char beside[PATH_MAX];
	struct stat st;

	key = open_file(path, &st);
	if (key < 0 || st.st_dev != strtoull(dev, NULL, 10) ||
	    st.st_ino != strtoull(ino, NULL, 10) || dup2(key, 0) < 0)
		return -EIO;
	if ((size_t)snprintf(beside, sizeof(beside), "%s.pub", path) < sizeof(beside))
		sibling = open_file(beside, &st);
	return sibling >= 0 && dup2(sibling, 3) < 0 ? -EIO : 0;
}

int main(int argc, char **argv)
{
	static const struct scan_limits limits = {.memory = 256 << 20, .cpu_seconds = 5};
	struct scan_result result = {.error = 0};
	uint8_t message[SCAN_RESULT_SIZE];
	_cleanup_wipe_ uint8_t *file = NULL;
	_cleanup_wipe_ uint8_t *sibling = NULL;
	ssize_t written;

	if (argc == 5 && !strcmp(argv[1], "identify-at")) {
		result.error = open_at(argv[2], argv[3], argv[4]);
	} else if (argc != 2 || strcmp(argv[1], "identify") != 0) {
		fputs("keytrail-scan is started by keytraild and keytrail only\n", stderr);
		return 2;
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	close_range(4, ~0U, 0);
	if (wipe_libcrypto() < 0 || OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return 3;
	file = wipe_alloc(ROOM);
	sibling = wipe_alloc(ROOM);
	if (!file || !sibling)
		result.error = -ENOMEM;
	else if (scan_sandbox_enter(&limits, NULL) < 0)
		result.error = -EPERM;
	else if (!result.error)
		identify(file, sibling, &result);
	scan_result_encode(&result, message);
	/* A pipe takes this many bytes at once or not at all. */
	written = write(1, message, sizeof(message));
	wipe_free(take_ptr(file));
	wipe_free(take_ptr(sibling));
	/* Exit handlers would want more system calls than there are left. */
	_exit(written == (ssize_t)sizeof(message) ? 0 : 4);
}
