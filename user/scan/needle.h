/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Needles: keys that are looked for by what a file says about them, without the file being worth
 * stealing. Who has the file is taken to have unlimited patience with hashes; docs/needles.md
 * counts what is left then.
 *
 * A needle is a key's public names and, for each form that the key takes in memory, tags of a few
 * windows of eight bytes (what the search looks up) and one MAC over many more (what makes a hit a
 * proof). A window and its reverse have the same tag, so one serves both byte orders. What tags may
 * tell about a secret is bounded by needle_rule(), for the maker and for the parser of files alike.
 */
#pragma once

#include "base/buf.h"
#include "base/diag.h"
#include "model/keyid.h"
#include "scan/bytes.h"

#define NEEDLE_WINDOW	   8 /* bytes that a tag is made of */
#define NEEDLE_SPAN_MAX	   72 /* bytes that a MAC is made of */
#define NEEDLE_WINDOWS_MAX 8 /* of a form: one for each way eight bytes may be aligned */
#define NEEDLE_FORMS_MAX   16
#define NEEDLE_PUBLIC_MAX  2048 /* bytes of a modulus */
#define NEEDLE_KEY_SIZE	   32
#define NEEDLE_LABEL_MAX   64 /* bytes, NUL included */
#define NEEDLE_ZONE_MAX	   32

/* Which part of the key. */
enum needle_part {
	NEEDLE_SECRET = 0, /* the scalar, the seed, the symmetric key */
	NEEDLE_PRIME1, /* 32 bytes of it */
	NEEDLE_PRIME2,
	NEEDLE_PART_NR
};

enum needle_layout {
	NEEDLE_BYTES = 0, /* most significant byte first, or last: both are looked for */
	NEEDLE_WORDS32, /* most significant word first, each word little endian: Java */
	NEEDLE_DIGITS30, /* 30 bits in 32, least significant first: Python */
	NEEDLE_DIGITS28, /* 28 bits in 32: LibTomMath built small */
	NEEDLE_DIGITS31, /* 31 bits in 32: BearSSL without its head */
	NEEDLE_DIGITS60, /* 60 bits in 64: LibTomMath */
	NEEDLE_BASE64, /* of a PEM body or a JWK member, in one line */
	NEEDLE_LAYOUT_NR
};

struct needle_window {
	uint8_t at; /* in the span */
	uint32_t tag; /* its upper tag_bits; the rest is 0 */
};

struct needle_form {
	enum needle_part part;
	enum needle_layout layout;
	uint8_t span; /* bytes of memory under the MAC */
	uint8_t tag_bits; /* 16, 24 or 32 */
	uint8_t nr;
	uint8_t mac[16];
	struct needle_window windows[NEEDLE_WINDOWS_MAX];
};

struct needle {
	/* Public names. kind KEY_OTHER: a symmetric key, which has none but its label. */
	struct key_identity id;
	char label[NEEDLE_LABEL_MAX],
		zone[NEEDLE_ZONE_MAX]; /* escaped (base/escape.h); may be "" */
	int64_t expires; /* seconds since 1970; 0: never */
	uint8_t *public; /* RSA: the modulus; else the point or raw public key; owned, may be NULL
			  */
	uint16_t public_len;
	uint8_t nr_forms;
	struct needle_form *forms; /* owned */
};

struct needles {
	uint8_t key[NEEDLE_KEY_SIZE]; /* of tags and MACs; stands in the file */
	int64_t made;
	struct needle *items;
	size_t nr;
	/* The last line of the file; needle_sign.h says what it is worth. */
	bool has_signature;
	uint8_t signer[32], signature[64]; /* Ed25519 */
	size_t signed_len; /* bytes of the file that the signature covers */
};

/* What may be told about a secret of this kind and length (bytes) by all tags of all its forms. */
struct needle_rule {
	unsigned tag_bits; /* of each tag; 0: no needle may be made */
	unsigned tags; /* at most, windows that lie in `region` not being counted */
	unsigned region; /* bytes of the secret that may become known; 0: count tags */
};

struct needle_rule needle_rule(enum key_kind kind, size_t len);

/* Bits that a tag is made of; the same for a window and its reverse. */
static inline uint32_t needle_fold(const uint8_t p[NEEDLE_WINDOW])
{
	uint32_t low, high;

	memcpy(&low, p, 4);
	memcpy(&high, p + 4, 4);
	return __builtin_bswap32(high) ^ low;
}

/* The multiplier (odd) and the mask of a file's tags. */
struct needle_hash {
	uint32_t multiplier, mask;
};

struct needle_hash needle_hash(const uint8_t key[NEEDLE_KEY_SIZE]);

static inline uint32_t needle_tag(struct needle_hash hash, uint32_t fold)
{
	return (fold ^ hash.mask) * hash.multiplier;
}

/* 0 in a window's byte: it is neither made nor looked at, as most of memory has zeros in it. */
static inline bool needle_has_zero(const uint8_t p[NEEDLE_WINDOW])
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return (x - 0x0101010101010101ULL) & ~x & 0x8080808080808080ULL;
}

/* -EIO: libcrypto failed. len <= NEEDLE_SPAN_MAX. */
int needle_mac(const uint8_t key[NEEDLE_KEY_SIZE], enum needle_part part, enum needle_layout layout,
	       const uint8_t *span, size_t len, uint8_t out[16]);

const char *needle_part_str(enum needle_part part);
const char *needle_layout_str(enum needle_layout layout);

void needle_fini(struct needle *needle);
void needles_fini(struct needles *needles);

/* Takes the needle over, which is left empty. -ENOMEM, -E2BIG. */
int needles_add(struct needles *needles, struct needle *needle);

/* The needle with this canonical id; NULL if there is none. */
const struct needle *needles_by_spki(const struct needles *needles, const uint8_t spki[32]);

/* The needle of these symmetric key bytes (an AES schedule's): by MAC; NULL if there is none. */
const struct needle *needles_by_secret(const struct needles *needles, const uint8_t *key,
				       size_t len);

/*
 * The file's form (docs/needles.md). Strict: what print does not write, parse does not take. A
 * needle that tells more than its rule allows is an error too. -EINVAL with what is wrong in
 * `diags`, -ENOMEM. Neither looks at signatures or times.
 */
int needles_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		  struct needles *out_needles);
int needles_print(const struct needles *needles, struct buf *out); /* without signature; -ENOMEM */
int needle_print(const struct needle *needle, struct buf *out); /* one block of it */
