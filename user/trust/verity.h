/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digest that the kernel keeps of a file with fs-verity. */
#pragma once

#define VERITY_TEXT 136 /* "sha512:" and 128 hex digits, with NUL */

/*
 * Asks the kernel (FS_IOC_MEASURE_VERITY, Documentation/filesystems/fsverity.rst) for the digest of
 * an open file: "sha256:..." or "sha512:...", as `fsverity measure` prints it. It is of the file's
 * Merkle tree and says as much as a hash of its content: such a file can never be changed, by
 * nobody, and what is read of it is checked against the tree. It is not the hash that sha256sum
 * prints. -ENODATA: the file has no fs-verity; -EOPNOTSUPP, -ENOTTY: nor can it have; -EINVAL: an
 * algorithm that is not known here. out is "" then. Safe in any thread.
 */
int verity_measure(int fd, char out[static VERITY_TEXT]);
