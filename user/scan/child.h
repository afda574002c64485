/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the scan child (keytrail-scan) whose key stands in a file: starts it, gives it the
 * descriptor, reads one bounded message back and trusts nothing in it.
 *
 * Made for an event loop: spawn, poll scan_child_fd(), call scan_child_read() while it says
 * -EAGAIN, free. The caller has the timer: when it fires, scan_child_free() kills the child. One
 * thread at a time (the list of children that would not die is shared by all).
 */
#pragma once

#include <sys/types.h>

#include "base/cleanup.h"
#include "model/keyid.h"

#define SCAN_CHILD_PROGRAM KT_LIBEXECDIR "/keytrail-scan"

struct scan_child;

/*
 * program: NULL = SCAN_CHILD_PROGRAM. key_fd: open for reading, stays the caller's, its offset is
 * not moved. sibling_fd: the same for the .pub or .crt beside it, -1 if there is none. The child
 * starts with no environment and no other descriptor.
 * -EBUSY: too many earlier children hang in the kernel (a dead network file system); -ENOENT,
 * -EACCES: the program; -ENOMEM, -EMFILE, -EAGAIN.
 */
int scan_child_spawn(const char *program, int key_fd, int sibling_fd,
		     struct scan_child **out_child);

/*
 * The same for a file that must not be opened here, since that may wait for ever: the child opens
 * `path`, following no link, and reads it only if it is the regular file of this device and inode
 * number (as stat() has them), else -EIO. The sibling is what has the path with ".pub" added.
 * -EBUSY sooner than above, so that such children never keep files from being looked at that are
 * not slow.
 */
int scan_child_spawn_at(const char *program, const char *path, dev_t dev, ino_t ino,
			struct scan_child **out_child);

/* Readable, or hung up, when scan_child_read() has something to say. Stays the child's. */
int scan_child_fd(const struct scan_child *child);
pid_t scan_child_pid(const struct scan_child *child);

/*
 * Never blocks. -EAGAIN: no answer yet. 0: the answer, kind KEY_NONE if the file holds no private
 * key. Otherwise there will be no answer: -EFBIG the file is too large for a key, -EIO it could not
 * be read, -EPERM the child could not shut itself in and so did not look, -ECHILD it died without a
 * word, -EBADMSG it said something that is no answer, -ENOMEM. The same again when called again.
 */
int scan_child_read(struct scan_child *child, struct key_identity *out_id);

/* Kills what still runs; does not wait for longer than 100 ms for it to go. NULL is fine. */
void scan_child_free(struct scan_child *child);
DEFINE_CLEANUP(struct scan_child *, scan_child_free)
#define _cleanup_scan_child_ _cleanup_(scan_child_freep)

/* All of it in one call that blocks for at most timeout_ms; -ETIMEDOUT besides the above. */
int scan_child_identify(const char *program, int key_fd, int sibling_fd, int timeout_ms,
			struct key_identity *out_id);

/* The sentence for an error of scan_child_read() or scan_child_identify(): "the scanner crashed".
 */
const char *scan_child_strerror(int error);
