// SPDX-License-Identifier: GPL-2.0-or-later
/* PEM, DER and openssh-key-v1 as they stand in memory: extents and numbers. */
#include "scan/redact-written.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "scan/base64.h"
#include "scan/der.h"
#include "scan/wipe.h"

DEFINE_CLEANUP(BIGNUM *, BN_clear_free)
#define _cleanup_bn_ _cleanup_(BN_clear_freep)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
#define _cleanup_pkey_ _cleanup_(EVP_PKEY_freep)

/* Characters of a body, of the ends of its lines, and of those ends as JSON and C write them. */
static bool is_body(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r' || c == ' ' ||
	       c == '\\' || c == '\t';
}

/* What stands between BEGIN and END; where there is no END, as far as it looks like one. */
static bool pem_extent(struct bytes bytes, size_t *out_at, size_t *out_len)
{
	size_t at = sizeof("-----BEGIN ") - 1, end;

	if (!bytes_starts(bytes, "-----BEGIN "))
		return false;
	while (at < bytes.len && at < 80 && bytes.p[at] != '-')
		at++;
	while (at < bytes.len && bytes.p[at] == '-')
		at++;
	for (end = at; end < bytes.len && bytes.p[end] && bytes.p[end] != '-'; end++)
		/* Headers (Proc-Type and others) have colons, commas and dashes. */
		if (!is_body(bytes.p[end]) && !(end - at < 200 && bytes.p[end] < 0x7f))
			break;
	*out_at = at;
	*out_len = end - at;
	return end > at;
}

/* The whole element; where it is cut off, what is there. */
static bool der_extent(struct bytes bytes, size_t *out_at, size_t *out_len)
{
	size_t len, head = 2;

	if (bytes.len < 4 || bytes.p[0] != DER_SEQUENCE)
		return false;
	len = bytes.p[1];
	if (len == 0x81) {
		len = bytes.p[2];
		head = 3;
	} else if (len == 0x82) {
		len = (size_t)bytes.p[2] << 8 | bytes.p[3];
		head = 4;
	} else if (len & 0x80) {
		return false;
	}
	*out_at = head;
	*out_len = len < bytes.len - head ? len : bytes.len - head;
	return true;
}

/* The private section: after the cipher, its parameters, and the public keys. */
static bool openssh_private(struct bytes bytes, struct bytes *out_section)
{
	struct bytes in = bytes, ignored;
	uint32_t keys;

	if (!bytes_skip(&in, sizeof("openssh-key-v1")) || !bytes_string(&in, &ignored) ||
	    !bytes_string(&in, &ignored) || !bytes_string(&in, &ignored) ||
	    !bytes_be32(&in, &keys) || keys != 1 || !bytes_string(&in, &ignored))
		return false;
	if (!bytes_string(&in, out_section)) {
		if (in.len < 4)
			return false;
		*out_section = (struct bytes){in.p + 4, in.len - 4};
	}
	return true;
}

bool redact_written_extent(struct bytes bytes, enum finding_layout layout, size_t *out_at,
			   size_t *out_len)
{
	struct bytes section;

	switch (layout) {
	case LAYOUT_TEXT:
		return pem_extent(bytes, out_at, out_len);
	case LAYOUT_DER:
		return der_extent(bytes, out_at, out_len);
	case LAYOUT_OPENSSH:
		if (!openssh_private(bytes, &section))
			return false;
		*out_at = (size_t)(section.p - bytes.p);
		*out_len = section.len;
		return true;
	default:
		return false;
	}
}

static void add(struct secrets *secrets, enum secret_kind kind, struct bytes value,
		struct bytes modulus)
{
	secrets_add(secrets, &(struct secret){kind, bytes_trim_zeros(value), modulus});
}

static void add_rsa(struct secrets *secrets, const EVP_PKEY *pkey)
{
	_cleanup_bn_ BIGNUM *n = NULL, *p = NULL;
	_cleanup_wipe_ uint8_t *bytes = wipe_alloc(2 * SECRET_BYTES_MAX);
	int n_len, p_len;

	if (!bytes || !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &p) ||
	    BN_num_bytes(n) > SECRET_BYTES_MAX || BN_num_bytes(p) > SECRET_BYTES_MAX)
		return;
	n_len = BN_bn2bin(n, bytes);
	p_len = BN_bn2bin(p, bytes + n_len);
	add(secrets, SECRET_RSA, (struct bytes){bytes + n_len, (size_t)p_len},
	    (struct bytes){bytes, (size_t)n_len});
}

static void add_pkey(struct secrets *secrets, const EVP_PKEY *pkey)
{
	_cleanup_wipe_ uint8_t *bytes = wipe_alloc(SECRET_BYTES_MAX);
	_cleanup_bn_ BIGNUM *d = NULL;
	size_t len = SECRET_BYTES_MAX;

	if (!bytes)
		return;
	if (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) {
		add_rsa(secrets, pkey);
	} else if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) &&
		   BN_num_bytes(d) <= SECRET_BYTES_MAX) {
		len = (size_t)((EVP_PKEY_get_bits(pkey) + 7) / 8);
		if (BN_bn2binpad(d, bytes, (int)len) > 0)
			secrets_add(secrets, &(struct secret){SECRET_SCALAR, {bytes, len}, {NULL}});
	} else if (EVP_PKEY_get_raw_private_key(pkey, bytes, &len)) {
		secrets_add(secrets, &(struct secret){SECRET_SEED, {bytes, len}, {NULL}});
	}
}

/* Of the private section (PROTOCOL.key of OpenSSH): two check numbers, then by type. */
static void add_openssh(struct secrets *secrets, struct bytes section)
{
	struct bytes in = section, type, part[6] = {{NULL}};

	if (!bytes_skip(&in, 8) || !bytes_string(&in, &type))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(part) && bytes_string(&in, &part[i]); i++)
		;
	/* n e d iqmp p q; curve point scalar; point, then seed and point. */
	if (bytes_is(type, "ssh-rsa") && part[4].len)
		add(secrets, SECRET_RSA, part[4], bytes_trim_zeros(part[0]));
	else if (bytes_starts(type, "ecdsa-") && part[2].len)
		add(secrets, SECRET_SCALAR, part[2], (struct bytes){NULL});
	else if (bytes_is(type, "ssh-ed25519") && part[1].len == 64)
		secrets_add(secrets, &(struct secret){SECRET_SEED, {part[1].p, 32}, {NULL}});
}

static void add_binary(struct secrets *secrets, struct bytes bytes)
{
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	const uint8_t *p = bytes.p;
	struct bytes section;

	if (bytes_starts(bytes, "openssh-key-v1")) {
		if (openssh_private(bytes, &section))
			add_openssh(secrets, section);
		return;
	}
	pkey = d2i_AutoPrivateKey(NULL, &p, (long)bytes.len);
	if (pkey)
		add_pkey(secrets, pkey);
}

/* The body of a PEM text, as far as it is base64; escaped line ends are none of it. */
static void add_text(struct secrets *secrets, struct bytes body)
{
	_cleanup_wipe_ uint8_t *text = wipe_alloc(body.len + 1);
	_cleanup_wipe_ uint8_t *binary = wipe_alloc(BASE64_DECODED_MAX(body.len));
	size_t len = 0;
	long got;

	if (!text || !binary)
		return;
	for (size_t i = 0; i < body.len; i++) {
		if (body.p[i] == '\\' && i + 1 < body.len)
			i++;
		else if (is_body(body.p[i]) && body.p[i] > ' ')
			text[len++] = body.p[i];
	}
	got = base64_decode((struct bytes){text, len}, binary);
	if (got > 0)
		add_binary(secrets, (struct bytes){binary, (size_t)got});
}

int redact_written(int fd, struct secrets *secrets)
{
	_cleanup_wipe_ uint8_t *room = wipe_alloc(REDACT_WRITTEN_MAX);
	size_t nr = secrets_nr_forms(secrets);

	if (!room)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		unsigned layout;
		uint64_t offset = secrets_get_form(secrets, i, &layout);
		ssize_t got = pread(fd, room, REDACT_WRITTEN_MAX, (off_t)offset);
		size_t at, len;

		if (got < 0)
			return -errno;
		if (!redact_written_extent((struct bytes){room, (size_t)got}, layout, &at, &len))
			continue;
		if (layout == LAYOUT_TEXT)
			add_text(secrets, (struct bytes){room + at, len});
		else
			add_binary(secrets, (struct bytes){room, at + len});
		secrets_hide(secrets, offset + at, len);
	}
	return 0;
}
