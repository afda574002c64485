/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of a dump have to go, so that none of the secrets found in it are left. In the
 * scanner's process: only the ranges leave it.
 */
#pragma once

#include "scan/secret.h"

struct range {
	uint64_t offset, len;
};

/*
 * Reads all of the file, what its headers do not speak of as well. Ranges come in order and do not
 * touch. fd: seekable. -ENOMEM; -E2BIG: more secrets or places than can be kept; the errno of
 * reading; or what each() returns below 0.
 */
int redact_find(int fd, struct secrets *secrets,
		int (*each)(void *userdata, const struct range *range), void *userdata);
