/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An RFC 5424 parser written from the grammar of section 6, for tests: strict where a receiver may
 * be lenient, and sharing nothing with the code that writes lines.
 */
#pragma once

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PARSED_PARAMS_MAX 256

struct parsed_param {
	char name[33];
	char *value; /* unescaped */
};

struct parsed {
	unsigned facility, severity;
	char time[64], host[256], app[49], pid[129], msgid[33], sd_id[33];
	struct parsed_param params[PARSED_PARAMS_MAX];
	size_t nr_params;
	const char *element; /* in the line */
	size_t element_len;
	const char *msg; /* in the line, without BOM */
	size_t msg_len;
	bool bom;
};

static inline void parsed_fini(struct parsed *p)
{
	for (size_t i = 0; i < p->nr_params; i++)
		free(p->params[i].value);
	p->nr_params = 0;
}

static inline const char *parsed_param(const struct parsed *p, const char *name)
{
	for (size_t i = 0; i < p->nr_params; i++)
		if (!strcmp(p->params[i].name, name))
			return p->params[i].value;
	return NULL;
}

/* Valid UTF-8 without control characters, so: one line. */
static inline bool parse_clean_utf8(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = s[i];
		size_t n = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4;
		unsigned long v = n == 1 ? c : c & (0xff >> (n + 1));

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc2) || c > 0xf4 || i + n > len)
			return false;
		for (size_t k = 1; k < n; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			v = v << 6 | (s[i + k] & 0x3f);
		}
		if ((n == 3 && v < 0x800) || (n == 4 && (v < 0x10000 || v > 0x10ffff)) ||
		    (v >= 0xd800 && v <= 0xdfff) || (v >= 0x80 && v < 0xa0) || v == 0x2028 ||
		    v == 0x2029)
			return false;
		i += n;
	}
	return true;
}

static inline bool parse_field(const char **s, const char *end, char *out, size_t max)
{
	size_t n = 0;

	while (*s < end && **s != ' ') {
		if (**s < 33 || **s > 126 || n == max)
			return false;
		out[n++] = *(*s)++;
	}
	out[n] = '\0';
	if (n == 0 || *s == end)
		return false;
	(*s)++;
	return true;
}

/* 2003-08-24T05:14:15.000003-07:00, always with microseconds and a numeric offset. */
static inline bool parse_time_ok(const char *t)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddd+dd:dd";

	if (strlen(t) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd'   ? !isdigit((unsigned char)t[i])
		    : form[i] == '+' ? t[i] != '+' && t[i] != '-'
				     : t[i] != form[i])
			return false;
	return true;
}

static inline bool parse_name(const char **s, const char *end, const char *stop, char *out)
{
	size_t n = 0;

	while (*s < end && !strchr(stop, **s)) {
		if (**s < 33 || **s > 126 || strchr("=\"]", **s) || n == 32)
			return false;
		out[n++] = *(*s)++;
	}
	out[n] = '\0';
	return n > 0 && *s < end;
}

static inline bool parse_value(const char **s, const char *end, char **out)
{
	size_t n = 0;

	*out = malloc(end - *s + 1);
	while (*s < end && **s != '"') {
		char c = *(*s)++;

		if (c == ']')
			return false; /* must be escaped */
		if (c == '\\') {
			if (*s == end || !strchr("\"\\]", **s))
				return false;
			c = *(*s)++;
		}
		(*out)[n++] = c;
	}
	(*out)[n] = '\0';
	if (*s == end)
		return false;
	(*s)++;
	return true;
}

static inline bool parse_element(const char **s, const char *end, struct parsed *p)
{
	p->element = *s;
	if (*s == end || *(*s)++ != '[' || !parse_name(s, end, " ]", p->sd_id))
		return false;
	while (*s < end && **s == ' ') {
		struct parsed_param *param = &p->params[p->nr_params];

		(*s)++;
		if (p->nr_params == PARSED_PARAMS_MAX || !parse_name(s, end, "=", param->name))
			return false;
		(*s)++;
		if (*s == end || *(*s)++ != '"')
			return false;
		p->nr_params++;
		if (!parse_value(s, end, &param->value))
			return false;
	}
	if (*s == end || *(*s)++ != ']')
		return false;
	p->element_len = *s - p->element;
	return true;
}

/* One message with exactly one SD-ELEMENT. parsed_fini() afterwards, whatever the result. */
static inline bool parse_rfc5424(const char *line, size_t len, struct parsed *p)
{
	const char *s = line, *end = line + len;
	unsigned pri = 0, digits = 0;
	char version[4];

	memset(p, 0, sizeof(*p));
	if (!parse_clean_utf8(line, len) || s == end || *s++ != '<')
		return false;
	for (; s < end && isdigit((unsigned char)*s) && digits < 3; digits++)
		pri = pri * 10 + (*s++ - '0');
	if (digits == 0 || pri > 191 || s == end || *s++ != '>')
		return false;
	p->facility = pri / 8;
	p->severity = pri % 8;
	if (!parse_field(&s, end, version, 3) || strcmp(version, "1") ||
	    !parse_field(&s, end, p->time, 63) || !parse_time_ok(p->time) ||
	    !parse_field(&s, end, p->host, 255) || !parse_field(&s, end, p->app, 48) ||
	    !parse_field(&s, end, p->pid, 128) || !parse_field(&s, end, p->msgid, 32) ||
	    !parse_element(&s, end, p))
		return false;
	if (s == end)
		return true; /* MSG may be missing */
	if (*s++ != ' ')
		return false;
	p->bom = end - s >= 3 && !memcmp(s, "\xef\xbb\xbf", 3);
	p->msg = s + (p->bom ? 3 : 0);
	p->msg_len = end - p->msg;
	return true;
}
