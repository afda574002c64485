// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that are a line or a file of text of their own: age, WireGuard, minisign, PuTTY, gpg-agent.
 */
#include "scan/form-search.h"

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/sexp.h"

static bool stands(const struct form_search *s, size_t at, const char *text)
{
	return bytes_starts(form_rest(s, at), text);
}

/* BIP 173, over letters of either case; the checksum must be right. out: 32 bytes. */
static bool bech32(struct bytes in, const char *prefix, uint8_t out[32])
{
	static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					     0x2a1462b3};
	uint32_t check = 1, group = 0;
	unsigned bits = 0, nr = 0;
	size_t len = strlen(prefix);
	uint8_t values[2 * 24 + 1 + 58];

	for (size_t i = 0; i < len; i++)
		values[nr++] = (uint8_t)prefix[i] >> 5;
	values[nr++] = 0;
	for (size_t i = 0; i < len; i++)
		values[nr++] = (uint8_t)prefix[i] & 31;
	if (in.len < 58)
		return false;
	for (size_t i = 0; i < 58; i++) {
		const char *at = in.p[i] ? strchr(letters, in.p[i] | 0x20) : NULL;

		if (!at)
			return false;
		values[nr++] = (uint8_t)(at - letters);
	}
	for (unsigned i = 0; i < nr; i++) {
		uint32_t top = check >> 25;

		check = (check & 0x1ffffff) << 5 ^ values[i];
		for (unsigned k = 0; k < 5; k++)
			check ^= top >> k & 1 ? generator[k] : 0;
	}
	nr -= 58;
	for (unsigned i = 0, to = 0; i < 52 && to < 32; i++) {
		group = group << 5 | values[nr + i];
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[to++] = (uint8_t)(group >> bits);
		}
	}
	explicit_bzero(values, sizeof(values));
	return check == 1;
}

/* age's X25519 identity: nothing else has this name, and its checksum is right. */
static void age(struct form_search *s, size_t at)
{
	uint8_t seed[32];
	struct bytes rest = form_rest(s, at);

	if (!bytes_skip(&rest, 16) || !bech32(rest, "age-secret-key-", seed) ||
	    !form_affords(s, FORM_PROOFS, FORM_COST_PROOF))
		return;
	form_key_init(s->key);
	if (form_raw(KEY_X25519, (struct bytes){seed, 32}, (struct bytes){NULL, 0}, s->key)) {
		s->key->proven = true;
		form_tell(s, at, LAYOUT_TEXT, KEYFMT_UNKNOWN);
	}
	form_key_wipe(s->key);
	explicit_bzero(seed, sizeof(seed));
}

/* Of wg(8)'s configuration: `PrivateKey = ` and 32 bytes that are clamped as wg genkey does it. */
static void wireguard(struct form_search *s, size_t at)
{
	struct bytes rest = form_rest(s, at);
	uint8_t seed[48];
	size_t len, used;

	if (!bytes_skip(&rest, strlen("PrivateKey")))
		return;
	while (rest.len && (rest.p[0] == ' ' || rest.p[0] == '\t'))
		bytes_skip(&rest, 1);
	if (!rest.len || rest.p[0] != '=')
		return;
	bytes_skip(&rest, 1);
	while (rest.len && rest.p[0] == ' ')
		bytes_skip(&rest, 1);
	len = base64_decode_some(rest, seed, sizeof(seed), &used);
	if (len == 32 && used == 43 && rest.len > 43 && rest.p[43] == '=' && !(seed[0] & 7) &&
	    (seed[31] & 0xc0) == 0x40 && form_affords(s, FORM_PROOFS, FORM_COST_PROOF)) {
		form_key_init(s->key);
		if (form_raw(KEY_X25519, (struct bytes){seed, 32}, (struct bytes){NULL, 0}, s->key))
			form_tell(s, at, LAYOUT_TEXT, KEYFMT_UNKNOWN);
		form_key_wipe(s->key);
	}
	explicit_bzero(seed, sizeof(seed));
}

/* minisign's secret key: "Ed", the derivation ("Sc", or zeros without a passphrase), "B2", ... */
static void minisign(struct form_search *s, size_t at)
{
	uint8_t raw[160];
	size_t used, len = base64_decode_some(form_rest(s, at), raw, sizeof(raw), &used);

	if (len >= 158 && !memcmp(raw, "EdScB2", 6)) {
		form_tell_bare(s, at, FINDING_STRUCTURE, CLASS_ENCRYPTED, LAYOUT_TEXT, 256, NULL);
	} else if (len >= 126 && !memcmp(raw, "Ed\0\0B2", 6) &&
		   form_affords(s, FORM_PROOFS, FORM_COST_PROOF)) {
		form_key_init(s->key);
		if (form_raw(KEY_ED25519, (struct bytes){raw + 62, 32},
			     (struct bytes){raw + 94, 32}, s->key))
			form_tell(s, at, LAYOUT_TEXT, KEYFMT_UNKNOWN);
		form_key_wipe(s->key);
	}
	explicit_bzero(raw, sizeof(raw));
}

#define SEXP_DEPTH 8 /* as keyfile_gpg() reads them */

/* As much of it as belongs to its brackets, or up to where it is none. */
static struct bytes expression(struct form_search *s, size_t at)
{
	struct bytes all = form_rest(s, at), in = all, atom;
	unsigned depth = 0;

	do {
		switch (sexp_next(&in, s->data, FORM_MAX, &atom)) {
		case SEXP_OPEN:
			depth++;
			break;
		case SEXP_CLOSE:
			depth--;
			break;
		case SEXP_ATOM:
			break;
		default:
			depth = 0;
		}
	} while (depth && depth <= SEXP_DEPTH);
	all.len -= in.len;
	/* What it decoded of it may be secret, and is no longer than that. */
	explicit_bzero(s->data, all.len);
	return all;
}

static void ask_gpg(struct form_search *s, size_t at)
{
	struct bytes file;

	if (!form_affords(s, FORM_ASKING, 1))
		return;
	file = expression(s, at);
	form_charge(s, FORM_ASKING, file.len / FORM_COST_BYTES);
	form_ask_whole(s, file, at, LAYOUT_SEXP);
}

/* libgcrypt's private-key in canonical or readable form, from its bracket on. */
static void gpg(struct form_search *s, size_t at)
{
	static const char *const names[] = {"(11:private-key(", "(21:protected-private-key(",
					    "(private-key", "(protected-private-key"};

	for (size_t back = 3; back < 24 && back <= at; back++) {
		if (s->memory.p[at - back] != '(')
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (stands(s, at - back, names[i])) {
				ask_gpg(s, at - back);
				return;
			}
	}
}

/* The second line says how it is encrypted, one of the last ones how long the private half is. */
static void putty(struct form_search *s, size_t at)
{
	static const char last[] = "\nPrivate-Lines: ";
	struct bytes file = form_rest(s, at), rest = file, line;
	const uint8_t *end;

	if (!bytes_line(&rest, &line) || line.len > 64 || !bytes_starts(rest, "Encryption: "))
		return;
	end = memmem(file.p, file.len, last, sizeof(last) - 1);
	if (end)
		file.len = (size_t)(end - file.p) + sizeof(last) - 1;
	form_ask_whole(s, file, at, LAYOUT_TEXT);
}

void form_line(struct form_search *s, size_t at)
{
	if (stands(s, at, "PuTTY-User-Key-File-"))
		putty(s, at);
	else if (stands(s, at, "AGE-SECRET-KEY-1"))
		age(s, at);
	else if (stands(s, at, "RWRTY0Iy") || stands(s, at, "RWQAAEIy"))
		minisign(s, at);
	else if (stands(s, at, "teKey") && at >= 5 && stands(s, at - 5, "PrivateKey"))
		wireguard(s, at - 5);
	else if (stands(s, at, "te-key"))
		gpg(s, at);
}
