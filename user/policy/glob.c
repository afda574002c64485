// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pattern of one path component, compiled to a row of elements.
 *
 * Matching keeps one place to return to, that of the last `*`: an earlier `*` never needs another
 * try, because whatever it could give up the later one can take. So no pattern costs more than
 * pattern times name.
 *
 * The kernel side compares bytes where this compares characters. The two agree on prefix*suffix:
 * UTF-8 is a prefix code and no character's encoding begins inside another's.
 */
#include "policy/glob.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOT_UTF8 0x110000u /* + the byte: beyond every code point */

enum element_type { EL_CHAR, EL_ANY_CHAR, EL_SET, EL_STAR };

struct element {
	uint8_t type;
	bool negated; /* EL_SET */
	uint16_t first, nr; /* EL_SET: its ranges */
	uint32_t c; /* EL_CHAR */
};

struct range {
	uint32_t low, high;
};

struct glob {
	size_t nr; /* elements */
	size_t literal_len; /* bytes of `literal`; meaningless with wildcards */
	bool wild;
	bool any;
	bool exact; /* affixes say it all */
	uint8_t prefix_len, suffix_len;
	char prefix[WATCH_AFFIX_MAX], suffix[WATCH_AFFIX_MAX];
	struct element *elements;
	struct range *ranges;
	char *literal;
};

/* The character at p (end > p) and its length in bytes. */
static uint32_t character(const char *p, const char *end, size_t *out_len)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)p;
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c;

	*out_len = 1;
	if (len == 1)
		return s[0];
	if (len == 0 || s[0] > 0xf4 || len > (size_t)(end - p))
		return NOT_UTF8 + s[0];
	c = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return NOT_UTF8 + s[0];
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return NOT_UTF8 + s[0];
	*out_len = len;
	return c;
}

/* --- compiling ---------------------------------------------------------------------------------
 */

struct reader {
	const char *p, *end;
	const char *why;
};

static int fail(struct reader *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

/* One character of a set, an escape undone. */
static int set_character(struct reader *r, uint32_t *out_c)
{
	size_t len;

	if (r->p < r->end && *r->p == '\\')
		r->p++;
	if (r->p >= r->end)
		return fail(r, "`[` without `]`");
	*out_c = character(r->p, r->end, &len);
	r->p += len;
	return 0;
}

/* r->p is after `[`. */
static int read_set(struct reader *r, struct glob *g, struct element *e, size_t *nr_ranges)
{
	bool first = true;
	int err;

	*e = (struct element){.type = EL_SET, .first = (uint16_t)*nr_ranges};
	if (r->p < r->end && *r->p == '^')
		return fail(r, "`[^` is not known: write `[!` to negate a set");
	if (r->p < r->end && *r->p == '!') {
		e->negated = true;
		r->p++;
	}
	for (;; first = false) {
		struct range range;

		if (r->p >= r->end)
			return fail(r, "`[` without `]`");
		if (*r->p == ']' && !first)
			break;
		if (*r->p == '[' && r->end - r->p > 1 && strchr(":.=", r->p[1]))
			return fail(r, "character classes such as `[:alpha:]` are not known: write "
				       "ranges");
		err = set_character(r, &range.low);
		if (err < 0)
			return err;
		range.high = range.low;
		if (r->end - r->p > 1 && r->p[0] == '-' && r->p[1] != ']') {
			r->p++;
			err = set_character(r, &range.high);
			if (err < 0)
				return err;
			if (range.high < range.low)
				return fail(r, "a range in `[...]` runs backwards");
		}
		g->ranges[(*nr_ranges)++] = range;
		e->nr++;
	}
	r->p++;
	return 0;
}

static int read_pattern(struct reader *r, struct glob *g)
{
	size_t nr_ranges = 0, len;
	int err;

	while (r->p < r->end) {
		struct element *e = &g->elements[g->nr];

		switch (*r->p) {
		case '*':
			if (r->p + 1 < r->end && r->p[1] == '*')
				return fail(r, "`**` must be a component of its own");
			*e = (struct element){.type = EL_STAR};
			g->wild = true;
			r->p++;
			break;
		case '?':
			*e = (struct element){.type = EL_ANY_CHAR};
			g->wild = true;
			r->p++;
			break;
		case '[':
			r->p++;
			err = read_set(r, g, e, &nr_ranges);
			if (err < 0)
				return err;
			g->wild = true;
			break;
		case '\\':
			if (++r->p == r->end)
				return fail(r, "a backslash has nothing to escape");
			/* fall through */
		default:
			*e = (struct element){.type = EL_CHAR};
			e->c = character(r->p, r->end, &len);
			/* Only read where there is no wildcard; then it is the whole name. */
			memcpy(g->literal + g->literal_len, r->p, len);
			g->literal_len += len;
			r->p += len;
		}
		g->nr++;
	}
	return 0;
}

static size_t encode(uint32_t c, char out[4])
{
	if (c >= NOT_UTF8) {
		out[0] = (char)(c - NOT_UTF8);
		return 1;
	}
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00u >> len) | c);
	return len;
}

/* From the pattern's fixed ends; cut to what the kernel side has room for. */
static void make_affixes(struct glob *g)
{
	size_t head = 0, tail = 0, n = 0;
	char bytes[4], text[4 * WATCH_AFFIX_MAX];

	while (head < g->nr && g->elements[head].type == EL_CHAR)
		head++;
	while (tail < g->nr - head && g->elements[g->nr - 1 - tail].type == EL_CHAR)
		tail++;
	g->exact = head + tail + 1 == g->nr && g->elements[head].type == EL_STAR;

	for (size_t i = 0; i < head; i++) {
		size_t len = encode(g->elements[i].c, bytes);

		for (size_t j = 0; j < len; j++) {
			if (g->prefix_len == WATCH_AFFIX_MAX) {
				g->exact = false;
				goto suffix;
			}
			g->prefix[g->prefix_len++] = bytes[j];
		}
	}
suffix:
	if (tail > WATCH_AFFIX_MAX) {
		tail = WATCH_AFFIX_MAX;
		g->exact = false;
	}
	for (size_t i = g->nr - tail; i < g->nr; i++)
		n += encode(g->elements[i].c, text + n);
	g->suffix_len = n > WATCH_AFFIX_MAX ? WATCH_AFFIX_MAX : (uint8_t)n;
	if (n > WATCH_AFFIX_MAX)
		g->exact = false;
	memcpy(g->suffix, text + n - g->suffix_len, g->suffix_len);
}

int glob_new(const char *pattern, size_t len, struct glob **out_glob, const char **out_why)
{
	_cleanup_(glob_freep) struct glob *g = NULL;
	struct reader r = {.p = pattern, .end = pattern + len};
	int err;

	if (len > 4 * WATCH_NAME_MAX) {
		*out_why = "longer than any name can be";
		return -EINVAL;
	}
	g = calloc(1, sizeof(*g));
	if (g) {
		g->elements = calloc(len + 1, sizeof(*g->elements));
		g->ranges = calloc(len + 1, sizeof(*g->ranges));
		g->literal = calloc(1, len + 1);
	}
	if (!g || !g->elements || !g->ranges || !g->literal) {
		*out_why = "out of memory";
		return -ENOMEM;
	}
	err = read_pattern(&r, g);
	if (err < 0) {
		*out_why = r.why;
		return err;
	}
	if (!g->wild && g->literal_len > WATCH_NAME_MAX) {
		*out_why = "longer than any name can be";
		return -EINVAL;
	}
	g->any = g->nr == 1 && g->elements[0].type == EL_STAR;
	if (g->wild)
		make_affixes(g);
	*out_glob = take_ptr(g);
	return 0;
}

void glob_free(struct glob *glob)
{
	if (!glob)
		return;
	free(glob->elements);
	free(glob->ranges);
	free(glob->literal);
	free(glob);
}

/* --- asking ------------------------------------------------------------------------------------
 */

const char *glob_literal(const struct glob *glob, size_t *out_len)
{
	if (glob->wild)
		return NULL;
	*out_len = glob->literal_len;
	return glob->literal;
}

bool glob_is_any(const struct glob *glob)
{
	return glob->any;
}

static bool element_matches(const struct glob *g, const struct element *e, uint32_t c)
{
	if (e->type == EL_CHAR)
		return e->c == c;
	if (e->type == EL_ANY_CHAR)
		return true;
	for (size_t i = 0; i < e->nr; i++) {
		const struct range *range = &g->ranges[e->first + i];

		if (c >= range->low && c <= range->high)
			return !e->negated;
	}
	return e->negated;
}

bool glob_match(const struct glob *g, const char *name, size_t len)
{
	const char *p = name, *end = name + len, *retry = NULL;
	size_t i = 0, star = 0, n;

	if (!g->wild)
		return len == g->literal_len && !memcmp(name, g->literal, len);
	while (p < end) {
		if (i < g->nr && g->elements[i].type == EL_STAR) {
			star = ++i;
			retry = p;
			continue;
		}
		uint32_t c = character(p, end, &n);

		if (i < g->nr && element_matches(g, &g->elements[i], c)) {
			i++;
			p += n;
			continue;
		}
		if (!retry)
			return false;
		character(retry, end, &n);
		retry += n;
		p = retry;
		i = star;
	}
	while (i < g->nr && g->elements[i].type == EL_STAR)
		i++;
	return i == g->nr;
}

/* --- prefix*suffix -----------------------------------------------------------------------------
 */

static void mask_bytes(kt_u64 mask[static WATCH_AFFIX_WORDS], size_t len)
{
	memset(mask, 0, WATCH_AFFIX_MAX);
	memset(mask, 0xff, len);
}

bool glob_affixes(const struct glob *g, struct watch_glob *out_watch)
{
	mask_bytes(out_watch->prefix_mask, g->prefix_len);
	mask_bytes(out_watch->suffix_mask, g->suffix_len);
	out_watch->prefix_len = g->prefix_len;
	out_watch->suffix_len = g->suffix_len;
	memcpy(out_watch->prefix, g->prefix, sizeof(out_watch->prefix));
	memcpy(out_watch->suffix, g->suffix, sizeof(out_watch->suffix));
	return g->exact;
}

static bool begins_with(const char *s, size_t len, const char *prefix, size_t prefix_len)
{
	return len >= prefix_len && !memcmp(s, prefix, prefix_len);
}

static bool ends_with(const char *s, size_t len, const char *suffix, size_t suffix_len)
{
	return len >= suffix_len && !memcmp(s + len - suffix_len, suffix, suffix_len);
}

bool watch_globs_overlap(const struct watch_glob *a, const struct watch_glob *b)
{
	return (begins_with(a->prefix, a->prefix_len, b->prefix, b->prefix_len) ||
		begins_with(b->prefix, b->prefix_len, a->prefix, a->prefix_len)) &&
	       (ends_with(a->suffix, a->suffix_len, b->suffix, b->suffix_len) ||
		ends_with(b->suffix, b->suffix_len, a->suffix, a->suffix_len));
}

bool watch_glob_covers(const struct watch_glob *outer, const struct watch_glob *inner)
{
	return begins_with(inner->prefix, inner->prefix_len, outer->prefix, outer->prefix_len) &&
	       ends_with(inner->suffix, inner->suffix_len, outer->suffix, outer->suffix_len);
}
