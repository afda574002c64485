// SPDX-License-Identifier: GPL-2.0-or-later
/* The scan child's answer, to bytes and back. */
#include "scan/result.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "scan/bytes.h"

#define MAGIC	"KTSR"
#define VERSION 1

enum { FLAG_ENCRYPTED = 1, FLAG_SPKI = 2, FLAG_ALL = 3 };

/* By their number on the wire. */
static const int errors[] = {0, -EFBIG, -EIO, -EPERM, -ENOMEM};

static uint8_t *put(uint8_t *to, const void *p, size_t len)
{
	memcpy(to, p, len);
	return to + len;
}

static uint8_t *put16(uint8_t *to, uint16_t value)
{
	return put(to, (const uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

/* NUL filled to its size. */
static uint8_t *put_text(uint8_t *to, const char *text, size_t size)
{
	size_t len = strnlen(text, size - 1);

	memset(to, 0, size);
	memcpy(to, text, len);
	return to + size;
}

void scan_result_encode(const struct scan_result *result, uint8_t out[SCAN_RESULT_SIZE])
{
	const struct key_identity *id = &result->id;
	uint8_t error = 0;
	uint8_t *p = out;

	while (error < ARRAY_SIZE(errors) - 1 && errors[error] != result->error)
		error++;
	p = put(p, MAGIC, 4);
	p = put16(p, VERSION);
	p = put16(p, SCAN_RESULT_SIZE);
	*p++ = error;
	*p++ = (uint8_t)id->kind;
	*p++ = (uint8_t)id->format;
	*p++ = (uint8_t)id->source;
	*p++ = (uint8_t)((id->encrypted ? FLAG_ENCRYPTED : 0) | (id->has_spki ? FLAG_SPKI : 0));
	*p++ = 0;
	p = put16(p, id->bits);
	p = put(p, id->spki, sizeof(id->spki));
	p = put_text(p, id->curve, sizeof(id->curve));
	p = put_text(p, id->ssh_fp, sizeof(id->ssh_fp));
	p = put_text(p, id->keygrip, sizeof(id->keygrip));
	put_text(p, id->comment, sizeof(id->comment));
}

static bool all_in(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

/* A text with its NUL and nothing but NULs after it. */
static bool take_text(struct bytes *in, char *out, size_t size)
{
	struct bytes b;

	if (!bytes_take(in, size, &b))
		return false;
	for (size_t i = strnlen((const char *)b.p, size); i < size; i++)
		if (b.p[i])
			return false;
	memcpy(out, b.p, size);
	return out[size - 1] == '\0';
}

#define DIGITS	 "0123456789"
#define LETTERS	 "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool fingerprint_ok(const char *fp)
{
	return !*fp || (strncmp(fp, "SHA256:", 7) == 0 && strlen(fp) == 7 + 43 &&
			all_in(fp + 7, CAPITALS LETTERS DIGITS "+/"));
}

static bool keygrip_ok(const char *grip)
{
	return !*grip || (strlen(grip) == 40 && all_in(grip, DIGITS "ABCDEF"));
}

/* Only what escape_bytes() makes comes through: nothing that could break a line or a terminal. */
static bool comment_ok(const char *comment)
{
	char raw[96], again[96];
	long len = escape_undo(comment, strlen(comment), raw, sizeof(raw));

	if (len < 0)
		return false;
	escape_bytes(raw, (size_t)len, again, sizeof(again), NULL);
	return strcmp(comment, again) == 0;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

/* What cannot stand together. */
static bool coherent(const struct scan_result *result)
{
	const struct key_identity *id = &result->id;

	if (!id->has_spki && !all_zero(id->spki, sizeof(id->spki)))
		return false;
	if (id->source == KEYSRC_NONE &&
	    (id->has_spki || *id->ssh_fp || *id->keygrip || id->bits || *id->curve))
		return false;
	if (result->error && id->kind != KEY_NONE)
		return false;
	return id->kind != KEY_NONE || (id->format == KEYFMT_UNKNOWN && !id->encrypted &&
					id->source == KEYSRC_NONE && !*id->comment);
}

int scan_result_decode(const uint8_t *p, size_t len, struct scan_result *out_result)
{
	struct bytes in = {p, len};
	struct scan_result result = {.error = 0};
	struct key_identity *id = &result.id;
	uint8_t error, kind, format, source, flags, pad;
	struct bytes magic, spki;
	uint16_t version, size;

	if (len != SCAN_RESULT_SIZE || !bytes_take(&in, 4, &magic) || !bytes_is(magic, MAGIC) ||
	    !bytes_be16(&in, &version) || version != VERSION || !bytes_be16(&in, &size) ||
	    size != SCAN_RESULT_SIZE)
		return -EBADMSG;
	if (!bytes_u8(&in, &error) || error >= ARRAY_SIZE(errors) || !bytes_u8(&in, &kind) ||
	    kind >= KEY_KIND_NR || !bytes_u8(&in, &format) || format >= KEYFMT_NR ||
	    !bytes_u8(&in, &source) || source >= KEYSRC_NR || !bytes_u8(&in, &flags) ||
	    flags & ~FLAG_ALL || !bytes_u8(&in, &pad) || pad || !bytes_be16(&in, &id->bits) ||
	    !bytes_take(&in, sizeof(id->spki), &spki))
		return -EBADMSG;
	result.error = errors[error];
	id->kind = kind;
	id->format = format;
	id->source = source;
	id->encrypted = flags & FLAG_ENCRYPTED;
	id->has_spki = flags & FLAG_SPKI;
	memcpy(id->spki, spki.p, spki.len);
	if (!take_text(&in, id->curve, sizeof(id->curve)) ||
	    !take_text(&in, id->ssh_fp, sizeof(id->ssh_fp)) ||
	    !take_text(&in, id->keygrip, sizeof(id->keygrip)) ||
	    !take_text(&in, id->comment, sizeof(id->comment)))
		return -EBADMSG;
	if (!all_in(id->curve, LETTERS CAPITALS DIGITS) || !fingerprint_ok(id->ssh_fp) ||
	    !keygrip_ok(id->keygrip) || !comment_ok(id->comment) || !coherent(&result))
		return -EBADMSG;
	*out_result = result;
	return 0;
}
