// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines to events: a strict parser of flat JSON objects, in place, one line at a time. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "trace/format.h"
#include "trace/trace.h"

struct trace_reader {
	FILE *f;
	const char *name;
	struct diag_list *diags;
	struct trace_header header;
	unsigned line; /* number of the line in `buf`, from 1 */
	size_t begin, end; /* of what is in buf and not yet used */
	bool eof;
	char buf[2 * TRACE_LINE_MAX];
	char undone[TRACE_LINE_MAX]; /* escapes of the string just read, undone */
};

/* The line being parsed. */
struct cursor {
	struct trace_reader *r;
	char *start, *p, *end;
};

static int complain(const struct cursor *c, const char *at, const char *fmt, ...) _printf_(3, 4);
static int complain(const struct cursor *c, const char *at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(c->r->diags, DIAG_ERROR, c->r->name, c->r->line, (unsigned)(at - c->start) + 1,
		 "%s", text);
	return -EINVAL;
}

/* --- lines ----------------------------------------------------------------------------- */

/* 1: the next line, without its newline, writable, until the next call. */
static int next_line(struct trace_reader *r, char **out_start, char **out_end)
{
	size_t seen = 0;

	for (;;) {
		char *from = r->buf + r->begin;
		size_t have = r->end - r->begin, n;
		char *newline = memchr(from + seen, '\n', have - seen);

		if (newline) {
			r->line++;
			r->begin = (size_t)(newline + 1 - r->buf);
			if (newline - from >= TRACE_LINE_MAX)
				goto too_long;
			*out_start = from;
			*out_end = newline;
			return 1;
		}
		if (have >= TRACE_LINE_MAX) {
			r->line++;
			goto too_long;
		}
		if (r->eof) {
			if (have)
				diag_add(r->diags, DIAG_WARNING, r->name, r->line + 1, 0,
					 "the last line was cut off and is left out");
			r->begin = r->end;
			return 0;
		}
		seen = have;
		memmove(r->buf, from, have);
		r->begin = 0;
		r->end = have;
		n = fread(r->buf + have, 1, sizeof(r->buf) - have, r->f);
		r->end += n;
		if (!n && ferror(r->f)) {
			diag_add(r->diags, DIAG_ERROR, r->name, r->line + 1, 0, "cannot be read");
			return -EIO;
		}
		r->eof = n == 0;
	}
too_long:
	diag_add(r->diags, DIAG_ERROR, r->name, r->line, 0, "a line of more than %d bytes",
		 TRACE_LINE_MAX);
	return -EINVAL;
}

/* --- values ---------------------------------------------------------------------------- */

static void skip_blank(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

static int expect(struct cursor *c, char wanted)
{
	char what[2] = {wanted, '\0'};

	skip_blank(c);
	if (c->p == c->end || *c->p != wanted)
		return complain(c, c->p, "\"%s\" expected", what);
	c->p++;
	return 0;
}

static int hex4(const char *p, unsigned *out)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		char d = p[i];

		v <<= 4;
		if (d >= '0' && d <= '9')
			v |= (unsigned)(d - '0');
		else if ((d | 32) >= 'a' && (d | 32) <= 'f')
			v |= (unsigned)((d | 32) - 'a' + 10);
		else
			return -EINVAL;
	}
	*out = v;
	return 0;
}

static size_t put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 63));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 63));
		out[2] = (char)(0x80 | (code & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 63));
	out[2] = (char)(0x80 | (code >> 6 & 63));
	out[3] = (char)(0x80 | (code & 63));
	return 4;
}

/* A JSON escape, at the backslash. Other tools may write \u where keytrail does not. */
static int json_escape(struct cursor *c, char **at)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known;
	unsigned code, low;

	if (c->end - c->p < 2)
		return complain(c, c->p, "%s", "string without end");
	if (c->p[1] != 'u') {
		known = c->p[1] ? strchr(from, c->p[1]) : NULL;
		if (!known)
			return complain(c, c->p, "%s", "no escape of JSON");
		*(*at)++ = to[known - from];
		c->p += 2;
		return 0;
	}
	if (c->end - c->p < 6 || hex4(c->p + 2, &code))
		return complain(c, c->p, "%s", "\\u without four hex digits");
	if (code >= 0xd800 && code < 0xdc00) {
		if (c->end - c->p < 12 || c->p[6] != '\\' || c->p[7] != 'u' ||
		    hex4(c->p + 8, &low) || low < 0xdc00 || low > 0xdfff)
			return complain(c, c->p, "%s", "half a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		c->p += 6;
	} else if (code >= 0xdc00 && code < 0xe000) {
		return complain(c, c->p, "%s", "half a surrogate pair");
	}
	c->p += 6;
	*at += put_utf8(*at, code);
	return 0;
}

/* A string, unescaped in place: never longer than its text. */
static int read_string(struct cursor *c, struct span *out)
{
	char *start, *at;
	int r = expect(c, '"');

	if (r < 0)
		return r;
	start = at = c->p;
	for (;;) {
		if (c->p == c->end)
			return complain(c, start - 1, "%s", "string without end");
		if (*c->p == '"')
			break;
		if (*c->p == '\\') {
			r = json_escape(c, &at);
			if (r < 0)
				return r;
			continue;
		}
		if ((unsigned char)*c->p < 0x20)
			return complain(c, c->p, "%s", "control character in a string");
		*at++ = *c->p++;
	}
	c->p++;
	*out = (struct span){start, (size_t)(at - start)};
	return 0;
}

/* A string that stands for bytes. They are put back over the text, which is at least as long. */
static int read_bytes(struct cursor *c, struct span *out)
{
	struct span text;
	char *place = c->p;
	int r = read_string(c, &text);
	long n;

	if (r < 0)
		return r;
	if (!memchr(text.p, '\\', text.len)) {
		/* Nothing to undo, but not everything may stand there unescaped. */
		n = escape_undo(text.p, text.len, c->r->undone, sizeof(c->r->undone));
		if (n < 0)
			return complain(c, place, "%s",
					"text that is not escaped as keytrail does");
		*out = text.len ? text : (struct span){NULL, 0};
		return 0;
	}
	n = escape_undo(text.p, text.len, c->r->undone, sizeof(c->r->undone));
	if (n < 0)
		return complain(c, place, "%s", "text that is not escaped as keytrail does");
	memcpy((char *)text.p, c->r->undone, (size_t)n);
	*out = n ? (struct span){text.p, (size_t)n} : (struct span){NULL, 0};
	return 0;
}

static int read_number(struct cursor *c, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	char *start;

	skip_blank(c);
	start = c->p;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		uint64_t digit = (uint64_t)(*c->p - '0');

		if (n > (max - digit) / 10)
			return complain(c, start, "%s", "number out of range");
		n = n * 10 + digit;
		c->p++;
	}
	if (c->p == start || (*start == '0' && c->p - start > 1))
		return complain(c, start, "%s", "number expected");
	*out = n;
	return 0;
}

static int read_signed(struct cursor *c, int64_t *out)
{
	bool negative;
	uint64_t n;
	int r;

	skip_blank(c);
	negative = c->p < c->end && *c->p == '-';
	c->p += negative;
	r = read_number(c, INT64_MAX, &n);
	if (!r)
		*out = negative ? -(int64_t)n : (int64_t)n;
	return r;
}

static int read_bool(struct cursor *c, bool *out)
{
	skip_blank(c);
	if (c->end - c->p >= 4 && !memcmp(c->p, "true", 4)) {
		*out = true;
		c->p += 4;
		return 0;
	}
	if (c->end - c->p >= 5 && !memcmp(c->p, "false", 5)) {
		*out = false;
		c->p += 5;
		return 0;
	}
	return complain(c, c->p, "%s", "true or false expected");
}

static bool span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && !memcmp(s.p, word, s.len);
}

static int read_word(struct cursor *c, const struct trace_field *field, uint32_t *out)
{
	char *place = c->p;
	struct span word;
	int r = read_string(c, &word);

	if (r < 0)
		return r;
	for (unsigned v = field->first; v < field->nr; v++) {
		if (span_is(word, field->word(v))) {
			*out = v;
			return 0;
		}
	}
	return complain(c, place, "no value that \"%s\" can have", field->name);
}

static int read_spki(struct cursor *c, struct key_identity *key)
{
	char *place = c->p;
	struct span text;
	unsigned v;
	int r = read_string(c, &text);

	if (r < 0)
		return r;
	if (text.len != 2 * sizeof(key->spki))
		return complain(c, place, "%s", "64 hex digits expected");
	for (size_t i = 0; i < sizeof(key->spki); i += 2) {
		if (hex4(text.p + 2 * i, &v))
			return complain(c, place, "%s", "64 hex digits expected");
		key->spki[i] = (uint8_t)(v >> 8);
		key->spki[i + 1] = (uint8_t)v;
	}
	key->has_spki = true;
	return 0;
}

static int read_addr(struct cursor *c, uint8_t *out)
{
	char *place = c->p, pair[4] = {'0', '0'};
	struct span text;
	unsigned v;
	int r = read_string(c, &text);

	if (r < 0)
		return r;
	if (text.len % 2 || text.len > 2 * TRACE_ADDR_LEN)
		return complain(c, place, "%s", "at most 32 hex digits expected, in pairs");
	for (size_t i = 0; i < text.len; i += 2) {
		memcpy(pair + 2, text.p + i, 2);
		if (hex4(pair, &v))
			return complain(c, place, "%s", "at most 32 hex digits expected, in pairs");
		out[i / 2] = (uint8_t)v;
	}
	return 0;
}

static int read_chars(struct cursor *c, const struct trace_field *field, char *out)
{
	char *place = c->p;
	struct span bytes;
	int r = read_bytes(c, &bytes);

	if (r < 0)
		return r;
	if (bytes.len >= field->size)
		return complain(c, place, "too long for \"%s\"", field->name);
	if (bytes.len && memchr(bytes.p, '\0', bytes.len))
		return complain(c, place, "a NUL in \"%s\"", field->name);
	if (bytes.len)
		memcpy(out, bytes.p, bytes.len);
	return 0;
}

static int read_field(struct cursor *c, const struct trace_field *field, void *base)
{
	char *p = (char *)base + field->offset, *place = c->p;
	struct span span;
	uint64_t n = 0;
	int r;

	switch (field->kind) {
	case TRACE_U16:
		r = read_number(c, UINT16_MAX, &n);
		*(uint16_t *)p = (uint16_t)n;
		return r;
	case TRACE_U32:
		r = read_number(c, UINT32_MAX, &n);
		*(uint32_t *)p = (uint32_t)n;
		return r;
	case TRACE_U64:
		return read_number(c, UINT64_MAX, (uint64_t *)p);
	case TRACE_BOOL:
		return read_bool(c, (bool *)p);
	case TRACE_WORD:
		return read_word(c, field, (uint32_t *)p);
	case TRACE_SPAN:
		r = read_bytes(c, &span);
		if (!r && span.len > TRACE_STRING_MAX)
			return complain(c, place, "too long for \"%s\"", field->name);
		if (!r)
			*(struct span *)p = span;
		return r;
	case TRACE_CHARS:
		return read_chars(c, field, p);
	case TRACE_ADDR:
		return read_addr(c, (uint8_t *)p);
	case TRACE_SPKI:
		return read_spki(c, (struct key_identity *)p);
	}
	return -EINVAL;
}

/* --- items ----------------------------------------------------------------------------- */

static void preset(struct trace_fields fields, struct event *ev)
{
	for (size_t i = 0; i < fields.nr; i++) {
		const struct trace_field *field = &fields.fields[i];

		if (field->preset && (field->kind == TRACE_U32 || field->kind == TRACE_WORD))
			*(uint32_t *)((char *)ev + field->offset) = field->preset;
	}
}

/* The index of a field; looked for from where the last one was, since the order is nearly always
 * ours. */
static long find_field(struct trace_fields fields, struct span name, size_t from)
{
	for (size_t k = 0; k < fields.nr; k++) {
		size_t i = from + k < fields.nr ? from + k : from + k - fields.nr;

		if (span_is(name, fields.fields[i].name))
			return (long)i;
	}
	return -1;
}

static int read_event(struct cursor *c, struct event *ev)
{
	struct trace_fields sets[2] = {trace_common_fields(), trace_type_fields(ev->type)};
	size_t from[2] = {0, 0};
	uint64_t seen[2] = {0, 0};
	int r;

	preset(sets[0], ev);
	preset(sets[1], ev);
	for (;;) {
		struct span name;
		char *place;
		long i = -1;
		int set;

		skip_blank(c);
		if (c->p < c->end && *c->p == '}') {
			c->p++;
			return 0;
		}
		r = expect(c, ',');
		place = c->p;
		if (!r)
			r = read_string(c, &name);
		if (!r)
			r = expect(c, ':');
		if (r < 0)
			return r;
		for (set = 0; set < 2; set++) {
			i = find_field(sets[set], name, from[set]);
			if (i >= 0)
				break;
		}
		if (i < 0 || set == 2)
			return complain(c, place, "\"%s\" has no such field",
					event_type_str(ev->type));
		if (seen[set] & 1ULL << i)
			return complain(c, place, "\"%s\" stands there twice",
					sets[set].fields[i].name);
		seen[set] |= 1ULL << i;
		from[set] = (size_t)i + 1;
		skip_blank(c);
		r = read_field(c, &sets[set].fields[i], ev);
		if (r < 0)
			return r;
	}
}

/* tick and clock have one field each. */
static int read_one(struct cursor *c, const char *wanted, uint64_t *number, int64_t *signed_number)
{
	struct span name;
	char *place;
	int r = expect(c, ',');

	place = c->p;
	if (!r)
		r = read_string(c, &name);
	if (r < 0)
		return r;
	if (!span_is(name, wanted))
		return complain(c, place, "\"%s\" expected", wanted);
	r = expect(c, ':');
	if (!r)
		r = number ? read_number(c, UINT64_MAX, number) : read_signed(c, signed_number);
	return r ? r : expect(c, '}');
}

static int read_item(struct cursor *c, struct trace_item *item)
{
	struct span name, type;
	char *place;
	int r = expect(c, '{');

	place = c->p;
	if (!r)
		r = read_string(c, &name);
	if (!r)
		r = expect(c, ':');
	if (r < 0)
		return r;
	if (!span_is(name, "t"))
		return complain(c, place, "%s", "the first field must be \"t\"");
	skip_blank(c);
	place = c->p;
	r = read_string(c, &type);
	if (r < 0)
		return r;
	if (span_is(type, "tick")) {
		item->type = TRACE_TICK;
		return read_one(c, "now", &item->now, NULL);
	}
	if (span_is(type, "clock")) {
		item->type = TRACE_CLOCK;
		return read_one(c, "wall_offset", NULL, &item->wall_offset_ns);
	}
	for (unsigned t = 1; t < EVENT_TYPE_NR; t++) {
		if (span_is(type, event_type_str((enum event_type)t))) {
			item->type = TRACE_EVENT;
			item->event.type = (enum event_type)t;
			return read_event(c, &item->event);
		}
	}
	return complain(c, place, "%s", "no such type of event");
}

int trace_read(struct trace_reader *reader, struct trace_item *out_item)
{
	struct cursor c = {.r = reader};
	struct trace_item item;
	int r;

	do {
		r = next_line(reader, &c.start, &c.end);
		if (r <= 0)
			return r;
		c.p = c.start;
		skip_blank(&c);
		/* Blank lines and comments: replay scripts are written by people. */
	} while (c.p == c.end || *c.p == '#');
	c.p = c.start;
	memset(&item, 0, sizeof(item));
	r = read_item(&c, &item);
	if (r < 0)
		return r;
	skip_blank(&c);
	if (c.p != c.end)
		return complain(&c, c.p, "%s", "something behind the end of the object");
	*out_item = item;
	return 1;
}

/* --- header ---------------------------------------------------------------------------- */

static int header_string(json_t *root, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(root, name));
	long n;

	if (!text)
		return 0;
	n = escape_undo(text, strlen(text), out, size - 1);
	if (n < 0 || memchr(out, '\0', (size_t)n)) {
		out[0] = '\0';
		return -EINVAL;
	}
	out[n] = '\0';
	return 0;
}

static int read_header(struct trace_reader *r, const char *line, size_t len)
{
	json_error_t error;
	json_t *root = json_loadb(line, len, 0, &error), *version;
	const char *format;
	int ret = -EINVAL;

	format = json_string_value(json_object_get(root, "format"));
	version = json_object_get(root, "version");
	if (!format || strcmp(format, "keytrail-trace") != 0 || !json_is_integer(version) ||
	    json_integer_value(version) < 1) {
		diag_add(r->diags, DIAG_ERROR, r->name, r->line, 1, "not a trace of keytrail");
	} else if (json_integer_value(version) > TRACE_VERSION) {
		diag_add(r->diags, DIAG_ERROR, r->name, r->line, 1,
			 "a trace of version %lld was written by a newer keytrail; this one reads "
			 "up to version %d",
			 (long long)json_integer_value(version), TRACE_VERSION);
		ret = -EPROTONOSUPPORT;
	} else if (header_string(root, "host", r->header.host, sizeof(r->header.host)) ||
		   header_string(root, "boot_id", r->header.boot_id, sizeof(r->header.boot_id)) ||
		   header_string(root, "policy", r->header.policy, sizeof(r->header.policy))) {
		diag_add(r->diags, DIAG_ERROR, r->name, r->line, 1, "damaged header");
	} else {
		r->header.version = (uint32_t)json_integer_value(version);
		r->header.wall_offset_ns = json_integer_value(json_object_get(root, "wall_offset"));
		ret = 0;
	}
	json_decref(root);
	return ret;
}

int trace_reader_new(FILE *f, const char *name, struct diag_list *diags,
		     struct trace_reader **out_reader)
{
	struct trace_reader *reader = malloc(sizeof(*reader));
	char *start, *end;
	int r;

	if (!reader)
		return -ENOMEM;
	memset(reader, 0, offsetof(struct trace_reader, buf));
	reader->f = f;
	reader->name = name;
	reader->diags = diags;
	r = next_line(reader, &start, &end);
	if (r == 0)
		diag_add(diags, DIAG_ERROR, name, 0, 0, "empty: not a trace of keytrail");
	if (r > 0)
		r = read_header(reader, start, (size_t)(end - start));
	else if (r == 0)
		r = -EINVAL;
	if (r < 0) {
		free(reader);
		return r;
	}
	*out_reader = reader;
	return 0;
}

void trace_reader_free(struct trace_reader *reader)
{
	free(reader);
}

const struct trace_header *trace_reader_header(const struct trace_reader *reader)
{
	return &reader->header;
}
