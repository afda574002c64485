// SPDX-License-Identifier: GPL-2.0-or-later
/* The words for a key's kind and for its container. */
#include "model/keyid.h"

#include "base/cleanup.h"

const char *key_kind_str(enum key_kind kind)
{
	static const char *const words[KEY_KIND_NR] = {
		[KEY_NONE] = "none",	 [KEY_RSA] = "RSA",	    [KEY_DSA] = "DSA",
		[KEY_EC] = "ECDSA",	 [KEY_ED25519] = "ED25519", [KEY_ED448] = "ED448",
		[KEY_X25519] = "X25519", [KEY_SK_EC] = "ECDSA-SK",  [KEY_SK_ED25519] = "ED25519-SK",
		[KEY_OTHER] = "other",
	};

	return (unsigned)kind < ARRAY_SIZE(words) ? words[kind] : "?";
}

const char *key_format_str(enum key_format format)
{
	static const char *const words[KEYFMT_NR] = {
		[KEYFMT_UNKNOWN] = "unknown",
		[KEYFMT_OPENSSH] = "openssh",
		[KEYFMT_PKCS1] = "pkcs1",
		[KEYFMT_SEC1] = "sec1",
		[KEYFMT_DSA] = "dsa",
		[KEYFMT_PKCS8] = "pkcs8",
		[KEYFMT_PKCS12] = "pkcs12",
		[KEYFMT_PUTTY] = "putty",
		[KEYFMT_GPG_AGENT] = "gpg-agent",
		[KEYFMT_PGP] = "openpgp",
	};

	return (unsigned)format < ARRAY_SIZE(words) ? words[format] : "?";
}
