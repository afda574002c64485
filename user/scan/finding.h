/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the dump scanner says: one record for each piece of key material, never its bytes. Crosses
 * the pipe from the sandboxed scanner as a fixed number of bytes that the reader checks field by
 * field.
 */
#pragma once

#include "model/keyid.h"
#include "scan/result.h"

enum finding_what {
	FINDING_END = 0, /* the last record: offset = bytes looked at, vaddr = SCAN_* of about.h */
	FINDING_RSA, /* a prime and its modulus, standing free in memory */
	FINDING_STRUCTURE, /* a private key in PEM, DER or OpenSSH form */
	FINDING_AES, /* a whole key schedule */
	FINDING_RANGE, /* of a redaction: vaddr bytes from offset on have to go */
	FINDING_KNOWN, /* a needle's key (needle.h), `ref` says which */
	FINDING_TOKEN, /* by a rule (model/tokenrule.h), `ref` says which */
	FINDING_EC, /* a scalar or seed whose public point is in the dump too */
	FINDING_SHIELDED, /* OpenSSH's shielded key and what it is shielded with */
	FINDING_CHACHA, /* a ChaCha20 or Salsa20 state: its constants and a key */
	FINDING_STORE, /* a key store or ticket cache: keytab, ccache, JKS, PKCS#12 */
	FINDING_UNTRIED, /* `ref` is an enum untried: offset = how many of it */
	FINDING_WHAT_NR
};

/* What there may be so much of that not all is tried. Numbers for ever. */
enum untried {
	UNTRIED_WRITTEN = 0, /* places that look like a key in a written form */
	UNTRIED_RSA, /* numbers that may be a modulus or a prime of one, each time */
	UNTRIED_SHIELDED, /* keys that were decrypted and not read */
	UNTRIED_AES, /* schedules that are not told */
	UNTRIED_TOKENS, /* tokens that are not told */
	UNTRIED_FINDINGS, /* findings of any kind that are not told */
	UNTRIED_CURVES, /* searches for scalars, seeds and points that did not come to their end */
	UNTRIED_PREKEYS, /* 16 KiB that keys may be shielded with, which gave way to others */
	UNTRIED_NR
};

enum finding_class {
	CLASS_PROVEN = 0, /* by arithmetic */
	CLASS_LIKELY, /* it has the form and nothing to prove it by */
	CLASS_ENCRYPTED, /* with a passphrase */
	CLASS_TEST, /* a constant that is in every copy of a library */
	CLASS_EPHEMERAL, /* a random generator's */
	FINDING_CLASS_NR
};

enum finding_layout {
	LAYOUT_LE = 0, /* little endian limbs: OpenSSL, GnuTLS, mbedTLS, Go */
	LAYOUT_BE, /* big endian bytes: libgcrypt, NSS */
	LAYOUT_W32, /* 32-bit words, most significant first: Java */
	LAYOUT_TEXT, /* PEM */
	LAYOUT_DER,
	LAYOUT_OPENSSH,
	LAYOUT_ENCRYPT, /* AES: round keys as FIPS 197 orders them */
	LAYOUT_DECRYPT, /* AES: reversed, with InvMixColumns */
	LAYOUT_ENCRYPT_W32, /* the same with the bytes of each word reversed */
	LAYOUT_DECRYPT_W32,
	LAYOUT_DIGITS, /* numbers of 28 to 31 or 60 bits in a word each: Python, LibTomMath */
	LAYOUT_TOKEN, /* as it is sent and written down */
	LAYOUT_W64, /* 64-bit words, most significant first */
	LAYOUT_LE_SWAPPED64, /* limbs of a big endian machine, lowest first */
	LAYOUT_LE_SWAPPED32,
	LAYOUT_DIGITS_60, /* digits of so many bits in the next larger word: LibTomMath */
	LAYOUT_DIGITS_31, /* BearSSL */
	LAYOUT_DIGITS_30, /* Python */
	LAYOUT_DIGITS_28, /* LibTomMath, Tcl */
	LAYOUT_DIGITS_15, /* Python of 32 bits, BearSSL */
	LAYOUT_RAW, /* bytes in the order that the algorithm defines */
	LAYOUT_JSON, /* JWK */
	LAYOUT_BLOB, /* CAPI, CNG */
	LAYOUT_SEXP, /* libgcrypt's, in memory or canonical */
	LAYOUT_NR
};

enum {
	FINDING_TRUNCATED = 1 << 0, /* the dump ends before what its headers announce */
	FINDING_INCOMPLETE = 1 << 1, /* a table was full: there may be more than was said */
	FINDING_CORE = 1 << 2, /* it was an ELF core: offsets have addresses */
};

struct finding {
	enum finding_what what;
	enum finding_class class;
	enum finding_layout layout;
	bool has_vaddr;
	uint16_t bits;
	uint64_t offset; /* in the file */
	uint64_t vaddr;
	uint64_t tag; /* equal for equal secrets of one scan (secret.h); 0: it has none */
	/*
	 * The number + 1 of the needle that the key is known by, whatever found it; of the rule,
	 * for FINDING_TOKEN; 0: none. The receiver has both lists and looks up what they say.
	 */
	uint32_t ref;
	uint32_t length; /* FINDING_TOKEN: in bytes; else 0 */
	struct key_identity id; /* kind KEY_NONE: nothing public about it */
};

#define FINDING_SIZE (40 + SCAN_RESULT_SIZE)

const char *finding_what_str(enum finding_what what);
const char *untried_str(enum untried what); /* "written" */
const char *untried_sentence(enum untried what); /* "written forms were not tried" */
const char *finding_class_str(enum finding_class class);
const char *finding_layout_str(enum finding_layout layout);

void finding_encode(const struct finding *finding, uint8_t out[FINDING_SIZE]);
int finding_decode(const uint8_t p[FINDING_SIZE], struct finding *out_finding); /* 0 or -EBADMSG */
