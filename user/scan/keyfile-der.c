// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DER: PKCS#1, SEC1, the DSA form, PKCS#8 plain and encrypted, PKCS#12. The shape is told by our
 * own reader; a plain key goes to libcrypto, which finds the public half where it has to be
 * computed.
 */
#include "scan/keyfile-internal.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "scan/der.h"
#include "scan/keyfile.h"
#include "scan/wipe.h"

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
#define _cleanup_pkey_ _cleanup_(EVP_PKEY_freep)

static const uint8_t oid_shrouded_bag[] = {0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7,
					   0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02};
static const uint8_t oid_key_bag[] = {0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7,
				      0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x01};

/* How many of the next elements are plain numbers. */
static unsigned count_numbers(struct bytes in)
{
	struct bytes number;
	unsigned nr = 0;

	while (nr < 16 && der_number(&in, &number))
		nr++;
	return nr;
}

static bool small_number(struct bytes *in, unsigned *out_value)
{
	struct bytes number;

	if (!der_number(in, &number) || number.len > 1)
		return false;
	*out_value = number.len ? number.p[0] : 0;
	return true;
}

/* The format that the content of the outer SEQUENCE has; KEYFMT_UNKNOWN for what is no private key.
 */
static enum key_format shape(struct bytes in, bool *out_encrypted)
{
	struct bytes rest = in;
	struct bytes part, oid;
	unsigned version;

	*out_encrypted = false;
	if (der_expect(&rest, DER_SEQUENCE, &part)) {
		/* EncryptedPrivateKeyInfo: PKCS#5 or PKCS#12 password based, then the ciphertext.
		 */
		static const uint8_t pbe5[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05};
		static const uint8_t pbe12[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
						0x0d, 0x01, 0x0c, 0x01};

		if (!der_expect(&part, DER_OID, &oid) || !der_expect(&rest, DER_OCTETS, &part) ||
		    rest.len)
			return KEYFMT_UNKNOWN;
		if (!(oid.len == sizeof(pbe5) + 1 && !memcmp(oid.p, pbe5, sizeof(pbe5))) &&
		    !(oid.len == sizeof(pbe12) + 1 && !memcmp(oid.p, pbe12, sizeof(pbe12))))
			return KEYFMT_UNKNOWN;
		*out_encrypted = true;
		return KEYFMT_PKCS8;
	}
	if (!small_number(&rest, &version))
		return KEYFMT_UNKNOWN;
	if (version == 3 && der_expect(&rest, DER_SEQUENCE, &part) &&
	    der_expect(&part, DER_OID, &oid))
		return KEYFMT_PKCS12;
	if (version <= 1 && der_expect(&rest, DER_SEQUENCE, &part))
		return der_expect(&part, DER_OID, &oid) && der_expect(&rest, DER_OCTETS, &part)
			       ? KEYFMT_PKCS8
			       : KEYFMT_UNKNOWN;
	if (version == 1 && der_expect(&rest, DER_OCTETS, &part))
		return KEYFMT_SEC1;
	if (version <= 1 && count_numbers(rest) >= 8)
		return KEYFMT_PKCS1;
	if (version == 0 && count_numbers(rest) == 5)
		return KEYFMT_DSA;
	return KEYFMT_UNKNOWN;
}

static EVP_PKEY *load(int type, struct bytes der)
{
	const unsigned char *p = der.p;

	return d2i_PrivateKey(type, NULL, &p, (long)der.len);
}

/*
 * A PKCS#8 body in version 0 form: libcrypto 3.0 does not take the public key that RFC 5958 lets
 * follow. out: as large as the input.
 */
static struct bytes as_version0(struct bytes content, uint8_t *out, size_t size)
{
	struct bytes rest = content, version, algorithm, key;
	struct der_out der;
	const uint8_t *end;

	if (!der_expect(&rest, DER_INTEGER, &version) ||
	    !der_expect(&rest, DER_SEQUENCE, &algorithm) || !der_expect(&rest, DER_OCTETS, &key))
		return (struct bytes){NULL, 0};
	der_out_init(&der, out, size);
	end = der.p;
	der_put(&der, key);
	der_wrap(&der, DER_OCTETS, end);
	end = der.p;
	der_put(&der, algorithm);
	der_wrap(&der, DER_SEQUENCE, end);
	der_put_number(&der, (struct bytes){NULL, 0});
	der_wrap(&der, DER_SEQUENCE, der.end);
	return der.full ? (struct bytes){NULL, 0}
			: (struct bytes){der.p, (size_t)(der.end - der.p)};
}

/* What libcrypto knows it as; NID_undef if it does not. Takes it off `in`. */
static int take_oid(struct bytes *in)
{
	const unsigned char *p = in->p;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &p, (long)in->len);
	int nid = object ? OBJ_obj2nid(object) : NID_undef;

	if (object)
		bytes_skip(in, (size_t)(p - in->p));
	ASN1_OBJECT_free(object);
	ERR_clear_error();
	return nid;
}

/* Are there keys of this? To ask libcrypto for one of what it does not have takes it long. */
static bool has_keys(int nid)
{
	EVP_KEYMGMT *of;

	if (nid == NID_undef || EVP_PKEY_asn1_find(NULL, nid))
		return nid != NID_undef;
	of = EVP_KEYMGMT_fetch(NULL, OBJ_nid2sn(nid), NULL);
	EVP_KEYMGMT_free(of);
	ERR_clear_error();
	return of != NULL;
}

static EVP_PKEY *load_pkcs8(struct bytes whole, struct bytes content)
{
	const unsigned char *p;
	PKCS8_PRIV_KEY_INFO *info;
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(whole.len + 16);
	EVP_PKEY *pkey = NULL;
	struct bytes rest = content, version, algorithm, plain;

	if (!memory || !der_number(&rest, &version) ||
	    !der_expect(&rest, DER_SEQUENCE, &algorithm) || !has_keys(take_oid(&algorithm)))
		return NULL;
	plain = as_version0(content, memory, whole.len + 16);
	p = plain.p;
	info = plain.p ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)plain.len) : NULL;
	if (info)
		pkey = EVP_PKCS82PKEY(info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

/* By the check of libcrypto for the kind of key. */
static bool belongs_together(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/*
 * Are the public numbers those of the private ones? In these forms both are written down, but for
 * the curves of which libcrypto computes the public half. Cheap, since each key file is asked: for
 * RSA that a prime divides n (libcrypto's own check would also test whether it is one).
 */
static bool is_own(EVP_PKEY *pkey)
{
	BIGNUM *n = NULL, *p = NULL;
	BN_CTX *ctx;
	bool ok;

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
	case EVP_PKEY_X25519:
	case EVP_PKEY_X448:
		return true;
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		break;
	default:
		return belongs_together(pkey);
	}
	ctx = BN_CTX_new();
	ok = ctx && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) &&
	     EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) && BN_num_bits(p) > 64 &&
	     BN_num_bits(p) < BN_num_bits(n) - 64 && BN_mod(p, n, p, ctx) && BN_is_zero(p);
	BN_free(n);
	BN_clear_free(p);
	BN_CTX_free(ctx);
	return ok;
}

static bool contains(struct bytes in, const uint8_t *what, size_t len)
{
	return memmem(in.p, in.len, what, len) != NULL;
}

/*
 * PKCS#12 is nearly always encrypted as a whole; a bag that stands in clear is told by its name.
 * The key inside is not asked for: that takes the passphrase, if only the empty one.
 */
static void pkcs12(struct bytes content, struct keyfile_found *found)
{
	found->kind = KEY_OTHER;
	found->encrypted = contains(content, oid_shrouded_bag, sizeof(oid_shrouded_bag)) ||
			   !contains(content, oid_key_bag, sizeof(oid_key_bag));
}

static void power(struct keyfile_work *work, struct bytes modulus, struct bytes a, struct bytes b)
{
	work->modulus_bits = 8 * (uint64_t)modulus.len;
	work->exponent_bits = 8 * (uint64_t)(a.len > b.len ? a.len : b.len);
}

/* Parameters of EC keys: a name, or all that there is to say. Where libcrypto does not know the
 * curve it works nothing out. */
static bool names_curve(struct bytes parameters)
{
	EC_builtin_curve curves[128];
	struct bytes numbers = parameters, content;
	size_t nr;
	int nid;

	if (der_expect(&numbers, DER_SEQUENCE, &content))
		return true;
	nid = take_oid(&parameters);
	nr = nid == NID_undef ? 0 : EC_get_builtin_curves(curves, ARRAY_SIZE(curves));
	for (size_t i = 0; i < nr && i < ARRAY_SIZE(curves); i++)
		if (curves[i].nid == nid)
			return true;
	return nr > ARRAY_SIZE(curves);
}

static void sec1_work(struct bytes in, struct keyfile_work *work)
{
	struct bytes version, private, parameters;

	work->curve = der_number(&in, &version) && der_expect(&in, DER_OCTETS, &private) &&
		      der_expect(&in, DER_CONTEXT0, &parameters) && names_curve(parameters);
}

static void pkcs8_work(struct bytes in, struct keyfile_work *work)
{
	struct bytes version, algorithm, private, numbers, modulus = {NULL, 0}, order = {NULL, 0};
	int nid;

	der_number(&in, &version);
	if (!der_expect(&in, DER_SEQUENCE, &algorithm) || !der_expect(&in, DER_OCTETS, &private))
		return;
	nid = take_oid(&algorithm);
	if (nid == NID_rsaEncryption || !has_keys(nid))
		return;
	if (nid == NID_X9_62_id_ecPublicKey) {
		work->curve = names_curve(algorithm);
		return;
	}
	/* DSA and Diffie-Hellman have a SEQUENCE: p, and q or g. */
	if (!der_expect(&algorithm, DER_SEQUENCE, &numbers)) {
		work->own = true;
		return;
	}
	if (der_number(&numbers, &modulus))
		der_number(&numbers, &order);
	power(work, modulus, order, private);
}

bool keyfile_der_work(struct bytes der, struct keyfile_work *out_work)
{
	struct bytes content, version, p, q, g, y, x;
	enum key_format format;
	bool encrypted;

	*out_work = (struct keyfile_work){.curve = false};
	if (!der_expect(&der, DER_SEQUENCE, &content))
		return false;
	format = shape(content, &encrypted);
	if (format == KEYFMT_SEC1)
		sec1_work(content, out_work);
	else if (format == KEYFMT_PKCS8 && !encrypted)
		pkcs8_work(content, out_work);
	else if (format == KEYFMT_DSA && der_number(&content, &version) &&
		 der_number(&content, &p) && der_number(&content, &q) && der_number(&content, &g) &&
		 der_number(&content, &y) && der_number(&content, &x)) {
		power(out_work, p, q, x);
		/* q has 160 bits or more (FIPS 186-4, 4.2); RSA's e has not. */
		out_work->dsa = !content.len && q.len >= 20;
	}
	return format != KEYFMT_UNKNOWN;
}

int keyfile_der(struct bytes raw, struct keyfile_found *found)
{
	static const enum key_kind kinds[KEYFMT_NR] = {
		[KEYFMT_PKCS1] = KEY_RSA,   [KEYFMT_SEC1] = KEY_EC,	 [KEYFMT_DSA] = KEY_DSA,
		[KEYFMT_PKCS8] = KEY_OTHER, [KEYFMT_PKCS12] = KEY_OTHER,
	};
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	struct bytes rest = raw;
	struct bytes content, whole;
	enum key_format format;
	bool encrypted;

	if (!der_expect(&rest, DER_SEQUENCE, &content))
		return 0;
	whole = (struct bytes){raw.p, raw.len - rest.len};
	format = shape(content, &encrypted);
	if (format == KEYFMT_UNKNOWN)
		return 0;
	found->format = format;
	found->kind = kinds[format];
	found->encrypted = encrypted;
	if (encrypted)
		return 1;
	if (format == KEYFMT_PKCS12) {
		pkcs12(content, found);
		return 1;
	}
	if (format == KEYFMT_PKCS8)
		pkey = load_pkcs8(whole, content);
	else
		pkey = load(format == KEYFMT_PKCS1  ? EVP_PKEY_RSA
			    : format == KEYFMT_SEC1 ? EVP_PKEY_EC
						    : EVP_PKEY_DSA,
			    whole);
	found->verified = pkey && is_own(pkey);
	if (found->verified)
		pubkey_from_evp(pkey, &found->pub);
	if (pkey && found->want_proof)
		found->proven = belongs_together(pkey);
	ERR_clear_error();
	return 1;
}
