// SPDX-License-Identifier: GPL-2.0-or-later
/* Events to lines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "trace/format.h"
#include "trace/trace.h"

struct trace_writer {
	FILE *f;
	size_t len; /* of the line so far */
	bool overflow;
	char line[TRACE_LINE_MAX];
	char escaped[4 * TRACE_STRING_MAX + 1];
};

static void put(struct trace_writer *w, const char *p, size_t len)
{
	if (len > sizeof(w->line) - w->len) {
		w->overflow = true;
		return;
	}
	memcpy(w->line + w->len, p, len);
	w->len += len;
}

static void put_str(struct trace_writer *w, const char *s)
{
	put(w, s, strlen(s));
}

static void put_number(struct trace_writer *w, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(w, digits + at, sizeof(digits) - at);
}

static void put_signed(struct trace_writer *w, int64_t n)
{
	if (n < 0)
		put(w, "-", 1);
	put_number(w, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

/* Escaped text is printable UTF-8, so quotes and backslashes are all that JSON asks for on top. */
static void put_bytes(struct trace_writer *w, const char *p, size_t len)
{
	size_t n, from = 0;

	if (len > TRACE_STRING_MAX) {
		w->overflow = true;
		return;
	}
	n = escape_bytes(p, len, w->escaped, sizeof(w->escaped), NULL);
	put(w, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		if (w->escaped[i] != '"' && w->escaped[i] != '\\')
			continue;
		put(w, w->escaped + from, i - from);
		put(w, "\\", 1);
		from = i;
	}
	put(w, w->escaped + from, n - from);
	put(w, "\"", 1);
}

static void put_name(struct trace_writer *w, const char *name)
{
	put(w, ",\"", 2);
	put_str(w, name);
	put(w, "\":", 2);
}

static void put_hex(struct trace_writer *w, const uint8_t *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char text[64];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = hex[bytes[i] >> 4];
		text[2 * i + 1] = hex[bytes[i] & 15];
	}
	put_bytes(w, text, 2 * len);
}

static void put_spki(struct trace_writer *w, const char *name, const struct key_identity *key)
{
	if (!key->has_spki)
		return;
	put_name(w, name);
	put_hex(w, key->spki, sizeof(key->spki));
}

static void put_field(struct trace_writer *w, const struct trace_field *field, const void *base)
{
	const char *p = (const char *)base + field->offset;
	struct span span;
	uint64_t n = 0;

	switch (field->kind) {
	case TRACE_U16:
		n = *(const uint16_t *)p;
		break;
	case TRACE_U32:
	case TRACE_WORD:
		n = *(const uint32_t *)p;
		break;
	case TRACE_U64:
		n = *(const uint64_t *)p;
		break;
	case TRACE_BOOL:
		if (*(const bool *)p) {
			put_name(w, field->name);
			put_str(w, "true");
		}
		return;
	case TRACE_SPAN:
		span = *(const struct span *)p;
		if (span.len) {
			put_name(w, field->name);
			put_bytes(w, span.p, span.len);
		}
		return;
	case TRACE_CHARS:
		if (*p) {
			put_name(w, field->name);
			put_bytes(w, p, strnlen(p, field->size));
		}
		return;
	case TRACE_ADDR: {
		size_t len = TRACE_ADDR_LEN;

		while (len && !p[len - 1])
			len--;
		if (len) {
			put_name(w, field->name);
			put_hex(w, (const uint8_t *)p, len);
		}
		return;
	}
	case TRACE_SPKI:
		put_spki(w, field->name, (const struct key_identity *)p);
		return;
	}
	if (n == field->preset)
		return;
	put_name(w, field->name);
	if (field->kind == TRACE_WORD) {
		const char *word = field->word((unsigned)n);

		put_bytes(w, word, strlen(word));
	} else {
		put_number(w, n);
	}
}

static void begin(struct trace_writer *w, const char *type)
{
	w->len = 0;
	w->overflow = false;
	put_str(w, "{\"t\":\"");
	put_str(w, type);
	put(w, "\"", 1);
}

static int finish(struct trace_writer *w)
{
	put(w, "}\n", 2);
	if (w->overflow)
		return -EMSGSIZE;
	return fwrite(w->line, 1, w->len, w->f) == w->len ? 0 : -EIO;
}

int trace_write(struct trace_writer *writer, const struct event *ev)
{
	struct trace_fields common = trace_common_fields(), own = trace_type_fields(ev->type);

	if (!own.nr)
		return -EINVAL;
	begin(writer, event_type_str(ev->type));
	for (size_t i = 0; i < common.nr; i++)
		put_field(writer, &common.fields[i], ev);
	for (size_t i = 0; i < own.nr; i++)
		put_field(writer, &own.fields[i], ev);
	return finish(writer);
}

int trace_write_tick(struct trace_writer *writer, uint64_t now)
{
	begin(writer, "tick");
	put_name(writer, "now");
	put_number(writer, now);
	return finish(writer);
}

int trace_write_clock(struct trace_writer *writer, int64_t wall_offset_ns)
{
	begin(writer, "clock");
	put_name(writer, "wall_offset");
	put_signed(writer, wall_offset_ns);
	return finish(writer);
}

int trace_writer_new(FILE *f, const struct trace_header *header, struct trace_writer **out_writer)
{
	struct trace_writer *w = malloc(sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->f = f;
	w->len = 0;
	w->overflow = false;
	put_str(w, "{\"format\":\"keytrail-trace\",\"version\":");
	put_number(w, TRACE_VERSION);
	put_name(w, "host");
	put_bytes(w, header->host, strnlen(header->host, sizeof(header->host)));
	put_name(w, "boot_id");
	put_bytes(w, header->boot_id, strnlen(header->boot_id, sizeof(header->boot_id)));
	put_name(w, "policy");
	put_bytes(w, header->policy, strnlen(header->policy, sizeof(header->policy)));
	put_name(w, "wall_offset");
	put_signed(w, header->wall_offset_ns);
	r = finish(w);
	if (r < 0) {
		free(w);
		return r;
	}
	*out_writer = w;
	return 0;
}

void trace_writer_free(struct trace_writer *writer)
{
	free(writer);
}
