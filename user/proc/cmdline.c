// SPDX-License-Identifier: GPL-2.0-or-later
/* Arguments to text: redacted first, then joined, escaped and cut, in that order. */
#include "proc/cmdline.h"

#include <string.h>

#include "base/escape.h"
#include "proc/redact.h"

#define HIDDEN	 "***"
#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

static size_t append(char *out, size_t at, size_t size, const char *p, size_t len)
{
	if (len > size - at)
		return 0;
	memcpy(out + at, p, len);
	return len;
}

size_t cmdline_redact(struct span args, bool truncated, char *out, size_t size, bool *out_truncated)
{
	bool secret[CMDLINE_ARGS_MAX];
	size_t at = 0, i = 0, tail, mark = strlen(ELLIPSIS);
	bool done;

	if (args.len > CMDLINE_ARGS_MAX) {
		args.len = CMDLINE_ARGS_MAX;
		truncated = true;
	}
	/* Been here before: what was cut is gone already. */
	done = truncated && args.len >= mark && !memcmp(args.p + args.len - mark, ELLIPSIS, mark);
	if (done)
		args.len -= mark;
	memset(secret, 0, args.len);
	redact_mark(args, truncated && !done, secret);
	/* The end of what was cut off: hidden as a whole, told by the ellipsis. */
	tail = args.len;
	while (truncated && !done && tail > 0 && secret[tail - 1])
		tail--;
	while (i < tail) {
		size_t n;

		if (secret[i]) {
			n = append(out, at, size, HIDDEN, strlen(HIDDEN));
			while (i < tail && secret[i])
				i++;
		} else {
			n = append(out, at, size, args.p + i, 1);
			i++;
		}
		if (!n)
			break;
		at += n;
	}
	if (i < tail) { /* no room: what stands at the end may be half a word */
		truncated = true;
		while (at > 0 && (out[at - 1] != '\0' || size - at < strlen(ELLIPSIS)))
			at--;
	}
	if (truncated)
		at += append(out, at, size, ELLIPSIS, strlen(ELLIPSIS));
	*out_truncated = truncated;
	return at;
}

/* A word of its own in quotes if it would read as several, or as none. */
static bool needs_quotes(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.p[i] == ' ' || word.p[i] == '\'' || word.p[i] == '"')
			return true;
	return !word.len;
}

size_t cmdline_text(struct span args, bool truncated, bool redact, char *out)
{
	char clean[CMDLINE_ARGS_MAX * 2], joined[CMDLINE_TEXT_MAX + 1];
	size_t n = 0, i = 0, len;
	bool cut;

	if (redact) {
		args.len = cmdline_redact(args, truncated, clean, sizeof(clean), &truncated);
		args.p = clean;
		if (truncated)
			args.len -= strlen(ELLIPSIS);
	}
	/* The last NUL ends a word and begins none. */
	if (args.len && args.p[args.len - 1] == '\0')
		args.len--;
	while (args.len && i <= args.len && n < sizeof(joined)) {
		const char *nul = memchr(args.p + i, '\0', args.len - i);
		struct span word = {args.p + i, (nul ? (size_t)(nul - args.p) : args.len) - i};
		bool quotes = needs_quotes(word);

		if (i)
			joined[n++] = ' ';
		if (quotes && n < sizeof(joined))
			joined[n++] = '\'';
		for (size_t k = 0; k < word.len && n < sizeof(joined); k++)
			joined[n++] = word.p[k];
		if (quotes && n < sizeof(joined))
			joined[n++] = '\'';
		i += word.len + 1;
	}
	len = escape_bytes(joined, n, out, CMDLINE_TEXT_MAX + 1, &cut);
	if (!truncated && !cut)
		return len;
	/* Room for the ellipsis, by whole characters and escapes. */
	len = escape_bytes(joined, n, out, CMDLINE_TEXT_MAX + 1 - strlen(ELLIPSIS), NULL);
	memcpy(out + len, ELLIPSIS, sizeof(ELLIPSIS));
	return len + strlen(ELLIPSIS);
}
