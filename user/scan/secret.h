/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secrets of a scan's findings, within the scanner's process only: they give findings a tag by
 * which equal secrets show, and are what a redaction looks for in all forms (redact.h). Bounded;
 * wiped when the scan ends.
 */
#pragma once

#include "base/cleanup.h"
#include "scan/bytes.h"

#define SECRETS_MAX	 4096
#define SECRET_BYTES_MAX 2048 /* of a value: a modulus of 16384 bits */

enum secret_kind {
	SECRET_RSA = 0, /* value: a prime, modulus: n; most significant byte first */
	SECRET_SCALAR, /* of a curve, most significant byte first */
	SECRET_SEED, /* Ed25519, in the order of RFC 8032 */
	SECRET_KEY, /* a symmetric key: AES and others */
	SECRET_TEXT, /* a token as it stands */
	SECRET_KIND_NR
};

struct secret {
	enum secret_kind kind;
	struct bytes value, modulus; /* borrowed */
};

struct secrets;

/* keep: for redaction; else only tags are made. -ENOMEM, or -EIO without random numbers. */
int secrets_new(bool keep, struct secrets **out_secrets);
void secrets_free(struct secrets *secrets); /* wipes; NULL is fine */
DEFINE_CLEANUP(struct secrets *, secrets_free)
#define _cleanup_secrets_ _cleanup_(secrets_freep)

/*
 * A tag that is the same for the same secret within one scan and says nothing about it to who does
 * not have the scan's random key, which never leaves the process. Not 0. Any thread, at any time.
 */
uint64_t secrets_add(struct secrets *secrets, const struct secret *secret);

bool secrets_full(const struct secrets *secrets); /* one was not kept for lack of room */

/*
 * For redaction, else nothing happens. hide: bytes of the file that have to go whatever stands
 * there. note_form: a key in a written form (enum finding_layout) stands there; redact-written.h
 * says how far it reaches.
 */
void secrets_hide(struct secrets *secrets, uint64_t offset, uint64_t len);
void secrets_note_form(struct secrets *secrets, uint64_t offset, unsigned layout);

size_t secrets_nr_hidden(const struct secrets *secrets);
void secrets_get_hidden(const struct secrets *secrets, size_t i, uint64_t *out_offset,
			uint64_t *out_len);
size_t secrets_nr_forms(const struct secrets *secrets);
uint64_t secrets_get_form(const struct secrets *secrets, size_t i, unsigned *out_layout);

/* Those that are kept, each once. Not while others add. */
size_t secrets_nr(const struct secrets *secrets);
struct secret secrets_get(const struct secrets *secrets, size_t i);
