// SPDX-License-Identifier: GPL-2.0-or-later
/* From a secret to all bytes that tell it. */
#include "scan/secret-forms.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "scan/base64.h"
#include "scan/detect-aes.h"
#include "scan/wipe.h"

/* Of bytes, base64 and hexadecimal digits: 90 bits or more, in gigabytes of memory. */
#define RUN_BYTES  12
#define RUN_BASE64 16
#define RUN_HEX	   24

DEFINE_CLEANUP(BIGNUM *, BN_clear_free)
#define _cleanup_bn_ _cleanup_(BN_clear_freep)
DEFINE_CLEANUP(BN_CTX *, BN_CTX_free)
#define _cleanup_bn_ctx_ _cleanup_(BN_CTX_freep)

struct out {
	int (*each)(void *userdata, struct bytes form, size_t run);
	void *userdata;
	uint8_t *room; /* of ROOM bytes, wiped at the end */
};

#define ROOM (8 * SECRET_BYTES_MAX)

static int give(const struct out *out, size_t len, size_t run)
{
	return out->each(out->userdata, (struct bytes){out->room, len}, run < len ? run : len);
}

static int give_swapped(const struct out *out, struct bytes be, size_t width)
{
	if (be.len % width || be.len <= width)
		return 0;
	for (size_t i = 0; i < be.len; i++)
		out->room[i] = be.p[i - i % width + (width - 1 - i % width)];
	return give(out, be.len, RUN_BYTES);
}

/* The lowest digit first, each of `bits` in a little endian word of `width` bytes. */
static int give_digits(const struct out *out, struct bytes be, unsigned bits, unsigned width)
{
	size_t nr = (be.len * 8 + bits - 1) / bits;

	for (size_t i = 0; i < nr; i++) {
		uint64_t digit = 0;

		for (unsigned b = 0; b < bits; b++) {
			size_t bit = i * bits + b;

			if (bit / 8 < be.len)
				digit |= (uint64_t)(be.p[be.len - 1 - bit / 8] >> bit % 8 & 1) << b;
		}
		for (unsigned b = 0; b < width; b++)
			out->room[i * width + b] = (uint8_t)(digit >> 8 * b);
	}
	return give(out, nr * width, RUN_BYTES);
}

static int give_hex(const struct out *out, struct bytes be, const char *digits)
{
	for (size_t i = 0; i < be.len; i++) {
		out->room[2 * i] = (uint8_t)digits[be.p[i] >> 4];
		out->room[2 * i + 1] = (uint8_t)digits[be.p[i] & 15];
	}
	return give(out, 2 * be.len, RUN_HEX);
}

/* As it stands `phase` bytes after a multiple of three; the characters that others take part in are
 * left out. */
static int give_base64(const struct out *out, struct bytes be, unsigned phase, bool url)
{
	uint8_t *text = out->room, *padded = out->room + ROOM / 2;
	size_t len, skip = phase ? phase + 1 : 0;

	memset(padded, 0, phase);
	memcpy(padded + phase, be.p, be.len);
	len = base64_encode((struct bytes){padded, (phase + be.len) / 3 * 3}, (char *)text);
	for (size_t i = 0; i < len && url; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	if (len <= skip + 8)
		return 0;
	memmove(text, text + skip, len - skip);
	return give(out, len - skip, RUN_BASE64);
}

static int give_text(const struct out *out, struct bytes be)
{
	int err = give_hex(out, be, "0123456789abcdef");

	if (!err)
		err = give_hex(out, be, "0123456789ABCDEF");
	for (unsigned i = 0; i < 6 && !err; i++)
		err = give_base64(out, be, i / 2, i & 1);
	return err;
}

static int give_bytes(const struct out *out, struct bytes bytes)
{
	int err;

	memcpy(out->room, bytes.p, bytes.len);
	err = give(out, bytes.len, RUN_BYTES);
	for (size_t i = 0; i < bytes.len; i++)
		out->room[i] = bytes.p[bytes.len - 1 - i];
	return err ? err : give(out, bytes.len, RUN_BYTES);
}

/* A number of a key: bytes in both orders, words, digits, text. */
static int give_number(const struct out *out, struct bytes be)
{
	static const struct {
		unsigned bits, width;
	} digits[] = {{15, 2}, {28, 4}, {30, 4}, {31, 4}, {60, 8}};
	int err = give_bytes(out, be);

	for (size_t i = 0; i < ARRAY_SIZE(digits) && !err; i++)
		err = give_digits(out, be, digits[i].bits, digits[i].width);
	for (size_t width = 4; width <= 8 && !err; width += 4) {
		err = give_swapped(out, be, width);
		if (!err) {
			/* The same from a machine of the other byte order, lowest word first. */
			for (size_t i = 0; i < be.len && be.len % width == 0; i++)
				out->room[i] = be.p[be.len - width - i / width * width + i % width];
			err = be.len % width ? 0 : give(out, be.len, RUN_BYTES);
		}
	}
	return err ? err : give_text(out, be);
}

static int give_bn(const struct out *out, const BIGNUM *bn, size_t len)
{
	_cleanup_wipe_ uint8_t *be = wipe_alloc(len);

	if (!be)
		return -ENOMEM;
	/* A short number is one whose top is 0 by chance: in words it stands with that 0. */
	return BN_bn2binpad(bn, be, (int)len) < 0 ? -ENOMEM
						  : give_number(out, (struct bytes){be, len});
}

struct rsa {
	BIGNUM *p, *q, *p1, *q1, *phi, *lambda, *x, *gcd, *e;
	BN_CTX *ctx;
	size_t len; /* of a prime */
};

/* Half of it belongs to either prime: d modulo it, and the other prime's inverse. */
static int give_half(const struct out *out, struct rsa *r, BIGNUM *p, BIGNUM *p1, BIGNUM *q)
{
	int err = give_bn(out, p, r->len);

	if (!err && BN_mod_inverse(r->x, r->e, p1, r->ctx))
		err = give_bn(out, r->x, r->len);
	if (!err && BN_mod_inverse(r->x, q, p, r->ctx))
		err = give_bn(out, r->x, r->len);
	return err;
}

static int give_rsa_numbers(const struct out *out, struct rsa *r)
{
	int err = give_half(out, r, r->p, r->p1, r->q);

	if (!err)
		err = give_half(out, r, r->q, r->q1, r->p);
	/* e and the order need not be coprime if e is not what the key was made for. */
	if (!err && BN_mod_inverse(r->x, r->e, r->phi, r->ctx))
		err = give_bn(out, r->x, 2 * r->len);
	if (!err && BN_mod_inverse(r->x, r->e, r->lambda, r->ctx))
		err = give_bn(out, r->x, 2 * r->len);
	return err;
}

static int give_rsa(const struct out *out, const struct secret *s)
{
	_cleanup_bn_ctx_ BN_CTX *ctx = BN_CTX_new();
	_cleanup_bn_ BIGNUM *p = BN_bin2bn(s->value.p, (int)s->value.len, NULL), *q = BN_new();
	_cleanup_bn_ BIGNUM *n = BN_bin2bn(s->modulus.p, (int)s->modulus.len, NULL);
	_cleanup_bn_ BIGNUM *p1 = BN_new(), *q1 = BN_new(), *phi = BN_new(), *lambda = BN_new();
	_cleanup_bn_ BIGNUM *x = BN_new(), *gcd = BN_new(), *e = BN_new();
	struct rsa rsa = {p, q, p1, q1, phi, lambda, x, gcd, e, ctx, 0};

	if (!ctx || !p || !q || !n || !p1 || !q1 || !phi || !lambda || !x || !gcd || !e)
		return -ENOMEM;
	if (BN_is_zero(p) || !BN_div(q, x, n, p, ctx) || !BN_is_zero(x) || BN_is_one(q) ||
	    !BN_set_word(e, 65537) || !BN_sub(p1, p, BN_value_one()) ||
	    !BN_sub(q1, q, BN_value_one()) || !BN_mul(phi, p1, q1, ctx) ||
	    !BN_gcd(gcd, p1, q1, ctx) || !BN_div(lambda, NULL, phi, gcd, ctx))
		return 0; /* no such key */
	rsa.len = (size_t)(BN_num_bytes(p) > BN_num_bytes(q) ? BN_num_bytes(p) : BN_num_bytes(q));
	return give_rsa_numbers(out, &rsa);
}

static int give_seed(const struct out *out, struct bytes seed)
{
	_cleanup_wipe_ uint8_t *hash = wipe_alloc(64);
	unsigned len = 64;
	int err = give_number(out, seed);

	if (!hash || !EVP_Digest(seed.p, seed.len, hash, &len, EVP_sha512(), NULL))
		return -ENOMEM;
	for (size_t half = 0; half < 2 && !err; half++)
		err = give_number(out, (struct bytes){hash + 32 * half, 32});
	/* RFC 8032, 5.1.5: the scalar. */
	hash[0] &= 248;
	hash[31] = (hash[31] & 127) | 64;
	return err ? err : give_number(out, (struct bytes){hash, 32});
}

static int give_key(const struct out *out, struct bytes key)
{
	_cleanup_wipe_ uint8_t *schedule = NULL;
	int err = give_number(out, key);

	if (err || (key.len != 16 && key.len != 24 && key.len != 32))
		return err;
	schedule = wipe_alloc(AES_SCHEDULE_MAX);
	if (!schedule)
		return -ENOMEM;
	/* One direction of words, and the other: in whole rounds, so that runs of one round count
	 * also where rounds stand apart or in another order. */
	for (int mixed = 0; mixed < 2 && !err; mixed++) {
		size_t len = aes_schedule(key, mixed, schedule);

		memcpy(out->room, schedule, len);
		err = give(out, len, RUN_BYTES);
		if (!err)
			err = give_swapped(out, (struct bytes){schedule, len}, 4);
	}
	return err;
}

int secret_forms(const struct secret *secret,
		 int (*each)(void *userdata, struct bytes form, size_t run), void *userdata)
{
	_cleanup_wipe_ uint8_t *room = wipe_alloc(ROOM);
	struct out out = {each, userdata, room};

	if (!room)
		return -ENOMEM;
	if (!secret->value.len || secret->value.len > SECRET_BYTES_MAX)
		return 0;
	switch (secret->kind) {
	case SECRET_RSA:
		return give_rsa(&out, secret);
	case SECRET_SCALAR:
		return give_number(&out, secret->value);
	case SECRET_SEED:
		return give_seed(&out, secret->value);
	case SECRET_KEY:
		return give_key(&out, secret->value);
	default:
		memcpy(room, secret->value.p, secret->value.len);
		return give(&out, secret->value.len, RUN_BYTES);
	}
}
