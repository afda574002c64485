// SPDX-License-Identifier: GPL-2.0-or-later
/* PEM and bare base64, as it stands in the memory of programs: cut, escaped, in wide letters. */
#include "scan/form-search.h"

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/pem.h"

#define BASE64_KEY_MIN 60 /* letters: an Ed25519 key in PKCS#8 has 64 */

/*
 * Letters from `at` on into search->text, until one that is none: with wide, each second byte. Line
 * ends that are written as \n become such.
 */
static struct bytes letters(struct form_search *s, size_t at, bool wide)
{
	struct bytes rest = form_rest(s, at);
	size_t len = 0, step = wide ? 2 : 1;

	for (size_t i = 0; i + step <= rest.len; i += step) {
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
	    !form_affords(s, FORM_COST_PROOF))
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

/* "BEGIN" */
void form_text(struct form_search *s, size_t at)
{
	bool wide = s->memory.p[at + 1] == 0;
	size_t before = wide ? 10 : 5;
	struct bytes text;

	if (at < before || s->memory.p[at - before] != '-' || !form_affords(s, 1))
		return;
	at -= before;
	text = letters(s, at, wide);
	form_charge(s, text.len / FORM_COST_BYTES);
	if (bytes_starts(text, "-----BEGIN "))
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

void form_base64(struct form_search *s, size_t at)
{
	struct bytes rest = form_rest(s, at);
	bool wide = rest.len > 1 && !rest.p[1], is_key;
	uint8_t start[48];
	struct bytes text;
	size_t used, len;

	/* It begins here, and not after the line of a block, which was looked at from its start. */
	if (at && (is_base64(s->memory.p[at - 1]) ||
		   (at >= 8 && memmem(s->memory.p + at - 8, 8, "---", 3))))
		return;
	if (!wide) {
		len = base64_decode_some((struct bytes){rest.p, rest.len < 64 ? rest.len : 64},
					 start, sizeof(start), &used);
		is_key = begins_der((struct bytes){start, len}) ||
			 (len > 20 && !memcmp(start, "-----BEGIN ", 11));
		explicit_bzero(start, sizeof(start));
		if (!is_key)
			return;
	}
	if (!form_affords(s, 1))
		return;
	text = letters(s, at, wide);
	form_charge(s, text.len / FORM_COST_BYTES);
	len = base64_decode_some(text, s->data, FORM_MAX, &used);
	explicit_bzero(s->text, text.len);
	if (used < BASE64_KEY_MIN || !form_affords(s, FORM_COST_PROOF))
		goto out;
	if (len > 20 && !memcmp(s->data, "-----BEGIN ", 11)) {
		/* Encoded twice, as Kubernetes keeps secrets. */
		memcpy(s->text, s->data, len);
		plain_text(s, (struct bytes){s->text, len}, at);
		explicit_bzero(s->text, len);
	} else if (begins_der((struct bytes){s->data, len})) {
		form_key_init(s->key);
		if (form_der((struct bytes){s->data, len}, s->key))
			form_tell(s, at, LAYOUT_TEXT, KEYFMT_UNKNOWN);
		form_key_wipe(s->key);
	}
out:
	explicit_bzero(s->data, len);
}
