/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between keyfile.c and its readers of one container each. */
#pragma once

#include "scan/pubkey.h"

/* What a reader saw. Big; holds no secret. */
struct keyfile_found {
	enum key_format format;
	enum key_kind
		kind; /* where the container tells it though the public half is not to be had */
	bool encrypted;
	struct pubkey pub; /* kind KEY_NONE: not to be had */
	bool verified; /* `pub` was computed from the private half, or compared with it */
	char comment[96]; /* escaped */
	bool want_keygrip;
	bool want_proof; /* asked for by the caller */
	bool proven; /* the private half belongs to the public one */
};

/*
 * Each: 1 the bytes are that container and *found is filled, 0 they are not and *found is as it
 * was, -ENOMEM. A damaged container counts as one, without a public half.
 */
int keyfile_openssh(struct bytes raw, struct keyfile_found *found); /* "openssh-key-v1\0"... */
int keyfile_der(struct bytes raw, struct keyfile_found *found);
int keyfile_putty(struct bytes text, struct keyfile_found *found);
int keyfile_gpg(struct bytes file, struct keyfile_found *found);
int keyfile_pgp(struct bytes packets, struct keyfile_found *found);

/* The public half that a .pub or a certificate shows; false if there is none. */
bool keyfile_sibling(struct bytes file, struct pubkey *out_pub, char comment[96]);

/* A comment's bytes, escaped and cut. */
void keyfile_comment(struct bytes comment, char out[96]);
