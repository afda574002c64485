// SPDX-License-Identifier: GPL-2.0-or-later
/* PEM and bare base64, as it stands in the memory of programs: cut, escaped, in wide letters. */
#include "scan/form-search.h"

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/pem.h"

#define BASE64_KEY_MIN 60 /* letters: an Ed25519 key in PKCS#8 has 64 */

#define HEAD_LETTERS 64 /* "-----BEGIN ", a label and "-----" have fewer */

/* What follows the next dashes of a block but those of its first line is another's. */
static bool ends_block(uint8_t c, unsigned *run, unsigned *nr)
{
	*run = c == '-' ? *run + 1 : 0;
	if (*run == 5) {
		*run = 0;
		return ++*nr == 3;
	}
	return false;
}

/*
 * Letters from `at` on into search->text, as many as `most`, until one that is none: with wide,
 * each second byte. Line ends that are written as \n become such. block: and not much further than
 * a block of PEM goes.
 */
static struct bytes letters(struct form_search *s, size_t at, bool wide, size_t most, bool block)
{
	struct bytes rest = form_rest(s, at);
	size_t len = 0, step = wide ? 2 : 1;
	unsigned run = 0, nr = 0;

	for (size_t i = 0; i + step <= rest.len && len < most; i += step) {
		uint8_t c = rest.p[i];

		if ((wide && rest.p[i + 1]) || c >= 0x7f ||
		    (c < ' ' && c != '\n' && c != '\r' && c != '\t'))
			break;
		if (c == '\\' && i + 2 * step <= rest.len) {
			uint8_t next = rest.p[i + step];

			if (next == 'n' || next == 'r') {
				s->text[len++] = next == 'n' ? '\n' : '\r';
				i += step;
				continue;
			}
		}
		s->text[len++] = c;
		if (block && ends_block(c, &run, &nr) && most - len > HEAD_LETTERS)
			most = len + HEAD_LETTERS;
	}
	return (struct bytes){s->text, len};
}

/* The bytes of a block's body, whether or not its end is there. */
static bool block(struct form_search *s, const struct pem *pem)
{
	size_t used, len = base64_decode_some(pem->body, s->data, FORM_MAX, &used);
	struct bytes raw = {s->data, len};
	bool ok;

	/* DSA's numbers might be RSA's, and to see that they are not is dear. */
	if (pem->headers.len || len < 40 || bytes_is(pem->label, "DSA PRIVATE KEY"))
		return false;
	ok = bytes_is(pem->label, "OPENSSH PRIVATE KEY") ? form_openssh(raw, s->key)
							 : form_der(raw, s->key);
	explicit_bzero(s->data, len);
	return ok;
}

static enum key_format format_of(struct bytes label)
{
	return bytes_is(label, "OPENSSH PRIVATE KEY") ? KEYFMT_OPENSSH
	       : bytes_is(label, "RSA PRIVATE KEY")   ? KEYFMT_PKCS1
	       : bytes_is(label, "EC PRIVATE KEY")    ? KEYFMT_SEC1
						      : KEYFMT_PKCS8;
}

/* May it be more than reading, as no number is worked out of what is encrypted? */
static bool asks_libcrypto(const struct pem *pem)
{
	return !pem->headers.len &&
	       (bytes_is(pem->label, "DSA PRIVATE KEY") || bytes_is(pem->label, "EC PRIVATE KEY") ||
		bytes_is(pem->label, "PRIVATE KEY"));
}

static void plain_text(struct form_search *s, struct bytes text, size_t at)
{
	const struct form_work before = *s->ask->work;
	struct bytes rest = text, der;
	size_t used;
	struct pem pem;

	if (!pem_next(&rest, &pem) || pem.label.p != text.p + 11 || !pem_is_private(&pem) ||
	    !form_affords(s, FORM_PROOFS, FORM_COST_PROOF))
		return;
	form_key_init(s->key);
	if (block(s, &pem)) {
		form_tell(s, at, LAYOUT_TEXT, format_of(pem.label));
		form_key_wipe(s->key);
		return;
	}
	form_key_wipe(s->key);
	text.len = (size_t)(rest.p - text.p);
	if (asks_libcrypto(&pem)) {
		der = (struct bytes){s->data,
				     base64_decode_some(pem.body, s->data, FORM_MAX, &used)};
		form_ask_libcrypto(s, der, text, at, LAYOUT_TEXT);
		explicit_bzero(s->data, der.len);
	} else if (!bytes_is(pem.label, "OPENSSH PRIVATE KEY") || form_may_ask(s, &before)) {
		form_ask(s, text, at, LAYOUT_TEXT);
	}
	form_count_once(s, before.untried);
}

/* A private key's, perhaps. */
static bool begins_pem(struct bytes text)
{
	return bytes_starts(text, "-----BEGIN ") && memmem(text.p, text.len, "PRIVATE KEY", 11);
}

/* "BEGIN" */
void form_text(struct form_search *s, size_t at)
{
	bool wide = s->memory.p[at + 1] == 0;
	size_t before = wide ? 10 : 5;
	struct bytes text;
	bool is_key;

	if (at < before || s->memory.p[at - before] != '-')
		return;
	at -= before;
	/* Most are certificates and public keys. */
	text = letters(s, at, wide, HEAD_LETTERS, false);
	is_key = begins_pem(text);
	explicit_bzero(s->text, text.len);
	if (!is_key || !form_affords(s, FORM_READING, 1))
		return;
	text = letters(s, at, wide, FORM_MAX, true);
	form_charge(s, FORM_READING, text.len / FORM_COST_BYTES);
	plain_text(s, text, at);
	explicit_bzero(s->text, text.len);
}

static bool is_base64(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '+' || c == '/' || c == '-' || c == '_';
}

/* PKCS#1, PKCS#8 or SEC1 by its first bytes: a SEQUENCE, a version and what comes then. */
static bool begins_der(struct bytes raw)
{
	size_t head = raw.len < 12 ? 0 : raw.p[1] == 0x82 ? 4 : raw.p[1] == 0x81 ? 3 : 2;

	return head && raw.p[0] == 0x30 && raw.p[head] == 2 && raw.p[head + 1] == 1 &&
	       raw.p[head + 2] <= 1 &&
	       (raw.p[head + 3] == 0x02 || raw.p[head + 3] == 0x30 || raw.p[head + 3] == 0x04);
}

/* As many bytes as there are of a SEQUENCE by its head. */
static size_t der_size(struct bytes head)
{
	size_t size = head.p[1] == 0x82	  ? 4U + (size_t)(head.p[2] << 8 | head.p[3])
		      : head.p[1] == 0x81 ? 3U + head.p[2]
					  : 2U + head.p[1];

	return size < FORM_MAX ? size : FORM_MAX;
}

/* Base64 at `at`, into search->data, no more than `size` bytes. *out_used: letters. */
static struct bytes decode(struct form_search *s, size_t at, bool wide, size_t size,
			   size_t *out_used)
{
	struct bytes text = form_rest(s, at);
	size_t len;

	if (wide)
		text = letters(s, at, true, 2 * size < FORM_MAX ? 2 * size : FORM_MAX, false);
	len = base64_decode_some(text, s->data, size, out_used);
	if (wide)
		explicit_bzero(s->text, text.len);
	return (struct bytes){s->data, len};
}

void form_base64(struct form_search *s, size_t at)
{
	const uint8_t *p = s->memory.p + at;
	bool wide = s->memory.len - at > 1 && !p[1], is_der, is_pem;
	struct bytes raw;
	size_t used;

	/* It begins here, and not after the line of a block, which was looked at from its start. */
	if (at && (is_base64(p[-1]) || (at >= 8 && memmem(p - 8, 8, "---", 3))))
		return;
	raw = decode(s, at, wide, HEAD_LETTERS, &used);
	is_der = begins_der(raw);
	is_pem = begins_pem(raw);
	used = is_der ? der_size(raw) : FORM_MAX;
	explicit_bzero(s->data, raw.len);
	if ((!is_der && !is_pem) || !form_affords(s, FORM_READING, 1))
		return;
	raw = decode(s, at, wide, used, &used);
	form_charge(s, FORM_READING, used / FORM_COST_BYTES);
	if (used < BASE64_KEY_MIN || !form_affords(s, FORM_PROOFS, FORM_COST_PROOF)) {
		; /* too short, or not tried */
	} else if (is_pem) {
		/* Encoded twice, as Kubernetes keeps secrets. */
		memcpy(s->text, s->data, raw.len);
		plain_text(s, (struct bytes){s->text, raw.len}, at);
		explicit_bzero(s->text, raw.len);
	} else {
		form_key_init(s->key);
		if (form_der(raw, s->key))
			form_tell(s, at, LAYOUT_TEXT, KEYFMT_UNKNOWN);
		form_key_wipe(s->key);
	}
	explicit_bzero(s->data, raw.len);
}
