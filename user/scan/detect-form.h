/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys that stand in memory in a written form: PEM and base64 of any kind (cut off, escaped
 * in JSON, in 16-bit letters, encoded twice), DER, openssh-key-v1, JWK, CAPI's and CNG's blobs,
 * gpg-agent's files, PuTTY's, age's and WireGuard's, key stores and ticket caches. A marker is
 * found by its bytes; what follows is a key only if arithmetic or a parser says so.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/finding.h"
#include "scan/form-key.h"
#include "scan/secret.h"

#define FORM_MAX 16384 /* bytes that one key may take */

struct form_room; /* for what is read, secret: wiped by wipe_free() */

struct form_room *form_room_new(void); /* NULL: no memory */

struct form_detect {
	/* What reading and proving may still cost. What it does not suffice for is not told. */
	struct form_work *work;
	/* Positions in findings count from memory.p. secret: NULL where it is not to be had. */
	void (*hit)(void *userdata, const struct finding *finding, const struct secret *secret);
	void *userdata;
	struct form_room *room; /* one for each thread; NULL: one is made for the call */
};

/* Looks at what begins in [from, to) of `memory`; a key may reach beyond `to`. -ENOMEM or 0. */
int form_detect(struct bytes memory, size_t from, size_t to, const struct form_detect *detect);
