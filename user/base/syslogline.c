// SPDX-License-Identifier: GPL-2.0-or-later
/* Syslog lines with an element of ours. */
#include "base/syslogline.h"

#include <string.h>

#define APP	  "keytraild"
#define SD_PREFIX "[keytrail@"
#define WORDS_MAX 5 /* before the text: <PRI>1 TIME HOST APP, or Mon D TIME HOST APP */

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
	/* A line that was not passed on has its time there. */
	const bool time = memchr(w->p, ':', w->len) && strspn(w->p, "0123456789:.TZ+-") >= w->len;

	host[0] = '\0';
	if (time || is(w, "-") || w->len > 255)
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

bool syslog_line_parse(const char *line, struct syslog_line *out)
{
	struct word words[WORDS_MAX];
	const char *p = line;

	for (unsigned i = 0; i < WORDS_MAX; i++) {
		words[i] = (struct word){p, strcspn(p, " ")};
		if (i == 3 && is(&words[i], APP)) {
			/* PRI and version, TIME HOST APP PROCID MSGID element */
			out->rfc5424 = true;
			out->data = after_words(words[i].p, 3);
			take_host(&words[i - 1], out->host);
			return out->data && *out->data == '[';
		}
		if (i && is_tag(&words[i])) {
			out->rfc5424 = false;
			out->data = strstr(words[i].p + words[i].len, SD_PREFIX);
			take_host(&words[i - 1], out->host);
			return out->data != NULL;
		}
		/* Another program's tag: what follows is its text. */
		if (words[i].len && words[i].p[words[i].len - 1] == ':')
			return false;
		p += words[i].len;
		p += strspn(p, " ");
		if (!*p)
			break;
	}
	return false;
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
