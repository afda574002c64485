/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which bytes a secret can stand in memory: every number that belongs to it, in every layout
 * that libraries are known to keep numbers in. For redaction; in the scanner's process only.
 */
#pragma once

#include "scan/secret.h"

/*
 * Calls each() for every form. run: so many bytes in a row of it in a dump are no coincidence. The
 * bytes are wiped after the call. -ENOMEM, or what each() returns below 0.
 *
 * RSA: p, q, d (of both definitions), dp, dq, and the inverse of either prime modulo the other.
 * Ed25519: the seed, and both halves of what SHA-512 makes of it. AES: the key and the schedules of
 * both directions.
 */
int secret_forms(const struct secret *secret,
		 int (*each)(void *userdata, struct bytes form, size_t run), void *userdata);
