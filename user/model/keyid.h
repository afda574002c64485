/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a key is named, by its public half only. Made by the scan child (user/scan), carried by
 * objects and alerts, joined on by the trail. A plain value: no pointer, no secret.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum key_kind {
	KEY_NONE = 0, /* looked, and it is no key that we know */
	KEY_RSA,
	KEY_DSA,
	KEY_EC,
	KEY_ED25519,
	KEY_ED448,
	KEY_X25519,
	KEY_SK_EC, /* FIDO: the file is a handle, the key stays in the token */
	KEY_SK_ED25519,
	KEY_OTHER,
	KEY_KIND_NR
};

/* Which container it stands in. */
enum key_format {
	KEYFMT_UNKNOWN = 0,
	KEYFMT_OPENSSH, /* openssh-key-v1 */
	KEYFMT_PKCS1, /* BEGIN RSA PRIVATE KEY */
	KEYFMT_SEC1, /* BEGIN EC PRIVATE KEY */
	KEYFMT_DSA, /* BEGIN DSA PRIVATE KEY */
	KEYFMT_PKCS8, /* BEGIN [ENCRYPTED] PRIVATE KEY */
	KEYFMT_PKCS12,
	KEYFMT_PUTTY,
	KEYFMT_GPG_AGENT, /* private-keys-v1.d */
	KEYFMT_PGP, /* OpenPGP packets or armor */
	KEYFMT_NR
};

enum key_source {
	KEYSRC_NONE = 0, /* the public half could not be had; say so */
	KEYSRC_FILE, /* computed from the private half, or compared with it */
	KEYSRC_SIBLING, /* from the .pub (or .crt) beside an encrypted key: unverified */
	/* In clear in the key file, whose private half is encrypted or cannot be compared:
	 * anybody's public half can be put there, so unverified. */
	KEYSRC_STATED,
	KEYSRC_NR
};

struct key_identity {
	enum key_kind kind;
	enum key_format format;
	enum key_source source;
	bool encrypted; /* with a passphrase */
	uint16_t bits;
	char curve[16]; /* EC: "nistp256", "secp256k1", ...; else "" */
	uint8_t spki[32]; /* SHA-256 of the DER SubjectPublicKeyInfo (RFC 5280): the canonical id */
	bool has_spki;
	char ssh_fp[64]; /* "SHA256:..." as ssh-keygen -lf prints it, "" = the type has none */
	char keygrip[41]; /* libgcrypt keygrip in hex, as gpg --with-keygrip prints it, or "" */
	char comment[96]; /* escaped (base/escape.h), cut; from the key or its .pub */
};

const char *key_kind_str(enum key_kind kind); /* "RSA", "ED25519": as ssh-keygen prints it */
const char *key_format_str(enum key_format format); /* "openssh", "pkcs8", ... */
