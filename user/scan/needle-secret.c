// SPDX-License-Identifier: GPL-2.0-or-later
/* Private numbers out of key files: libcrypto's formats, and OpenSSH's own. */
#include "scan/needle-secret.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/keyfile.h"
#include "scan/pem.h"
#include "scan/wipe.h"

#define MAGIC "openssh-key-v1" /* and its NUL */

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
#define _cleanup_pkey_ _cleanup_(EVP_PKEY_freep)

/* Lengths of the numbers of an RSA key, from which their places follow. */
struct rsa_numbers {
	struct bytes n, e, d, iqmp, p;
};

static size_t der_head(size_t content)
{
	return content < 0x80 ? 2 : content < 0x100 ? 3 : 4;
}

/* With a zero in front where the first bit is set: both DER and RFC 4251 write it. */
static size_t signed_len(struct bytes number)
{
	return number.len + (number.len && number.p[0] & 0x80);
}

static size_t der_len(struct bytes number)
{
	return der_head(signed_len(number)) + signed_len(number);
}

/* Where p stands in the bodies that openssl and ssh-keygen write. */
static void place_rsa(const struct rsa_numbers *r, size_t at[BODY_NR])
{
	size_t zero = signed_len(r->p) - r->p.len;
	size_t blob = 4 + 7 + 4 + signed_len(r->e) + 4 + signed_len(r->n);

	/* SEQUENCE, version, n, e, d, then p's own head; from 2048 bits on lengths take two bytes.
	 */
	at[BODY_PKCS1] = 4 + 3 + der_len(r->n) + der_len(r->e) + der_len(r->d) +
			 der_head(signed_len(r->p)) + zero;
	/* SEQUENCE, version, AlgorithmIdentifier, OCTET STRING */
	at[BODY_PKCS8] = 4 + 3 + 15 + 4 + at[BODY_PKCS1];
	/* magic, cipher and kdf "none", options "", count, the public blob; then the private half:
	 * its length, two numbers to compare, type, n, e, d, iqmp, p */
	at[BODY_OPENSSH] = sizeof(MAGIC) + 8 + 8 + 4 + 4 + 4 + blob + 4 + 8 + 4 + 7 + 4 +
			   signed_len(r->n) + 4 + signed_len(r->e) + 4 + signed_len(r->d) + 4 +
			   signed_len(r->iqmp) + 4 + zero;
}

static bool set_number(struct needle_secret *s, unsigned i, struct bytes number)
{
	number = bytes_trim_zeros(number);
	if (!number.len || number.len > SECRET_NUMBER_MAX)
		return false;
	memcpy(s->number[i], number.p, number.len);
	s->len[i] = number.len;
	return true;
}

static bool set_public(struct needle_secret *s, struct bytes public)
{
	if (!public.len || public.len > sizeof(s->public))
		return false;
	memcpy(s->public, public.p, public.len);
	s->public_len = public.len;
	return true;
}

static bool set_rsa(struct needle_secret *s, const struct rsa_numbers *r, struct bytes q)
{
	s->nr = 2;
	place_rsa(r, s->body_at);
	return set_public(s, r->n) && set_number(s, 0, r->p) && set_number(s, 1, q);
}

/* A scalar at the full length of its order, as programs keep it. */
static bool set_scalar(struct needle_secret *s, struct bytes number, size_t len)
{
	number = bytes_trim_zeros(number);
	if (!number.len || number.len > len || len > SECRET_NUMBER_MAX)
		return false;
	memcpy(s->number[0] + len - number.len, number.p, number.len);
	s->len[0] = len;
	s->nr = 1;
	return true;
}

/* A parameter's bytes into *at, which moves on. */
static bool bn_param(const EVP_PKEY *pkey, const char *name, uint8_t **at, const uint8_t *end,
		     struct bytes *out)
{
	BIGNUM *bn = NULL;
	bool ok = EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 && BN_num_bytes(bn) <= end - *at;

	if (ok) {
		*out = (struct bytes){*at, (size_t)BN_bn2bin(bn, *at)};
		*at += out->len;
	}
	BN_clear_free(bn);
	return ok;
}

static bool rsa_from_evp(const EVP_PKEY *pkey, struct needle_secret *s)
{
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(16384);
	struct rsa_numbers r = {0};
	struct bytes q;
	const uint8_t *end;
	uint8_t *at;

	if (!memory)
		return false;
	at = memory;
	end = memory + 16384;
	return bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &at, end, &r.n) &&
	       bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &at, end, &r.e) &&
	       bn_param(pkey, OSSL_PKEY_PARAM_RSA_D, &at, end, &r.d) &&
	       bn_param(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &at, end, &r.iqmp) &&
	       bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &at, end, &r.p) &&
	       bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &at, end, &q) && set_rsa(s, &r, q);
}

static bool scalar_from_evp(const EVP_PKEY *pkey, size_t len, struct needle_secret *s)
{
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(256);
	uint8_t *at = memory;
	struct bytes number;
	size_t public_len = 0;

	if (!memory || !bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &at, memory + 256, &number) ||
	    !set_scalar(s, number, len))
		return false;
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, s->public,
					    sizeof(s->public), &public_len) == 1)
		s->public_len = public_len;
	return true;
}

static bool raw_from_evp(const EVP_PKEY *pkey, struct needle_secret *s)
{
	s->len[0] = sizeof(s->number[0]);
	s->public_len = sizeof(s->public);
	s->nr = 1;
	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519) {
		s->body_at[BODY_PKCS8] = 16;
		/* magic, "none" twice, "", count, blob (type, key), length, two numbers to
		 * compare, type, public key, the private one's length */
		s->body_at[BODY_OPENSSH] =
			sizeof(MAGIC) + 8 + 8 + 4 + 4 + 4 + 51 + 4 + 8 + 15 + 36 + 4;
	}
	return EVP_PKEY_get_raw_private_key(pkey, s->number[0], &s->len[0]) == 1 &&
	       EVP_PKEY_get_raw_public_key(pkey, s->public, &s->public_len) == 1;
}

static int from_evp(const EVP_PKEY *pkey, struct needle_secret *s)
{
	bool ok;

	switch (s->id.kind) {
	case KEY_RSA:
		ok = rsa_from_evp(pkey, s);
		break;
	case KEY_EC:
	case KEY_DSA:
		ok = scalar_from_evp(pkey,
				     (size_t)(s->id.kind == KEY_DSA ? 32 : (s->id.bits + 7) / 8),
				     s);
		break;
	case KEY_ED25519:
	case KEY_ED448:
	case KEY_X25519:
		ok = raw_from_evp(pkey, s);
		break;
	default:
		return -ENOTSUP;
	}
	return ok ? 0 : -ENOTSUP;
}

static int from_der(struct bytes der, struct needle_secret *s)
{
	const unsigned char *p = der.p;
	_cleanup_pkey_ EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
	int err = pkey ? from_evp(pkey, s) : -ENOKEY;

	ERR_clear_error();
	return err;
}

/* An Ed25519 key as libcrypto has it, for its public half's and its places' sake. */
static int ed25519_from_seed(struct bytes seed, struct needle_secret *s)
{
	_cleanup_pkey_ EVP_PKEY *pkey =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, 32);

	return pkey ? from_evp(pkey, s) : -ENOKEY;
}

static int rsa_from_openssh(struct bytes in, struct needle_secret *s)
{
	struct bytes number[6];

	for (int i = 0; i < 6; i++) {
		if (!bytes_string(&in, &number[i]))
			return -ENOKEY;
		number[i] = bytes_trim_zeros(number[i]);
	}
	return set_rsa(s,
		       &(struct rsa_numbers){number[0], number[1], number[2], number[3], number[4]},
		       number[5])
		       ? 0
		       : -ENOTSUP;
}

static int from_openssh(struct bytes raw, struct needle_secret *s)
{
	struct bytes cipher, kdf, options, blob, in, type, field, secret;
	uint32_t nr, check[2];

	if (!bytes_skip(&raw, sizeof(MAGIC)) || !bytes_string(&raw, &cipher) ||
	    !bytes_string(&raw, &kdf) || !bytes_string(&raw, &options) || !bytes_be32(&raw, &nr) ||
	    nr != 1 || !bytes_string(&raw, &blob) || !bytes_string(&raw, &in))
		return -ENOKEY;
	if (!bytes_is(cipher, "none"))
		return -EACCES;
	if (!bytes_be32(&in, &check[0]) || !bytes_be32(&in, &check[1]) || check[0] != check[1] ||
	    !bytes_string(&in, &type))
		return -ENOKEY;
	if (bytes_is(type, "ssh-rsa"))
		return rsa_from_openssh(in, s);
	if (bytes_is(type, "ssh-ed25519"))
		return bytes_string(&in, &field) && bytes_string(&in, &secret) && secret.len == 64
			       ? ed25519_from_seed(secret, s)
			       : -ENOKEY;
	if (bytes_starts(type, "ecdsa-sha2-"))
		return bytes_string(&in, &field) && bytes_string(&in, &field) &&
				       set_public(s, field) && bytes_string(&in, &secret) &&
				       set_scalar(s, secret, (s->id.bits + 7U) / 8)
			       ? 0
			       : -ENOKEY;
	return -ENOTSUP;
}

static int from_raw(struct bytes raw, struct needle_secret *s)
{
	if (raw.len >= sizeof(MAGIC) && !memcmp(raw.p, MAGIC, sizeof(MAGIC)))
		return from_openssh(raw, s);
	return from_der(raw, s);
}

static int from_pem(struct bytes file, struct needle_secret *s)
{
	struct pem pem;

	while (pem_next(&file, &pem)) {
		_cleanup_wipe_ uint8_t *data = NULL;
		long len;

		if (!pem_is_private(&pem) || !pem.body.len)
			continue;
		data = wipe_alloc(BASE64_DECODED_MAX(pem.body.len));
		if (!data)
			return -ENOMEM;
		len = base64_decode(pem.body, data);
		return len < 0 ? -ENOKEY : from_raw((struct bytes){data, (size_t)len}, s);
	}
	return -ENOKEY;
}

int needle_secret_read(struct bytes file, struct needle_secret *s)
{
	int err = keyfile_identify(file, (struct bytes){NULL, 0}, &s->id);

	if (err < 0)
		return err == -ENOMEM ? err : -ENOKEY;
	if (s->id.kind == KEY_NONE)
		return -ENOKEY;
	if (s->id.encrypted)
		return -EACCES;
	if (!s->id.has_spki)
		return -ENOTSUP;
	err = from_raw(file, s);
	return err == -ENOKEY ? from_pem(file, s) : err;
}

int needle_secret_read_symmetric(struct bytes file, struct needle_secret *s)
{
	struct bytes text = file;

	while (text.len && isspace(text.p[text.len - 1]))
		text.len--;
	s->id = (struct key_identity){.kind = KEY_OTHER};
	s->nr = 1;
	if (text.len % 2 == 0 && text.len >= 32 && text.len <= 128) {
		size_t i;

		for (i = 0; i < text.len && isxdigit(text.p[i]); i++) {
			uint8_t c = text.p[i];
			uint8_t digit = (uint8_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);

			s->number[0][i / 2] = (uint8_t)(s->number[0][i / 2] << 4 | digit);
		}
		s->len[0] = text.len / 2;
		if (i == text.len)
			goto sized;
	}
	if (file.len < 16 || file.len > 64)
		return -EINVAL;
	memcpy(s->number[0], file.p, file.len);
	s->len[0] = file.len;
sized:
	s->id.bits = (uint16_t)(8 * s->len[0]);
	return 0;
}

static unsigned count_distinct(const uint8_t *p, size_t len)
{
	bool seen[256] = {false};
	unsigned nr = 0;

	for (size_t i = 0; i < len; i++) {
		nr += !seen[p[i]];
		seen[p[i]] = true;
	}
	explicit_bzero(seen, sizeof(seen));
	return nr;
}

bool needle_secret_is_random(struct bytes secret)
{
	uint8_t steps[SECRET_NUMBER_MAX];
	size_t len = secret.len < 32 ? secret.len : 32; /* more than that would hide a short one */
	bool text = true, random;

	if (len < 16)
		return false;
	for (size_t i = 0; i < secret.len; i++)
		text &= isprint(secret.p[i]) || isspace(secret.p[i]);
	for (size_t i = 0; i + 1 < len; i++)
		steps[i] = (uint8_t)(secret.p[i + 1] - secret.p[i]);
	/* Of random bytes less than one key in 100,000 is refused. */
	random = !text && count_distinct(secret.p, len) >= len * 11 / 16 &&
		 count_distinct(steps, len - 1) >= len / 2;
	explicit_bzero(steps, sizeof(steps));
	return random;
}
