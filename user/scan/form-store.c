// SPDX-License-Identifier: GPL-2.0-or-later
/* What has no key of its own to prove: key stores, Kerberos' files, states of stream ciphers. */
#include "scan/form-search.h"

#include "scan/chance.h"
#include "scan/harvest.h"

static bool printable(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] < ' ' || b.p[i] > '~')
			return false;
	return b.len > 0;
}

/* Java's JKS and JCEKS: a magic number, a version, entries; private keys are encrypted in them. */
static void java_store(struct form_search *s, size_t at)
{
	struct bytes in = form_rest(s, at), alias;
	uint32_t magic, version, nr, tag;
	uint16_t len;

	if (bytes_be32(&in, &magic) && (magic == 0xfeedfeed || magic == 0xcececece) &&
	    bytes_be32(&in, &version) && (version == 1 || version == 2) && bytes_be32(&in, &nr) &&
	    nr >= 1 && nr < 10000 && bytes_be32(&in, &tag) && (tag == 1 || tag == 3) &&
	    bytes_be16(&in, &len) && bytes_take(&in, len, &alias) && printable(alias))
		form_tell_bare(s, at, FINDING_STORE, CLASS_ENCRYPTED, LAYOUT_RAW, 0, NULL);
}

/* MIT's keytab, version 2: the length of an entry, names, a type and a key. */
static void keytab(struct form_search *s, size_t at)
{
	struct bytes in = form_rest(s, at), entry, part, key;
	uint16_t nr, len, type;
	uint32_t size, skip;
	uint8_t version;

	if (!bytes_skip(&in, 2) || !bytes_be32(&in, &size) || size < 20 || size > 2048 ||
	    !bytes_take(&in, size, &entry) || !bytes_be16(&entry, &nr) || nr < 1 || nr > 8)
		return;
	for (unsigned i = 0; i <= nr; i++)
		if (!bytes_be16(&entry, &len) || !bytes_take(&entry, len, &part) ||
		    !printable(part))
			return;
	if (bytes_be32(&entry, &skip) && bytes_be32(&entry, &skip) && bytes_u8(&entry, &version) &&
	    bytes_be16(&entry, &type) && type >= 1 && type <= 32 && bytes_be16(&entry, &len) &&
	    len >= 8 && len <= 64 && bytes_take(&entry, len, &key))
		form_tell_bare(s, at, FINDING_STORE, CLASS_LIKELY, LAYOUT_BLOB, 8U * len,
			       &(struct secret){.kind = SECRET_KEY, .value = key});
}

/* MIT's ticket cache, version 4: tickets and the session's keys, good for hours. */
static void ticket_cache(struct form_search *s, size_t at)
{
	struct bytes in = form_rest(s, at), part;
	uint32_t type, nr, len;
	uint16_t head;

	if (!bytes_skip(&in, 2) || !bytes_be16(&in, &head) || head > 64 || !bytes_skip(&in, head) ||
	    !bytes_be32(&in, &type) || type > 10 || !bytes_be32(&in, &nr) || nr < 1 || nr > 8)
		return;
	for (unsigned i = 0; i <= nr; i++)
		if (!bytes_be32(&in, &len) || len > 256 || !bytes_take(&in, len, &part) ||
		    !printable(part))
			return;
	form_tell_bare(s, at, FINDING_STORE, CLASS_EPHEMERAL, LAYOUT_BLOB, 0, NULL);
}

static bool random_enough(const uint8_t *p)
{
	return chance_different(p, 32) >= HARVEST_DIFFERENT_MIN;
}

/*
 * Such a state is a session's or a random generator's (GnuTLS and many a library of Rust keep one
 * all the time): nothing tells one from the other. "expand 32-byte k", here from its letters "d 3"
 * on, stands before the key (ChaCha20) or between its halves (Salsa20).
 */
static void chacha(struct form_search *s, size_t at)
{
	const uint8_t *p = s->memory.p + at;
	size_t left = s->memory.len - at;
	uint8_t key[32];
	bool found = false;

	if (at >= 5 && left >= 11 + 48 && !memcmp(p - 5, "expand 32-byte k", 16)) {
		memcpy(key, p + 11, 32);
		at -= 5;
		found = true;
	} else if (at >= 21 && left >= 60 && !memcmp(p - 21, "expa", 4) &&
		   !memcmp(p - 1, "nd 3", 4) && !memcmp(p + 19, "2-by", 4) &&
		   !memcmp(p + 39, "te k", 4)) {
		memcpy(key, p - 17, 16);
		memcpy(key + 16, p + 23, 16);
		at -= 21;
		found = true;
	}
	if (found && random_enough(key))
		form_tell_bare(s, at, FINDING_CHACHA, CLASS_EPHEMERAL, LAYOUT_RAW, 256,
			       &(struct secret){.kind = SECRET_KEY, .value = {key, 32}});
	explicit_bzero(key, sizeof(key));
}

void form_store(struct form_search *s, size_t at)
{
	const uint8_t *p = s->memory.p + at;

	if (p[0] == 0xfe || p[0] == 0xce)
		java_store(s, at);
	else if (p[0] == 5 && p[1] == 2)
		keytab(s, at);
	else if (p[0] == 5)
		ticket_cache(s, at);
	else
		chacha(s, at);
}
