// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * openssh-key-v1 (PROTOCOL.key): the public half stands in clear before the private one, and is
 * compared with it if that is not encrypted.
 */
#include "scan/keyfile-internal.h"

#include <errno.h>

#include "base/cleanup.h"
#include "scan/form-key.h"
#include "scan/wipe.h"

#define MAGIC "openssh-key-v1" /* and its NUL */

struct private_form {
	const char *type;
	const char *fields; /* after the type: s = string, b = byte */
};

static const struct private_form forms[] = {
	{"ssh-rsa", "ssssss"},
	{"ssh-dss", "sssss"},
	{"ecdsa-sha2-nistp256", "sss"},
	{"ecdsa-sha2-nistp384", "sss"},
	{"ecdsa-sha2-nistp521", "sss"},
	{"ssh-ed25519", "ss"},
	{"sk-ecdsa-sha2-nistp256@openssh.com", "sssbss"},
	{"sk-ssh-ed25519@openssh.com", "ssbss"},
};

static bool skip_fields(struct bytes *in, const char *fields)
{
	struct bytes field;
	uint8_t byte;

	for (; *fields; fields++)
		if (*fields == 's' ? !bytes_string(in, &field) : !bytes_u8(in, &byte))
			return false;
	return true;
}

static void private_comment(struct bytes in, char out[96])
{
	struct bytes type, comment;
	uint32_t check1, check2;

	if (!bytes_be32(&in, &check1) || !bytes_be32(&in, &check2) || check1 != check2 ||
	    !bytes_string(&in, &type))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!bytes_is(type, forms[i].type))
			continue;
		if (skip_fields(&in, forms[i].fields) && bytes_string(&in, &comment))
			keyfile_comment(comment, out);
		return;
	}
}

/*
 * Is the public half in clear that of the private one? Else anybody's could be put in front of
 * anything, and the file would be called a key of his. FIDO keys have no private half here.
 */
static int compare(struct bytes raw, struct keyfile_found *found)
{
	_cleanup_wipe_ uint8_t *memory = NULL;
	/* One proof, if it is not too dear. */
	struct form_work work = {.left = {[FORM_POWERS] = 1, [FORM_CURVES] = 1}};
	struct form_key *key;

	/* What is not read of the private half is not compared. */
	if (found->pub.kind == KEY_SK_EC || found->pub.kind == KEY_SK_ED25519 ||
	    found->pub.kind == KEY_DSA)
		return 0;
	memory = wipe_alloc(sizeof(*key));
	if (!memory)
		return -ENOMEM;
	key = (struct form_key *)memory;
	form_key_init(key);
	key->work = &work;
	found->verified =
		form_openssh(raw, key) && key->proven && pubkey_eq(&key->pub, &found->pub);
	if (!found->verified)
		pubkey_init(&found->pub);
	return 0;
}

int keyfile_openssh(struct bytes raw, struct keyfile_found *found)
{
	struct bytes cipher, kdf, options, blob, private, whole = raw;
	uint32_t nr;

	if (raw.len < sizeof(MAGIC) || memcmp(raw.p, MAGIC, sizeof(MAGIC)) != 0)
		return 0;
	bytes_skip(&raw, sizeof(MAGIC));
	found->format = KEYFMT_OPENSSH;
	found->kind = KEY_OTHER;
	if (!bytes_string(&raw, &cipher) || !bytes_string(&raw, &kdf) ||
	    !bytes_string(&raw, &options) || !bytes_be32(&raw, &nr))
		return 1;
	found->encrypted = !bytes_is(cipher, "none");
	/* Room for more is in the format, and nobody has ever written more. */
	if (nr != 1 || !bytes_string(&raw, &blob))
		return 1;
	pubkey_from_ssh(blob, &found->pub);
	if (found->encrypted)
		return 1;
	if (found->pub.kind != KEY_NONE && compare(whole, found) < 0)
		return -ENOMEM;
	if (bytes_string(&raw, &private))
		private_comment(private, found->comment);
	return 1;
}
