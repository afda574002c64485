/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Needle files as a site uses them: read from disk, signed with the site's Ed25519 key (an openssl
 * PEM), refused where the site demands a signature and there is none that holds.
 *
 * A site demands it by having its public key at NEEDLE_SITE_KEY. Otherwise whoever can write the
 * file that a scan is given could leave a key out of it, or have another one take its name.
 */
#pragma once

#include "base/diag.h"
#include "scan/needle.h"

#define NEEDLE_SITE_KEY KT_SYSCONFDIR "/needles.pub"
#define NEEDLE_FILE_MAX (128U << 20) /* bytes */
#define NEEDLE_ED25519	32

/* A PEM file with an Ed25519 public key. -ENOENT: there is none; -EINVAL: it is something else. */
int needle_site_key(const char *path, uint8_t out_key[NEEDLE_ED25519]);

/*
 * Reads and checks a file; "-" is standard input. site: the key that must have signed it, NULL if
 * none is demanded (then a signature still must hold for the key that it names). What is wrong goes
 * to `diags`; needles that expired before `now` (seconds since 1970) are counted, and an error only
 * if nothing else is left and a signature is demanded. -EINVAL, -ENOMEM, or the errno of reading.
 */
int needles_load(const char *path, const uint8_t *site, int64_t now, struct diag_list *diags,
		 struct needles *out_needles, size_t *out_expired);

/*
 * Appends to `out` the file's text with a signature by the private key in `pem` (a file's path),
 * instead of any that it had. libcrypto asks for a passphrase on the terminal if there is one.
 * -EINVAL: no Ed25519 private key; -ENOMEM; the errno of reading it.
 */
int needles_sign(const struct needles *needles, const char *pem, struct buf *out);

/* Does the signature hold for the text that it stands under, by the key that it names? */
bool needles_signature_holds(const struct needles *needles, const char *text);

/*
 * Moves the needles of `from` into `into`, which must have the same key (-EXDEV otherwise). One
 * that is there already is replaced. -ENOMEM, -E2BIG.
 */
int needles_merge(struct needles *into, struct needles *from);
