// SPDX-License-Identifier: GPL-2.0-or-later
/* The blobs that Windows imports and exports keys in: CAPI's, little endian, and CNG's, big endian.
 */
#include "base/cleanup.h"
#include "scan/form-key.h"
#include "scan/wipe.h"

static bool le32(struct bytes *in, uint32_t *out)
{
	struct bytes b;

	if (!bytes_take(in, 4, &b))
		return false;
	*out = (uint32_t)b.p[3] << 24 | (uint32_t)b.p[2] << 16 | (uint32_t)b.p[1] << 8 | b.p[0];
	return true;
}

static bool reversed(struct bytes *in, size_t len, uint8_t **memory, struct bytes *out)
{
	struct bytes part;

	if (!bytes_take(in, len, &part))
		return false;
	for (size_t i = 0; i < len; i++)
		(*memory)[i] = part.p[len - 1 - i];
	*out = bytes_trim_zeros((struct bytes){*memory, len});
	*memory += len;
	return true;
}

/* PRIVATEKEYBLOB: RSAPUBKEY, then n, p, q, dp, dq, 1/q, d. */
static bool capi_rsa(struct bytes in, struct form_key *key)
{
	_cleanup_wipe_ uint8_t *memory = NULL;
	struct form_rsa rsa = {.n = {NULL, 0}};
	uint32_t bits;
	uint8_t e[4], *to;

	if (!le32(&in, &bits) || bits < 512 || bits > 16384 || bits % 16 || in.len < 4)
		return false;
	for (unsigned i = 0; i < 4; i++)
		e[i] = in.p[3 - i];
	bytes_skip(&in, 4);
	rsa.e = bytes_trim_zeros((struct bytes){e, 4});
	memory = wipe_alloc(bits / 4);
	to = memory;
	return memory && reversed(&in, bits / 8, &to, &rsa.n) &&
	       reversed(&in, bits / 16, &to, &rsa.p) && reversed(&in, bits / 16, &to, &rsa.q) &&
	       form_rsa(&rsa, key);
}

/* BCRYPT_RSAKEY_BLOB: four lengths after the number of bits, then e, n, p, q. */
static bool cng_rsa(struct bytes in, struct form_key *key)
{
	struct form_rsa rsa = {.n = {NULL, 0}};
	uint32_t bits, e, n, p, q;

	return le32(&in, &bits) && le32(&in, &e) && le32(&in, &n) && le32(&in, &p) &&
	       le32(&in, &q) && bits >= 512 && bits <= 16384 && n == (bits + 7) / 8 && e &&
	       e <= 8 && p && p <= n && q && q <= n && bytes_take(&in, e, &rsa.e) &&
	       bytes_take(&in, n, &rsa.n) && bytes_take(&in, p, &rsa.p) &&
	       bytes_take(&in, q, &rsa.q) && form_rsa(&rsa, key);
}

/* BCRYPT_ECCKEY_BLOB: the length of a number, then x, y, d. */
static bool cng_ec(struct bytes in, char size, struct form_key *key)
{
	const char *group = size == '2' ? "prime256v1" : size == '4' ? "secp384r1" : "secp521r1";
	uint32_t len, want = size == '2' ? 32 : size == '4' ? 48 : 66;
	uint8_t public[1 + 2 * 66] = {4};
	struct bytes xy, d;

	if ((size != '2' && size != '4' && size != '6') || !le32(&in, &len) || len != want ||
	    !bytes_take(&in, 2 * (size_t)len, &xy) || !bytes_take(&in, len, &d))
		return false;
	memcpy(public + 1, xy.p, xy.len);
	return form_ec(curve_by_group(group), bytes_trim_zeros(d),
		       (struct bytes){public, 1 + xy.len}, key);
}

bool form_blob(struct bytes in, bool capi, struct form_key *key)
{
	struct bytes magic;

	if (!bytes_take(&in, 4, &magic))
		return false;
	if (magic.p[0] == 'R')
		return capi ? magic.p[3] == '2' && capi_rsa(in, key)
			    : (magic.p[3] == '2' || magic.p[3] == '3') && cng_rsa(in, key);
	return cng_ec(in, (char)magic.p[3], key);
}
