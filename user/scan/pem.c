// SPDX-License-Identifier: GPL-2.0-or-later
/* BEGIN, headers, body, END. */
#include "scan/pem.h"

#define DASHES "-----"

/* "-----BEGIN label-----" with blanks after it. */
static bool marker(struct bytes line, const char *word, struct bytes *out_label)
{
	while (line.len && (line.p[line.len - 1] == ' ' || line.p[line.len - 1] == '\t'))
		line.len--;
	if (!bytes_starts(line, DASHES) || !bytes_skip(&line, 5) || !bytes_starts(line, word) ||
	    !bytes_skip(&line, strlen(word)) || line.len < 5 ||
	    memcmp(line.p + line.len - 5, DASHES, 5) != 0)
		return false;
	line.len -= 5;
	*out_label = line;
	return true;
}

/* An armoured line has no colon, a header has; the lines that continue it start with a blank. */
static bool is_header(struct bytes line, bool after_header)
{
	if (!line.len)
		return false;
	return memchr(line.p, ':', line.len) ||
	       (after_header && (line.p[0] == ' ' || line.p[0] == '\t'));
}

static void split_headers(struct bytes inside, struct pem *pem)
{
	struct bytes rest = inside;
	struct bytes line;

	pem->headers = (struct bytes){inside.p, 0};
	while (bytes_line(&rest, &line) && is_header(line, pem->headers.len > 0))
		pem->headers.len = (size_t)(rest.p - inside.p);
	pem->body = (struct bytes){inside.p + pem->headers.len, inside.len - pem->headers.len};
}

bool pem_next(struct bytes *in, struct pem *out)
{
	struct bytes rest = *in;
	struct bytes line, label, inside;
	struct pem pem = {.ended = false};

	do {
		if (!bytes_line(&rest, &line))
			return false;
	} while (!marker(line, "BEGIN ", &pem.label));

	inside = (struct bytes){rest.p, 0};
	for (;;) {
		struct bytes before = rest;

		inside.len = (size_t)(before.p - inside.p);
		if (!bytes_line(&rest, &line))
			break;
		if (marker(line, "END ", &label) && bytes_eq(label, pem.label)) {
			pem.ended = true;
			break;
		}
		if (marker(line, "BEGIN ", &label)) {
			rest = before;
			break;
		}
	}
	split_headers(inside, &pem);
	*in = rest;
	*out = pem;
	return true;
}

struct bytes pem_header(const struct pem *pem, const char *name)
{
	struct bytes rest = pem->headers;
	struct bytes line;

	while (bytes_line(&rest, &line)) {
		if (!bytes_starts(line, name))
			continue;
		bytes_skip(&line, strlen(name));
		if (!line.len || line.p[0] != ':')
			continue;
		bytes_skip(&line, 1);
		while (line.len && line.p[0] == ' ')
			bytes_skip(&line, 1);
		return line;
	}
	return (struct bytes){NULL, 0};
}

bool pem_is_private(const struct pem *pem)
{
	static const char end[] = "PRIVATE KEY";
	size_t len = sizeof(end) - 1;

	return bytes_is(pem->label, "PGP PRIVATE KEY BLOCK") ||
	       (pem->label.len >= len &&
		memcmp(pem->label.p + pem->label.len - len, end, len) == 0);
}
