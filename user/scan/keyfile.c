// SPDX-License-Identifier: GPL-2.0-or-later
/* Which container a key file is, and what it and its sibling tell about the key. */
#include "scan/keyfile.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "scan/base64.h"
#include "scan/keyfile-internal.h"
#include "scan/pem.h"
#include "scan/wipe.h"

/* Fewer bytes than this in a block are an example or a template, not a key (an Ed25519 key has 48).
 */
#define KEY_BYTES_MIN 40

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
#define _cleanup_pkey_ _cleanup_(EVP_PKEY_freep)

void keyfile_comment(struct bytes comment, char out[96])
{
	escape_bytes((const char *)comment.p, comment.len, out, 96, NULL);
}

/* The bytes of a block; *out_data is to be wiped. 1, 0 if it is not base64, -ENOMEM. */
static int unarmour(struct bytes body, uint8_t **out_data, struct bytes *out_raw)
{
	uint8_t *data = wipe_alloc(BASE64_DECODED_MAX(body.len));
	long len;

	if (!data)
		return -ENOMEM;
	len = base64_decode(body, data);
	if (len < 0) {
		wipe_free(data);
		return 0;
	}
	*out_data = data;
	*out_raw = (struct bytes){data, (size_t)len};
	return 1;
}

/* OpenPGP's armor ends with a line "=CRC24" that is not part of the data. */
static struct bytes without_crc(struct bytes body)
{
	struct bytes rest = body, line;

	while (bytes_line(&rest, &line))
		if (line.len == 5 && line.p[0] == '=')
			body.len = (size_t)(line.p - body.p);
	return body;
}

static const struct {
	const char *label;
	enum key_format format;
	enum key_kind kind;
} labels[] = {
	{"OPENSSH PRIVATE KEY", KEYFMT_OPENSSH, KEY_OTHER},
	{"PRIVATE KEY", KEYFMT_PKCS8, KEY_OTHER},
	{"ENCRYPTED PRIVATE KEY", KEYFMT_PKCS8, KEY_OTHER},
	{"RSA PRIVATE KEY", KEYFMT_PKCS1, KEY_RSA},
	{"EC PRIVATE KEY", KEYFMT_SEC1, KEY_EC},
	{"DSA PRIVATE KEY", KEYFMT_DSA, KEY_DSA},
	{"PGP PRIVATE KEY BLOCK", KEYFMT_PGP, KEY_OTHER},
};

/* One private block. 1 if it is a key, be it one that can be read no further. */
static int block(const struct pem *pem, struct keyfile_found *found)
{
	_cleanup_wipe_ uint8_t *data = NULL;
	struct bytes raw;
	bool pgp = bytes_is(pem->label, "PGP PRIVATE KEY BLOCK");
	int r = unarmour(pgp ? without_crc(pem->body) : pem->body, &data, &raw);

	if (r <= 0 || raw.len < KEY_BYTES_MIN)
		return r < 0 ? r : 0;
	found->format = KEYFMT_UNKNOWN;
	found->kind = KEY_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++)
		if (bytes_is(pem->label, labels[i].label)) {
			found->format = labels[i].format;
			found->kind = labels[i].kind;
		}
	if (bytes_starts(pem_header(pem, "Proc-Type"), "4,ENCRYPTED") ||
	    bytes_is(pem->label, "ENCRYPTED PRIVATE KEY")) {
		found->encrypted = true;
		return 1;
	}
	if (pgp)
		r = keyfile_pgp(raw, found);
	else if (found->format == KEYFMT_OPENSSH)
		r = keyfile_openssh(raw, found);
	else
		r = keyfile_der(raw, found);
	if (r)
		return r;
	/* A stub of OpenPGP is no key; any other block says that it is one, so it is a damaged one.
	 */
	if (pgp)
		found->format = KEYFMT_UNKNOWN;
	else
		found->kind = found->kind ? found->kind : KEY_OTHER;
	return !pgp;
}

/* The first private block that is a key. */
static int blocks(struct bytes file, struct keyfile_found *found)
{
	struct pem pem;
	int r = 0;

	/* Which tells most that is none sooner than going through its lines. */
	if (!memmem(file.p, file.len, "-----BEGIN ", 11))
		return 0;
	while (r == 0 && pem_next(&file, &pem))
		if (pem_is_private(&pem))
			r = block(&pem, found);
	return r;
}

static bool public_block(const struct pem *pem, struct pubkey *out_pub)
{
	_cleanup_wipe_ uint8_t *data = NULL;
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	X509 *cert = NULL;
	const unsigned char *p;
	struct bytes raw;

	if (unarmour(pem->body, &data, &raw) <= 0)
		return false;
	p = raw.p;
	if (bytes_is(pem->label, "PUBLIC KEY")) {
		pkey = d2i_PUBKEY(NULL, &p, (long)raw.len);
	} else if (bytes_is(pem->label, "RSA PUBLIC KEY")) {
		pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)raw.len);
	} else if (bytes_is(pem->label, "CERTIFICATE")) {
		cert = d2i_X509(NULL, &p, (long)raw.len);
		pkey = cert ? X509_get_pubkey(cert) : NULL;
		X509_free(cert);
	}
	ERR_clear_error();
	return pkey && pubkey_from_evp(pkey, out_pub);
}

/* "type base64 comment" */
static bool public_line(struct bytes line, struct pubkey *out_pub, char comment[96])
{
	_cleanup_wipe_ uint8_t *data = NULL;
	struct bytes word[2], raw;

	for (int i = 0; i < 2; i++) {
		word[i] = (struct bytes){line.p, 0};
		while (line.len && line.p[0] != ' ' && line.p[0] != '\t') {
			bytes_skip(&line, 1);
			word[i].len++;
		}
		while (line.len && (line.p[0] == ' ' || line.p[0] == '\t'))
			bytes_skip(&line, 1);
	}
	/* A blob begins with the length of its type, which is short. */
	if (!bytes_starts(word[1], "AAAA") || unarmour(word[1], &data, &raw) <= 0 ||
	    !pubkey_from_ssh(raw, out_pub))
		return false;
	keyfile_comment(line, comment);
	return true;
}

bool keyfile_sibling(struct bytes file, struct pubkey *out_pub, char comment[96])
{
	struct bytes rest = file, line;
	struct pem pem;

	while (pem_next(&rest, &pem))
		if (public_block(&pem, out_pub))
			return true;
	rest = file;
	while (bytes_line(&rest, &line))
		if (line.len && line.p[0] != '#' && public_line(line, out_pub, comment))
			return true;
	return false;
}

static int find(struct bytes file, struct keyfile_found *found)
{
	int r;

	r = blocks(file, found);
	if (r == 0)
		r = keyfile_openssh(file, found);
	if (r == 0)
		r = keyfile_der(file, found);
	if (r == 0)
		r = keyfile_putty(file, found);
	if (r == 0)
		r = keyfile_gpg(file, found);
	if (r == 0)
		r = keyfile_pgp(file, found);
	return r;
}

/* What the sibling adds: the whole public half where the key hides it, or the comment to the same
 * key. */
static void add_sibling(struct bytes file, struct keyfile_found *found, enum key_source *source)
{
	struct pubkey pub;
	char comment[96] = "";

	if (!keyfile_sibling(file, &pub, comment))
		return;
	if (found->pub.kind == KEY_NONE) {
		/* A container that tells its kind is not named by a key of another. */
		if (found->kind != KEY_OTHER && found->kind != pub.kind)
			return;
		found->pub = pub;
		*source = KEYSRC_SIBLING;
	} else if (!pubkey_eq(&found->pub, &pub)) {
		return;
	}
	if (!found->comment[0])
		memcpy(found->comment, comment, sizeof(comment));
}

static int identify(struct bytes file, struct bytes sibling, bool *proven,
		    struct key_identity *out_id)
{
	struct keyfile_found found = {.format = KEYFMT_UNKNOWN, .want_proof = proven != NULL};
	struct key_identity id = {.kind = KEY_NONE};
	int r;

	if (file.len > KEYFILE_MAX)
		return -EFBIG;
	pubkey_init(&found.pub);
	r = file.len ? find(file, &found) : 0;
	if (r < 0)
		return r;
	if (r > 0) {
		if (found.pub.kind)
			id.source = found.verified ? KEYSRC_FILE : KEYSRC_STATED;
		/* A certificate may stand in the same file as the encrypted key. */
		if (found.encrypted && id.source == KEYSRC_NONE)
			add_sibling(file, &found, &id.source);
		if (sibling.len && sibling.len <= KEYFILE_MAX &&
		    (id.source != KEYSRC_NONE || found.encrypted))
			add_sibling(sibling, &found, &id.source);
		id.kind = found.kind;
		if (id.source)
			pubkey_identify(&found.pub, &id);
		id.format = found.format;
		id.encrypted = found.encrypted;
		memcpy(id.comment, found.comment, sizeof(id.comment));
		if (id.source && found.want_keygrip && pubkey_keygrip(&found.pub, &id) < 0)
			return -ENOMEM;
	}
	if (proven)
		*proven = found.proven;
	*out_id = id;
	return 0;
}

int keyfile_identify(struct bytes file, struct bytes sibling, struct key_identity *out_id)
{
	return identify(file, sibling, NULL, out_id);
}

int keyfile_prove(struct bytes file, struct key_identity *out_id, bool *out_proven)
{
	return identify(file, (struct bytes){NULL, 0}, out_proven, out_id);
}
