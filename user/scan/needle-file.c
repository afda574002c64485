// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Needle files, read and written (docs/needles.md). Lines of text, in one order and one form: a
 * file is taken only if it is to the byte what would be written of it.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "scan/needle.h"

#define FILE_VERSION "keytrail-needles 1"
#define TIME_FORMAT  "%Y-%m-%dT%H:%M:%SZ"

struct parser {
	const char *file;
	struct diag_list *diags;
	struct bytes rest, line; /* line: what is left of the current one */
	unsigned number; /* of the current line */
	bool pending; /* the current line was looked at and not taken */
};

static int wrong(const struct parser *p, const char *what)
{
	diag_add(p->diags, DIAG_ERROR, p->file, p->number, 0, "%s", what);
	return -EINVAL;
}

/* The next line; false at the end. */
static bool next(struct parser *p)
{
	if (p->pending) {
		p->pending = false;
		return true;
	}
	if (!bytes_line(&p->rest, &p->line))
		return false;
	p->number++;
	return true;
}

/* A line "WORD ..." is begun: p->line is what stands behind. Otherwise it waits. */
static bool line_of(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	if (!next(p))
		return false;
	if (bytes_starts(p->line, word) && p->line.len > len + 1 && p->line.p[len] == ' ') {
		bytes_skip(&p->line, len + 1);
		return true;
	}
	p->pending = true;
	return false;
}

/* A line that is just this word; "" is an empty line. */
static bool line_is(struct parser *p, const char *word)
{
	if (!next(p))
		return false;
	p->pending = !bytes_is(p->line, word);
	return !p->pending;
}

/* The next word of the line; what separates it is taken too. */
static struct bytes word(struct parser *p)
{
	struct bytes w = {p->line.p, 0};

	while (w.len < p->line.len && w.p[w.len] != ' ')
		w.len++;
	bytes_skip(&p->line, w.len);
	bytes_skip(&p->line, 1);
	return w;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool unhex(struct bytes text, uint8_t *out, size_t len)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Decimal, up to `max`; -1 otherwise. */
static long number(struct bytes text, long max)
{
	long value = 0;

	if (!text.len || text.len > 6)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		value = 10 * value + text.p[i] - '0';
	}
	return value <= max ? value : -1;
}

static int word_index(struct bytes text, const char *(*str)(int), int nr)
{
	for (int i = 0; i < nr; i++)
		if (bytes_is(text, str(i)))
			return i;
	return -1;
}

static const char *part_str(int i)
{
	return needle_part_str((enum needle_part)i);
}

static const char *layout_str(int i)
{
	return needle_layout_str((enum needle_layout)i);
}

/* A symmetric key has no public kind. */
static const char *kind_str(int i)
{
	return i == KEY_OTHER ? "SYMMETRIC" : key_kind_str((enum key_kind)i);
}

static bool read_time(struct bytes text, int64_t *out)
{
	char copy[32];
	struct tm tm = {.tm_sec = 0};
	const char *end;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	end = strptime(copy, TIME_FORMAT, &tm);
	*out = end && !*end ? timegm(&tm) : 0;
	return *out > 0;
}

static bool read_text(struct bytes text, char *out, size_t size)
{
	char raw[NEEDLE_LABEL_MAX], again[NEEDLE_LABEL_MAX];
	long len;

	if (text.len >= size || text.len >= sizeof(raw))
		return false;
	len = escape_undo((const char *)text.p, text.len, raw, sizeof(raw));
	if (len < 0)
		return false;
	escape_bytes(raw, (size_t)len, again, sizeof(again), NULL);
	if (!bytes_is(text, again))
		return false;
	memcpy(out, text.p, text.len);
	out[text.len] = '\0';
	return true;
}

static int read_windows(struct parser *p, struct needle_form *form)
{
	while (p->line.len) {
		struct needle_window *w = &form->windows[form->nr];
		struct bytes at = word(p), tag = at;
		uint8_t bytes[4];
		long value;

		while (at.len && at.p[at.len - 1] != ':')
			at.len--;
		if (!at.len || form->nr == NEEDLE_WINDOWS_MAX)
			return wrong(p, "a window is AT:TAG, and there are at most 8 of them");
		bytes_skip(&tag, at.len);
		at.len--;
		value = number(at, form->span - NEEDLE_WINDOW);
		if (value < 0 || !unhex(tag, bytes, form->tag_bits / 8))
			return wrong(p, "a window must lie in the span, and its tag has the form's "
					"number of bits in hex");
		w->at = (uint8_t)value;
		for (unsigned i = 0; i < form->tag_bits / 8; i++)
			w->tag |= (uint32_t)bytes[i] << (24 - 8 * i);
		form->nr++;
	}
	return form->nr ? 0 : wrong(p, "a form without a window finds nothing");
}

/* "prime1 bytes 32 32 MAC AT:TAG..." */
static int read_form(struct parser *p, struct needle_form *form)
{
	int part = word_index(word(p), part_str, NEEDLE_PART_NR);
	int layout = word_index(word(p), layout_str, NEEDLE_LAYOUT_NR);
	long span = number(word(p), NEEDLE_SPAN_MAX);
	long bits = number(word(p), 32);

	if (part < 0 || layout < 0)
		return wrong(p, "no such part or layout");
	if (span < 16 || (bits != 16 && bits != 24 && bits != 32))
		return wrong(p,
			     "a form has a span of 16 to 72 bytes and tags of 16, 24 or 32 bits");
	*form = (struct needle_form){
		.part = (enum needle_part)part,
		.layout = (enum needle_layout)layout,
		.span = (uint8_t)span,
		.tag_bits = (uint8_t)bits,
	};
	if (!unhex(word(p), form->mac, sizeof(form->mac)))
		return wrong(p, "the MAC is 32 digits of lower-case hex");
	return read_windows(p, form);
}

/* How long the secret is whose tags these are; RSA: the prime. */
static size_t secret_len(const struct needle *n)
{
	if (n->id.kind == KEY_RSA)
		return n->id.bits / 16;
	for (unsigned i = 0; i < n->nr_forms; i++)
		if (n->forms[i].layout == NEEDLE_BYTES)
			return n->forms[i].span;
	return 0;
}

/* The file is not believed that it tells little: it is counted. */
static int check_rule(const struct parser *p, const struct needle *n)
{
	struct needle_rule rule = needle_rule(n->id.kind, secret_len(n));
	unsigned tags = 0;

	for (unsigned i = 0; i < n->nr_forms; i++) {
		const struct needle_form *form = &n->forms[i];
		uint8_t low = UINT8_MAX, high = 0;

		if (form->tag_bits > rule.tag_bits)
			return wrong(p, "tags of this needle tell more than is safe for its kind");
		if ((form->part == NEEDLE_SECRET) == (n->id.kind == KEY_RSA))
			return wrong(p, "such a key has no such part");
		for (unsigned w = 0; w < form->nr; w++) {
			low = form->windows[w].at < low ? form->windows[w].at : low;
			high = form->windows[w].at > high ? form->windows[w].at : high;
		}
		tags += form->nr;
		/* Four characters of base64 are three bytes. */
		if (rule.region && (unsigned)(high - low) + NEEDLE_WINDOW > rule.region)
			return wrong(p,
				     "windows of this needle tell more than is safe for its kind");
	}
	if (!rule.region && tags > rule.tags)
		return wrong(p, "there are more tags than is safe for a key of this kind");
	return 0;
}

static int read_public(struct parser *p, struct needle *n)
{
	size_t len = p->line.len / 2;

	if (!len || len > NEEDLE_PUBLIC_MAX)
		return wrong(p, "no public key is as long");
	n->public = malloc(len);
	if (!n->public)
		return -ENOMEM;
	n->public_len = (uint16_t)len;
	return unhex(p->line, n->public, len) ? 0 : wrong(p, "this should be hex");
}

static int read_names(struct parser *p, struct needle *n)
{
	if (line_of(p, "label") && !read_text(p->line, n->label, sizeof(n->label)))
		return wrong(p, "a label is up to 63 bytes of printable text");
	if (line_of(p, "zone") && !read_text(p->line, n->zone, sizeof(n->zone)))
		return wrong(p, "a zone is up to 31 bytes of printable text");
	if (line_of(p, "expires") && !read_time(p->line, &n->expires))
		return wrong(p, "a time is written 2030-12-31T23:59:59Z");
	if (line_of(p, "spki")) {
		n->id.has_spki = unhex(p->line, n->id.spki, sizeof(n->id.spki));
		if (!n->id.has_spki)
			return wrong(p, "spki is a SHA-256 in lower-case hex");
	}
	if (line_of(p, "fingerprint")) {
		if (p->line.len != 7 + 43 || !bytes_starts(p->line, "SHA256:") ||
		    !read_text(p->line, n->id.ssh_fp, sizeof(n->id.ssh_fp)))
			return wrong(p, "a fingerprint is SHA256: and 43 characters");
		for (size_t i = 7; i < p->line.len; i++)
			if (!isalnum(p->line.p[i]) && p->line.p[i] != '+' && p->line.p[i] != '/')
				return wrong(p, "a fingerprint is SHA256: and base64");
	}
	if (line_of(p, "curve")) {
		for (size_t i = 0; i < p->line.len; i++)
			if (!isalnum(p->line.p[i]))
				return wrong(p, "no such curve");
		if (!read_text(p->line, n->id.curve, sizeof(n->id.curve)))
			return wrong(p, "no such curve");
	}
	if (line_of(p, "public"))
		return read_public(p, n);
	return 0;
}

/* There may be 10,000 of them. */
static void shrink_forms(struct needle *n)
{
	struct needle_form *forms =
		n->nr_forms ? realloc(n->forms, n->nr_forms * sizeof(*forms)) : NULL;

	if (forms)
		n->forms = forms;
}

/* What follows "needle ", to its "end". */
static int read_needle(struct parser *p, struct needle *n)
{
	int kind = word_index(word(p), kind_str, KEY_KIND_NR);
	long bits = number(word(p), 16384);
	int err;

	if (kind <= KEY_NONE || bits <= 0 || p->line.len)
		return wrong(p, "a needle begins with its kind and its bits");
	n->id.kind = (enum key_kind)kind;
	n->id.bits = (uint16_t)bits;
	n->id.source = kind == KEY_OTHER ? KEYSRC_NONE : KEYSRC_FILE;
	err = read_names(p, n);
	if (err < 0)
		return err;
	if ((n->id.kind == KEY_OTHER) == n->id.has_spki)
		return wrong(p, "a key pair has its spki, and a symmetric key has none");
	n->forms = calloc(NEEDLE_FORMS_MAX, sizeof(*n->forms));
	if (!n->forms)
		return -ENOMEM;
	while (line_of(p, "form")) {
		if (n->nr_forms == NEEDLE_FORMS_MAX)
			return wrong(p, "too many forms");
		err = read_form(p, &n->forms[n->nr_forms]);
		if (err < 0)
			return err;
		n->nr_forms++;
	}
	shrink_forms(n);
	if (n->id.kind == KEY_OTHER && !n->nr_forms)
		return wrong(p, "a symmetric key is known by its forms only");
	if (!line_is(p, "end")) {
		next(p);
		return wrong(p, "no such line in a needle, or not in this place");
	}
	return check_rule(p, n);
}

static int read_signature(struct parser *p, const char *text, struct needles *needles)
{
	needles->signed_len = (size_t)(p->line.p - (const uint8_t *)text) - strlen("signature ");
	needles->has_signature = unhex(word(p), needles->signer, sizeof(needles->signer)) &&
				 unhex(word(p), needles->signature, sizeof(needles->signature)) &&
				 !p->line.len;
	return needles->has_signature ? 0 : wrong(p, "a signature is two numbers in hex");
}

static int read_all(struct parser *p, const char *text, struct needles *needles)
{
	int err;

	if (!line_is(p, FILE_VERSION)) {
		next(p);
		return wrong(p, "this is no needle file, or one of another version: its first line "
				"is \"" FILE_VERSION "\"");
	}
	if (!line_of(p, "key") || !unhex(p->line, needles->key, sizeof(needles->key)))
		return wrong(p, "here stands \"key\" and 64 digits of lower-case hex");
	if (!line_of(p, "made") || !read_time(p->line, &needles->made))
		return wrong(p, "here stands \"made\" and a time, as 2030-12-31T23:59:59Z");
	while (line_is(p, "") && line_of(p, "needle")) {
		struct needle needle = {.nr_forms = 0};

		err = read_needle(p, &needle);
		if (!err)
			err = needles_add(needles, &needle);
		if (err < 0) {
			needle_fini(&needle);
			return err == -E2BIG ? wrong(p, "too many needles") : err;
		}
	}
	if (line_of(p, "signature")) {
		err = read_signature(p, text, needles);
		if (err < 0)
			return err;
	}
	return next(p) ? wrong(p, "a needle, its signature or the end should stand here") : 0;
}

static int print_head(const struct needles *needles, struct buf *out);

/* Takes what would be written off the text; tells the first line in which it is another. */
static int take_form(struct parser *p, struct bytes *text, struct buf *written)
{
	const uint8_t *again = (const uint8_t *)written->p;
	size_t at = 0;

	while (at < text->len && at < written->len && text->p[at] == again[at])
		p->number += text->p[at++] == '\n';
	if (at < written->len)
		return wrong(p, "this is not the form in which keytrail writes it");
	bytes_skip(text, at);
	written->len = 0;
	return 0;
}

/* Piece by piece: a file of 10,000 keys has 20 MB. */
static int check_form(struct parser *p, struct bytes text, const struct needles *needles)
{
	struct buf written;
	int err;

	buf_init(&written, 0);
	p->number = 1;
	err = print_head(needles, &written);
	if (!err)
		err = take_form(p, &text, &written);
	for (size_t i = 0; i < needles->nr && !err; i++) {
		err = needle_print(&needles->items[i], &written);
		if (!err)
			err = take_form(p, &text, &written);
	}
	if (!err && !bytes_is(text, "\n"))
		err = wrong(p, "this is not the form in which keytrail writes it");
	buf_fini(&written);
	return err;
}

int needles_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		  struct needles *out_needles)
{
	struct parser p = {.file = file, .diags = diags, .rest = {(const uint8_t *)text, len}};
	struct needles needles = {.nr = 0};
	int err = read_all(&p, text, &needles);

	if (!err && !needles.has_signature)
		needles.signed_len = len;
	if (!err)
		err = check_form(&p, (struct bytes){(const uint8_t *)text, needles.signed_len},
				 &needles);
	if (!err && needles.has_signature &&
	    (len - needles.signed_len != 10 + 64 + 1 + 128 + 1 || text[len - 1] != '\n'))
		err = wrong(&p, "nothing may stand behind the signature");
	if (err < 0) {
		needles_fini(&needles);
		return err;
	}
	*out_needles = needles;
	return 0;
}

static int put_hex(struct buf *out, const uint8_t *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[512];
	int err = 0;

	while (len && !err) {
		size_t n = len < sizeof(text) / 2 ? len : sizeof(text) / 2;

		for (size_t i = 0; i < n; i++) {
			text[2 * i] = digits[p[i] >> 4];
			text[2 * i + 1] = digits[p[i] & 15];
		}
		err = buf_append(out, text, 2 * n);
		p += n;
		len -= n;
	}
	return err;
}

static int put_time(struct buf *out, const char *name, int64_t value)
{
	time_t t = value;
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), TIME_FORMAT, gmtime_r(&t, &tm));
	return buf_appendf(out, "%s %s\n", name, text);
}

static int put_text(struct buf *out, const char *name, const char *value)
{
	return *value ? buf_appendf(out, "%s %s\n", name, value) : 0;
}

static int put_bytes(struct buf *out, const char *name, const uint8_t *p, size_t len)
{
	int err = buf_appendf(out, "%s ", name);

	if (!err)
		err = put_hex(out, p, len);
	return err ? err : buf_append(out, "\n", 1);
}

static int put_form(struct buf *out, const struct needle_form *form)
{
	int err = buf_appendf(out, "form %s %s %u %u ", needle_part_str(form->part),
			      needle_layout_str(form->layout), form->span, form->tag_bits);

	if (!err)
		err = put_hex(out, form->mac, sizeof(form->mac));
	for (unsigned i = 0; i < form->nr && !err; i++)
		err = buf_appendf(out, " %u:%0*" PRIx32, form->windows[i].at, form->tag_bits / 4,
				  form->windows[i].tag >> (32 - form->tag_bits));
	return err ? err : buf_append(out, "\n", 1);
}

int needle_print(const struct needle *n, struct buf *out)
{
	int err = buf_appendf(out, "\nneedle %s %u\n", kind_str((int)n->id.kind), n->id.bits);

	if (!err)
		err = put_text(out, "label", n->label);
	if (!err)
		err = put_text(out, "zone", n->zone);
	if (!err && n->expires)
		err = put_time(out, "expires", n->expires);
	if (!err && n->id.has_spki)
		err = put_bytes(out, "spki", n->id.spki, sizeof(n->id.spki));
	if (!err)
		err = put_text(out, "fingerprint", n->id.ssh_fp);
	if (!err)
		err = put_text(out, "curve", n->id.curve);
	if (!err && n->public)
		err = put_bytes(out, "public", n->public, n->public_len);
	for (unsigned i = 0; i < n->nr_forms && !err; i++)
		err = put_form(out, &n->forms[i]);
	return err ? err : buf_appendf(out, "end\n");
}

static int print_head(const struct needles *needles, struct buf *out)
{
	int err = buf_appendf(out, FILE_VERSION "\n");

	if (!err)
		err = put_bytes(out, "key", needles->key, sizeof(needles->key));
	return err ? err : put_time(out, "made", needles->made);
}

int needles_print(const struct needles *needles, struct buf *out)
{
	int err = print_head(needles, out);

	for (size_t i = 0; i < needles->nr && !err; i++)
		err = needle_print(&needles->items[i], out);
	/* Before a signature, as before a needle. */
	return err ? err : buf_appendf(out, "\n");
}
