// SPDX-License-Identifier: GPL-2.0-or-later
/* Syslog lines with an element of ours. */
#include "base/syslogline.h"

#include <string.h>

#define APP	  "keytraild"
#define SD_PREFIX "[keytrail@"
#define WORDS_MAX 5 /* before the text: 1 TIME HOST APP; Mon D TIME HOST APP; TIME HOST APP */

struct word {
	const char *p;
	size_t len;
};

static bool is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && !memcmp(w->p, text, w->len);
}

/* "keytraild[815]:" or "keytraild:" */
static bool is_tag(const struct word *w)
{
	const size_t len = sizeof(APP) - 1;
	size_t at = len;

	if (w->len < len + 1 || memcmp(w->p, APP, len) != 0)
		return false;
	if (w->p[at] == '[') {
		at += 1 + strspn(w->p + at + 1, "0123456789");
		if (at >= w->len || w->p[at] != ']')
			return false;
		at++;
	}
	return at + 1 == w->len && w->p[at] == ':';
}

static void take_host(const struct word *w, char host[static 256])
{
	host[0] = '\0';
	if (is(w, "-") || w->len > 255)
		return;
	memcpy(host, w->p, w->len);
	host[w->len] = '\0';
}

static const char *after_words(const char *s, unsigned nr)
{
	while (s && nr-- > 0) {
		s = strchr(s, ' ');
		if (s)
			s++;
	}
	return s;
}

/* Behind <PRI>, if there is one. */
static const char *after_pri(const char *line)
{
	const size_t digits = *line == '<' ? strspn(line + 1, "0123456789") : 0;

	return digits && digits <= 3 && line[1 + digits] == '>' ? line + digits + 2 : line;
}

/* "Nov" */
static bool is_month(const struct word *w)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t i = 0; w->len == 3 && i < sizeof(months) - 1; i += 3)
		if (!memcmp(w->p, months + i, 3))
			return true;
	return false;
}

/* 2023-11-14T22:41:07+00:00 */
static bool is_iso_time(const struct word *w)
{
	return w->len && strspn(w->p, "0123456789:.TZ+-") == w->len && memchr(w->p, ':', w->len);
}

/*
 * Where the host stands is decided by what the line begins with, which the log's writer put there,
 * and never by where the tag is found: what comes behind the host is the sender's to choose.
 */
bool syslog_line_parse(const char *line, struct syslog_line *out)
{
	struct word words[WORDS_MAX] = {0};
	const char *p = after_pri(line);
	const bool pri = p != line;
	unsigned host;

	for (unsigned i = 0; i < WORDS_MAX; i++) {
		words[i] = (struct word){p, strcspn(p, " ")};
		p += words[i].len;
		p += strspn(p, " ");
	}
	if (pri && is(&words[0], "1")) {
		/* TIME HOST APP PROCID MSGID element */
		out->rfc5424 = true;
		out->data = is(&words[3], APP) ? after_words(words[3].p, 3) : NULL;
		take_host(&words[2], out->host);
		return out->data && *out->data == '[';
	}
	if (is_month(&words[0]))
		host = 3;
	else if (is_iso_time(&words[0]))
		host = 1;
	else
		return false;
	out->rfc5424 = false;
	out->host[0] = '\0';
	if (is_tag(&words[host])) { /* it was not passed on, and names none */
		out->data = strstr(words[host].p, SD_PREFIX);
		return out->data != NULL;
	}
	if (!is_tag(&words[host + 1]))
		return false;
	take_host(&words[host], out->host);
	out->data = strstr(words[host + 1].p, SD_PREFIX);
	return out->data != NULL;
}

/* Without the backslashes before `"`, `\` and `]`. p: behind the opening quote. */
static bool take_value(const char *p, char *out, size_t size)
{
	size_t n = 0;

	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\' || p[1] == ']'))
			p++;
		if (n + 1 >= size)
			return false;
		out[n++] = *p;
	}
	out[n] = '\0';
	return *p == '"' && n;
}

bool syslog_line_param(const struct syslog_line *line, const char *name, char *out, size_t size)
{
	const size_t len = strlen(name);
	bool quoted = false;

	out[0] = '\0';
	for (const char *at = line->data; *at && (quoted || *at != ']'); at++) {
		if (quoted && *at == '\\' && at[1]) {
			at++;
		} else if (*at == '"') {
			quoted = !quoted;
		} else if (!quoted && *at == ' ' && !strncmp(at + 1, name, len) &&
			   at[1 + len] == '=' && at[2 + len] == '"') {
			if (take_value(at + 3 + len, out, size))
				return true;
			out[0] = '\0';
			return false;
		}
	}
	return false;
}
