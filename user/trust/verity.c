// SPDX-License-Identifier: GPL-2.0-or-later
/* The digest that the kernel keeps of a file with fs-verity. */
#include "trust/verity.h"

#include <errno.h>
#include <linux/fsverity.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define DIGEST_MAX 64 /* bytes, of SHA-512 */

int verity_measure(int fd, char out[static VERITY_TEXT])
{
	union {
		struct fsverity_digest digest;
		uint8_t room[sizeof(struct fsverity_digest) + DIGEST_MAX];
	} answer = {.digest = {.digest_size = DIGEST_MAX}};
	const char *name;
	size_t size, n;

	out[0] = '\0';
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &answer) < 0)
		return -errno;
	switch (answer.digest.digest_algorithm) {
	case FS_VERITY_HASH_ALG_SHA256:
		name = "sha256:";
		size = 32;
		break;
	case FS_VERITY_HASH_ALG_SHA512:
		name = "sha512:";
		size = 64;
		break;
	default:
		return -EINVAL;
	}
	if (answer.digest.digest_size != size)
		return -EINVAL;
	n = (size_t)snprintf(out, VERITY_TEXT, "%s", name);
	for (size_t i = 0; i < size; i++)
		n += (size_t)snprintf(out + n, VERITY_TEXT - n, "%02x",
				      answer.room[offsetof(struct fsverity_digest, digest) + i]);
	return 0;
}
