// SPDX-License-Identifier: GPL-2.0-or-later
/* The RFC 5424 line in the framing that /dev/log understands. */
#include "sinks/rfc3164.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

struct part {
	const char *p;
	size_t len;
};

static bool next_word(struct part *rest, struct part *out)
{
	const char *space = memchr(rest->p, ' ', rest->len);

	if (!space)
		return false;
	*out = (struct part){rest->p, space - rest->p};
	rest->len -= out->len + 1;
	rest->p = space + 1;
	return true;
}

/* The element ends at the first `]` that no backslash stands before. */
static bool next_element(struct part *rest, struct part *out)
{
	for (size_t i = 0; i < rest->len; i++) {
		if (rest->p[i] == '\\') {
			i++;
		} else if (rest->p[i] == ']') {
			*out = (struct part){rest->p, i + 1};
			rest->p += i + 1;
			rest->len -= i + 1;
			return true;
		}
	}
	return false;
}

/* "2025-01-09T..." to "Jan  9 ...": the date is local time already. */
static const char *month(const struct part *time)
{
	static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int m;

	if (time->len < 19 || time->p[4] != '-' || time->p[7] != '-' || time->p[10] != 'T')
		return NULL;
	m = (time->p[5] - '0') * 10 + time->p[6] - '0';
	return m >= 1 && m <= 12 ? names[m - 1] : NULL;
}

/*
 * The sentence stands before the element, and a file may be named like an element. So that the
 * first
 * "[SD-ID" of the line is the real one, others get a round bracket.
 */
static void disarm(char *text, size_t len, const struct part *element)
{
	size_t id = 1;

	while (id < element->len && element->p[id] != ' ' && element->p[id] != ']')
		id++;
	for (char *p = text; (p = memmem(p, text + len - p, element->p, id)); p++)
		*p = '(';
}

long rfc3164_from_rfc5424(const char *line, size_t len, char *out)
{
	static const char bom[] = {'\xef', '\xbb', '\xbf'};
	struct part rest = {line, len}, pri, time, host, app, pid, msgid, element;
	const char *mon;
	char *p = out;

	if (!next_word(&rest, &pri) || !next_word(&rest, &time) || !next_word(&rest, &host) ||
	    !next_word(&rest, &app) || !next_word(&rest, &pid) || !next_word(&rest, &msgid) ||
	    rest.len == 0 || *rest.p != '[' || !next_element(&rest, &element))
		return -EBADMSG;
	mon = month(&time);
	if (pri.len < 4 || pri.p[0] != '<' || pri.p[pri.len - 2] != '>' || !mon)
		return -EBADMSG;
	if (rest.len > 0) { /* the space before MSG */
		rest.p++;
		rest.len--;
	}
	if (rest.len >= sizeof(bom) && !memcmp(rest.p, bom, sizeof(bom))) {
		rest.p += sizeof(bom);
		rest.len -= sizeof(bom);
	}
	p = mempcpy(p, pri.p, pri.len - 1); /* without the version */
	p = mempcpy(p, mon, 3);
	*p++ = ' ';
	*p++ = time.p[8] == '0' ? ' ' : time.p[8];
	*p++ = time.p[9];
	*p++ = ' ';
	p = mempcpy(p, time.p + 11, 8);
	*p++ = ' ';
	p = mempcpy(p, app.p, app.len);
	*p++ = '[';
	p = mempcpy(p, pid.p, pid.len);
	*p++ = ']';
	*p++ = ':';
	*p++ = ' ';
	p = mempcpy(p, rest.p, rest.len);
	disarm(p - rest.len, rest.len, &element);
	*p++ = ' ';
	p = mempcpy(p, element.p, element.len);
	return p - out;
}
