/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a private key to its needle. needle_make() handles key bytes: call it in a process that is
 * shut in; needle_make_file() is that, and hands out what is no secret.
 */
#pragma once

#include "scan/needle.h"

/*
 * file: a key file as needle_secret_read() takes, or, with `symmetric`, key bytes. The needle has
 * no label, zone or expiry; RSA keys under 2048 bits and curves of unusual size get no forms, they
 * are known by their public half only. All copies of key bytes are wiped.
 *
 * 0; -ENOKEY: no private key that is understood; -EACCES: it has a passphrase; -ENOTSUP: of another
 * kind; -EINVAL: symmetric and not 16 to 64 bytes; -EDOM: its bytes are not random, so the needle
 * would let guesses be tried; -ENOMEM, -EIO.
 */
int needle_make(struct bytes file, const uint8_t key[NEEDLE_KEY_SIZE], bool symmetric,
		struct needle *out_needle);

/*
 * The same from an open file, by a child in the sandbox of sandbox.h: no key byte comes into this
 * process. Forks: call with one thread. Besides the above -EFBIG, -EPERM (no walls), -ECHILD,
 * -EBADMSG (its answer is no needle).
 */
int needle_make_file(int fd, const uint8_t key[NEEDLE_KEY_SIZE], bool symmetric,
		     struct needle *out_needle);

/* The sentence for these errors. */
const char *needle_make_strerror(int error);
