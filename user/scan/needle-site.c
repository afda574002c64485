// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files on disk: reading, signatures, putting together. */
#include "scan/needle-site.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "base/cleanup.h"

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
#define _cleanup_pkey_ _cleanup_(EVP_PKEY_freep)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
#define _cleanup_md_ctx_ _cleanup_(EVP_MD_CTX_freep)

int needle_site_key(const char *path, uint8_t out_key[NEEDLE_ED25519])
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	size_t len = NEEDLE_ED25519;

	if (!f)
		return -errno;
	pkey = PEM_read_PUBKEY(f, NULL, NULL, NULL);
	ERR_clear_error();
	if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, out_key, &len) != 1)
		return -EINVAL;
	return 0;
}

static int read_file(const char *path, struct buf *out)
{
	_cleanup_close_ int opened = -1;
	_cleanup_free_ char *block = malloc(65536);
	int fd = STDIN_FILENO;

	if (!block)
		return -ENOMEM;
	if (strcmp(path, "-") != 0) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return -errno;
		fd = opened;
	}
	for (;;) {
		ssize_t n = read(fd, block, 65536);
		int err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		err = buf_append(out, block, (size_t)n);
		if (err < 0)
			return err == -ENOBUFS ? -EFBIG : err;
	}
}

static bool holds(const uint8_t signer[NEEDLE_ED25519], const uint8_t signature[64],
		  const char *text, size_t len)
{
	_cleanup_pkey_ EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, signer, NEEDLE_ED25519);
	_cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		  EVP_DigestVerify(ctx, signature, 64, (const unsigned char *)text, len) == 1;

	ERR_clear_error();
	return ok;
}

bool needles_signature_holds(const struct needles *needles, const char *text)
{
	return needles->has_signature &&
	       holds(needles->signer, needles->signature, text, needles->signed_len);
}

static int fault(struct diag_list *diags, const char *path, const char *what)
{
	diag_add(diags, DIAG_ERROR, path, 0, 0, "%s", what);
	return -EINVAL;
}

static int judge(const char *path, const char *text, const uint8_t *site, int64_t now,
		 struct diag_list *diags, const struct needles *needles, size_t *out_expired)
{
	size_t expired = 0;

	if (site && !needles->has_signature)
		return fault(diags, path, "not signed, and a signature is demanded");
	if (site && memcmp(needles->signer, site, NEEDLE_ED25519) != 0)
		return fault(diags, path, "signed by another key than the site's");
	if (needles->has_signature && !needles_signature_holds(needles, text))
		return fault(diags, path, "the signature does not hold: the file was changed");
	for (size_t i = 0; i < needles->nr; i++)
		expired += needles->items[i].expires && needles->items[i].expires <= now;
	if (site && needles->nr && expired == needles->nr)
		return fault(diags, path, "all of it has expired");
	*out_expired = expired;
	return 0;
}

int needles_load(const char *path, const uint8_t *site, int64_t now, struct diag_list *diags,
		 struct needles *out_needles, size_t *out_expired)
{
	struct needles needles = {.nr = 0};
	struct buf text;
	int err;

	buf_init(&text, NEEDLE_FILE_MAX);
	err = read_file(path, &text);
	if (err < 0)
		diag_add(diags, DIAG_ERROR, path, 0, 0, "%s", strerror(-err));
	if (!err)
		err = needles_parse(path, text.p ? text.p : "", text.len, diags, &needles);
	if (!err)
		err = judge(path, text.p, site, now, diags, &needles, out_expired);
	buf_fini(&text);
	if (err < 0) {
		needles_fini(&needles);
		return err;
	}
	*out_needles = needles;
	return 0;
}

static int append_hex(struct buf *out, const char *before, const uint8_t *p, size_t len)
{
	int err = buf_appendf(out, "%s", before);

	for (size_t i = 0; i < len && !err; i++)
		err = buf_appendf(out, "%02x", p[i]);
	return err;
}

int needles_sign(const struct needles *needles, const char *pem, struct buf *out)
{
	_cleanup_fclose_ FILE *f = fopen(pem, "re");
	_cleanup_pkey_ EVP_PKEY *pkey = NULL;
	_cleanup_md_ctx_ EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signer[NEEDLE_ED25519], signature[64];
	size_t len = sizeof(signer), start = out->len;
	int err;

	if (!f)
		return -errno;
	if (!ctx)
		return -ENOMEM;
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the key stays in stdio */
	pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	ERR_clear_error();
	if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, signer, &len) != 1)
		return -EINVAL;
	err = needles_print(needles, out);
	if (err < 0)
		return err;
	len = sizeof(signature);
	if (EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
	    EVP_DigestSign(ctx, signature, &len, (const unsigned char *)out->p + start,
			   out->len - start) != 1)
		return -EINVAL;
	err = append_hex(out, "signature ", signer, sizeof(signer));
	if (!err)
		err = append_hex(out, " ", signature, sizeof(signature));
	return err ? err : buf_append(out, "\n", 1);
}

/* A symmetric key has no public name; one that has the same MAC over all of it is the same. */
static bool same(const struct needle *a, const struct needle *b)
{
	if (a->id.kind != b->id.kind || a->id.has_spki != b->id.has_spki)
		return false;
	if (a->id.has_spki)
		return memcmp(a->id.spki, b->id.spki, sizeof(a->id.spki)) == 0;
	return a->nr_forms && b->nr_forms && a->forms[0].span == b->forms[0].span &&
	       memcmp(a->forms[0].mac, b->forms[0].mac, sizeof(a->forms[0].mac)) == 0;
}

int needles_merge(struct needles *into, struct needles *from)
{
	if (memcmp(into->key, from->key, sizeof(into->key)) != 0)
		return -EXDEV;
	for (size_t i = 0; i < from->nr; i++) {
		struct needle *n = &from->items[i];
		size_t at = 0;
		int err;

		while (at < into->nr && !same(&into->items[at], n))
			at++;
		if (at < into->nr) {
			needle_fini(&into->items[at]);
			into->items[at] = *n;
			*n = (struct needle){.nr_forms = 0};
			continue;
		}
		err = needles_add(into, n);
		if (err < 0)
			return err;
	}
	if (from->made > into->made)
		into->made = from->made;
	into->has_signature = false;
	return 0;
}
