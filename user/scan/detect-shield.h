/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys as ssh-agent and sshd keep them (sshkey.c, sshkey_shield_private()): encrypted by
 * AES-256-CTR under the SHA-512 of 16 KiB of random bytes, which lie in the same memory. What
 * decrypts to the name of a type of keys is one; no address has to be followed.
 */
#pragma once

#include "scan/form-key.h"
#include "scan/harvest.h"

struct shield_hit {
	const struct stretch *stretch; /* which the encrypted key stands in */
	long at; /* from its first byte */
	const struct form_key *key; /* secret; kind KEY_NONE: of a type that is not known */
};

/* Calls hit for each key. -ENOMEM; -E2BIG: there is more to try than is tried, as by chance it
 * never is. *out_untried: keys that were told and not read, as that is too dear,
 * unless there is all the time for it. */
int shield_detect(const struct harvest *harvest,
		  void (*hit)(void *userdata, const struct shield_hit *hit), void *userdata,
		  bool all_the_time, uint64_t *out_untried);
