// SPDX-License-Identifier: GPL-2.0-or-later
/* OpenSSH's private keys (PROTOCOL.key, sshkey_private_serialize()). */
#include "scan/form-key.h"

static bool number(struct bytes *in, struct bytes *out)
{
	if (!bytes_string(in, out))
		return false;
	*out = bytes_trim_zeros(*out);
	return true;
}

bool form_ssh(struct bytes in, struct form_key *key)
{
	struct bytes type, name, public, secret, inverse;
	struct form_rsa rsa = {.n = {NULL, 0}};

	if (!bytes_string(&in, &type))
		return false;
	if (bytes_is(type, "ssh-rsa")) {
		/* One that is cut off after d is proven by d. */
		if (!number(&in, &rsa.n) || !number(&in, &rsa.e) || !number(&in, &rsa.d))
			return false;
		if (!number(&in, &inverse) || !number(&in, &rsa.p) || !number(&in, &rsa.q))
			rsa.p = rsa.q = (struct bytes){NULL, 0};
		return form_rsa(&rsa, key);
	}
	if (bytes_is(type, "ssh-ed25519"))
		return bytes_string(&in, &public) && public.len == 32 &&
		       bytes_string(&in, &secret) && secret.len == 64 &&
		       form_raw(KEY_ED25519, (struct bytes){secret.p, 32}, public, key);
	if (bytes_starts(type, "ecdsa-sha2-"))
		return bytes_string(&in, &name) && bytes_string(&in, &public) &&
		       number(&in, &secret) &&
		       form_ec(curve_by_ssh_name(name), secret, public, key);
	return false;
}

bool form_openssh(struct bytes in, struct form_key *key)
{
	struct bytes cipher, kdf, options, public, private;
	uint32_t nr, check1, check2, len;

	if (!bytes_starts(in, "openssh-key-v1") || !bytes_skip(&in, 15) ||
	    !bytes_string(&in, &cipher) || !bytes_is(cipher, "none") || !bytes_string(&in, &kdf) ||
	    !bytes_string(&in, &options) || !bytes_be32(&in, &nr) || nr != 1 ||
	    !bytes_string(&in, &public) || !bytes_be32(&in, &len))
		return false;
	private = (struct bytes){in.p, len < in.len ? len : in.len};
	return bytes_be32(&private, &check1) && bytes_be32(&private, &check2) && check1 == check2 &&
	       form_ssh(private, key);
}
