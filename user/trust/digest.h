/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of a file's content. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT 72 /* "sha256:" and 64 hex digits, with NUL */
#define DIGEST_MD5  33 /* 32 hex digits, with NUL: what dpkg keeps */

/*
 * Reads the file from its beginning, by pread(). -EFBIG if it has more than `max` bytes, -ENOMEM,
 * or the error of a read. Safe in any thread.
 */
int digest_file(int fd, uint64_t max, char out_sha256[static DIGEST_TEXT],
		char out_md5[static DIGEST_MD5]);
