// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verity FILE sha256|sha512: has the kernel keep fs-verity of it, from now on for ever, and prints
 * the digest that it then tells. Exit status 2: the file system, or the kernel, has no such thing.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct fsverity_enable_arg enable = {
		.version = 1,
		.hash_algorithm = argc == 3 && !strcmp(argv[2], "sha512")
					  ? FS_VERITY_HASH_ALG_SHA512
					  : FS_VERITY_HASH_ALG_SHA256,
		.block_size = 4096,
	};
	struct fsverity_digest *digest = calloc(1, sizeof(*digest) + 64);

	if (fd < 0 || !digest) {
		perror("verity");
		return 1;
	}
	if (ioctl(fd, FS_IOC_ENABLE_VERITY, &enable) < 0) {
		perror("verity: FS_IOC_ENABLE_VERITY");
		return errno == EOPNOTSUPP || errno == ENOTTY ? 2 : 1;
	}
	digest->digest_size = 64;
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, digest) < 0) {
		perror("verity: FS_IOC_MEASURE_VERITY");
		return 1;
	}
	printf("%s:", argv[2]);
	for (unsigned i = 0; i < digest->digest_size; i++)
		printf("%02x", digest->digest[i]);
	putchar('\n');
	return 0;
}
