/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES key schedules in memory, of encryption and of decryption, for 128, 192 and 256 bits, with the
 * bytes of the words in either order.
 *
 * Three of four words of a schedule (five of six for 192 bits) are the exclusive or of the one
 * before and of the one a key's length before; InvMixColumns is linear, so a decryption schedule
 * obeys the same relation the other way round. Eight neighbouring words that show the pattern are a
 * candidate; the whole schedule computed again from its key is the proof that it is one.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/finding.h"

#define AES_SCHEDULE_MAX 240 /* bytes */
#define AES_BLOCK	 32 /* the step of the search */

struct aes_hit {
	size_t at; /* where the schedule starts */
	uint8_t key_len; /* bytes */
	enum finding_layout layout;
	uint8_t key[32]; /* secret: the caller wipes it */
};

/*
 * Looks for schedules that have a block starting in [from, to) of `memory`; they may lie up to
 * AES_SCHEDULE_MAX bytes before `from` or after `to`, as far as `memory` reaches. Words are taken
 * at multiples of 4 from memory.p. *last_end (first 0): where the last hit ended, so that one
 * schedule is one hit; the caller moves it when the window moves.
 */
void aes_detect(struct bytes memory, size_t from, size_t to, size_t *last_end,
		void (*hit)(void *userdata, const struct aes_hit *hit), void *userdata);

/*
 * The schedule of a key of 16, 24 or 32 bytes. mixed: that of the inverse cipher (FIPS 197, 5.3.5),
 * its last round first. out: AES_SCHEDULE_MAX bytes, secret. Returns the length.
 */
size_t aes_schedule(struct bytes key, bool mixed, uint8_t *out);

/* The same by plain C only, for comparison. */
void aes_detect_scalar(struct bytes memory, size_t from, size_t to, size_t *last_end,
		       void (*hit)(void *userdata, const struct aes_hit *hit), void *userdata);
