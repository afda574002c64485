// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The forms of a key: how a program keeps it in memory, in as few windows as find it whatever its
 * alignment. Each form is made of one region of the secret, the same for all forms.
 */
#include "scan/needle-make.h"

#include <errno.h>

#include "base/cleanup.h"
#include "scan/needle-secret.h"
#include "scan/wipe.h"

#define REGION 32 /* bytes of a prime that all its forms are made of */

struct maker {
	const uint8_t *key;
	struct needle_hash hash;
	struct needle_rule rule;
	struct needle *needle;
	int error;
};

/*
 * Adds a form with windows at `first`, `first` + step, ... A window with a zero in it is never
 * looked at and left out; a form without windows is none.
 */
static void add_form(struct maker *m, struct needle_form form, const uint8_t *span, unsigned first,
		     unsigned step, unsigned nr)
{
	struct needle *n = m->needle;

	for (unsigned i = 0; i < nr; i++) {
		unsigned at = first + i * step;
		uint32_t tag;

		if (at + NEEDLE_WINDOW > form.span || needle_has_zero(span + at))
			continue;
		tag = needle_tag(m->hash, needle_fold(span + at));
		form.windows[form.nr].at = (uint8_t)at;
		form.windows[form.nr++].tag = tag & ~0U << (32 - m->rule.tag_bits);
	}
	if (!form.nr || m->error || n->nr_forms == NEEDLE_FORMS_MAX)
		return;
	form.tag_bits = (uint8_t)m->rule.tag_bits;
	m->error = needle_mac(m->key, form.part, form.layout, span, form.span, form.mac);
	/* Bodies may have it at the same place of their groups of three bytes. */
	for (unsigned i = 0; i < n->nr_forms; i++)
		if (!memcmp(n->forms[i].mac, form.mac, sizeof(form.mac)))
			return;
	n->forms[n->nr_forms++] = form;
}

/* Bit `at` of the number, counted from the least significant one. */
static unsigned bit(struct bytes number, size_t at)
{
	return at / 8 < number.len ? number.p[number.len - 1 - at / 8] >> (at % 8) & 1U : 0;
}

/* The digits that lie whole in the region of bits [low, low + 256). */
static void add_digits(struct maker *m, enum needle_part part, enum needle_layout layout,
		       struct bytes number, size_t low, unsigned width, unsigned size)
{
	size_t from = (low + width - 1) / width * width;
	uint8_t span[REGION + 8] = {0};
	struct needle_form form = {.part = part, .layout = layout};

	for (; from + width <= low + 8 * REGION && form.span + size <= sizeof(span);
	     from += width) {
		for (unsigned i = 0; i < width; i++)
			span[form.span + i / 8] |= (uint8_t)(bit(number, from + i) << (i % 8));
		form.span = (uint8_t)(form.span + size);
	}
	/* An array of 32-bit digits begins at a multiple of 4: two neighbouring windows. */
	add_form(m, form, span, 8, 4, size == 4 ? 2 : 1);
	explicit_bzero(span, sizeof(span));
}

static void add_words32(struct maker *m, enum needle_part part, const uint8_t *region)
{
	struct needle_form form = {.part = part, .layout = NEEDLE_WORDS32, .span = REGION};
	uint8_t span[REGION];

	for (unsigned i = 0; i < REGION; i++)
		span[i] = region[i ^ 3];
	add_form(m, form, span, 8, 4, 2);
	explicit_bzero(span, sizeof(span));
}

/*
 * What the region is in a body of base64 in which it begins at byte `at`; line: characters in a
 * line, 0 for no lines. The longest run of characters that lie whole in region and line; 0 if it is
 * shorter than `min`. *out_first: the first one's number in the body.
 */
static size_t encode_run(struct bytes region, size_t at, size_t line, bool url, size_t min,
			 uint8_t out[NEEDLE_SPAN_MAX], size_t *out_first)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t first = (8 * at + 5) / 6, end = 8 * (at + region.len) / 6;
	size_t len = end - first;

	if (line && first / line != (end - 1) / line) {
		size_t cut = end / line * line;

		if (cut - first >= end - cut)
			end = cut;
		else
			first = cut;
		len = end - first;
	}
	if (len < min)
		return 0;
	if (len > NEEDLE_SPAN_MAX)
		len = NEEDLE_SPAN_MAX;
	for (size_t i = 0; i < len; i++) {
		unsigned value = 0;

		for (size_t b = 0; b < 6; b++) {
			size_t pos = 6 * (first + i) + b - 8 * at;

			value = value << 1 | (region.p[pos / 8] >> (7 - pos % 8) & 1U);
		}
		out[i] = value < 62 ? (uint8_t)letters[value]
			 : url	    ? (uint8_t) "-_"[value - 62]
				    : (uint8_t) "+/"[value - 62];
	}
	return len;
}

static const struct {
	uint8_t line;
	bool url;
} bodies[BODY_NR] = {
	[BODY_PKCS1] = {64, false},
	[BODY_PKCS8] = {64, false},
	[BODY_OPENSSH] = {70, false},
	[BODY_JWK] = {0, true},
};

/*
 * Adds the region (at `offset` of the number) as each body has it. The windows lie in the 16 bytes
 * from `quiet` on, as far as the run of characters does.
 */
static void add_base64(struct maker *m, const struct needle_secret *s, enum needle_part part,
		       size_t offset, struct bytes region, size_t quiet, size_t min)
{
	for (int body = 0; body < BODY_NR; body++) {
		struct needle_form form = {.part = part, .layout = NEEDLE_BASE64};
		uint8_t span[NEEDLE_SPAN_MAX];
		size_t at = s->body_at[body] + offset, first, len, window;

		if (body != BODY_JWK && !s->body_at[body])
			continue;
		len = encode_run(region, at, bodies[body].line, bodies[body].url, min, span,
				 &first);
		if (!len)
			continue;
		window = (8 * (at + quiet) + 5) / 6;
		window = window < first ? 0 : window - first;
		if (window + 15 > len)
			window = len - 15;
		form.span = (uint8_t)len;
		add_form(m, form, span, (unsigned)window, 1, 8);
		explicit_bzero(span, sizeof(span));
	}
}

/* How many of the bodies show enough of the region in one line. */
static unsigned count_runs(const struct needle_secret *s, size_t offset, struct bytes region)
{
	uint8_t span[NEEDLE_SPAN_MAX];
	unsigned nr = 0;
	size_t first;

	for (int body = 0; body < BODY_NR; body++)
		nr += s->body_at[body] &&
		      encode_run(region, s->body_at[body] + offset, bodies[body].line,
				 bodies[body].url, 24, span, &first);
	explicit_bzero(span, sizeof(span));
	return nr;
}

/* Where in the prime: words stand at the same place in both byte orders, no zero where windows are,
 * and of the first prime as many bodies as possible show it unbroken. */
static size_t choose_region(const struct needle_secret *s, unsigned i)
{
	size_t best = 0;
	unsigned most = 0;

	for (size_t at = s->len[i] % 8 + 16; at + REGION + 16 <= s->len[i]; at += 8) {
		const uint8_t *region = s->number[i] + at;
		unsigned score = 1;

		if (memchr(region + 8, 0, 16) ||
		    !needle_secret_is_random((struct bytes){region, REGION}))
			continue;
		if (i == 0)
			score += count_runs(s, at, (struct bytes){region, REGION});
		if (score > most) {
			most = score;
			best = at;
		}
	}
	return best;
}

static void make_rsa(struct maker *m, const struct needle_secret *s)
{
	for (unsigned i = 0; i < 2; i++) {
		enum needle_part part = i ? NEEDLE_PRIME2 : NEEDLE_PRIME1;
		struct bytes prime = {s->number[i], s->len[i]};
		size_t at, low;
		const uint8_t *region;

		m->rule = needle_rule(KEY_RSA, prime.len);
		if (!m->rule.tag_bits)
			return;
		at = choose_region(s, i);
		if (!at) {
			m->error = -EDOM;
			return;
		}
		region = prime.p + at;
		low = 8 * (prime.len - at - REGION);
		add_form(m,
			 (struct needle_form){.part = part, .layout = NEEDLE_BYTES, .span = REGION},
			 region, 8, 1, 8);
		add_words32(m, part, region);
		add_digits(m, part, NEEDLE_DIGITS30, prime, low, 30, 4);
		add_digits(m, part, NEEDLE_DIGITS28, prime, low, 28, 4);
		add_digits(m, part, NEEDLE_DIGITS31, prime, low, 31, 4);
		add_digits(m, part, NEEDLE_DIGITS60, prime, low, 60, 8);
		if (!i)
			add_base64(m, s, part, at, (struct bytes){region, REGION}, 8, 24);
	}
}

/*
 * Where the windows begin, eight for all alignments within 15 bytes: where most of them are without
 * a zero, and among those the one at a multiple of 8, where most programs would have it.
 */
static unsigned quiet_region(struct bytes secret, unsigned first)
{
	unsigned best = first, most = 0;

	for (unsigned at = first; at + 2 * NEEDLE_WINDOW - 1 <= secret.len; at++) {
		unsigned score = 0;

		for (unsigned i = at; i < at + NEEDLE_WINDOW; i++)
			if (!needle_has_zero(secret.p + i))
				score += i % NEEDLE_WINDOW ? 1 : NEEDLE_WINDOW;
		if (score > most) {
			most = score;
			best = at;
		}
	}
	return best;
}

/* The first window of whole words without a zero. */
static unsigned quiet_word(struct bytes secret)
{
	unsigned at = 0;

	while (at + 2 * NEEDLE_WINDOW <= secret.len && needle_has_zero(secret.p + at))
		at += NEEDLE_WINDOW;
	return at;
}

/* Scalars, seeds and symmetric keys: the MAC is over all of the secret. */
static void make_short(struct maker *m, const struct needle_secret *s)
{
	struct bytes secret = {s->number[0], s->len[0]};
	struct needle_form form = {.part = NEEDLE_SECRET, .layout = NEEDLE_BYTES};
	enum key_kind kind = s->id.kind;
	unsigned first = secret.len > 24 ? 8 : 0;

	m->rule = needle_rule(kind, secret.len);
	if (!m->rule.tag_bits)
		return;
	if (!needle_secret_is_random(secret)) {
		m->error = -EDOM;
		return;
	}
	form.span = (uint8_t)secret.len;
	if (m->rule.region) {
		first = quiet_region(secret, first);
		add_form(m, form, secret.p, first, 1, 8);
	} else if (m->rule.tags == 1) {
		add_form(m, form, secret.p, quiet_word(secret), 1, 1);
	} else {
		add_form(m, form, secret.p, first, 4, m->rule.tags);
	}
	/* Base64 of a seed, its windows in the same 16 bytes; its MAC over nearly all. */
	if (kind == KEY_ED25519 && secret.len == 32)
		add_base64(m, s, NEEDLE_SECRET, 0, secret, first, 41);
	/* Bytes first: by their length the reader knows what the needle may say (needle_rule()). */
	if (!m->error && (!m->needle->nr_forms || m->needle->forms[0].layout != NEEDLE_BYTES))
		m->error = -EDOM;
}

static int make(const struct needle_secret *s, const uint8_t key[NEEDLE_KEY_SIZE],
		struct needle *out_needle)
{
	struct needle needle = {.id = s->id};
	struct maker m = {.key = key, .hash = needle_hash(key), .needle = &needle};

	needle.id.comment[0] = '\0';
	needle.id.format = KEYFMT_UNKNOWN;
	needle.id.keygrip[0] = '\0';
	needle.forms = calloc(NEEDLE_FORMS_MAX, sizeof(*needle.forms));
	if (s->public_len)
		needle.public = malloc(s->public_len);
	if (!needle.forms || (s->public_len && !needle.public)) {
		needle_fini(&needle);
		return -ENOMEM;
	}
	if (s->public_len)
		memcpy(needle.public, s->public, s->public_len);
	needle.public_len = (uint16_t)s->public_len;
	if (s->id.kind == KEY_RSA)
		make_rsa(&m, s);
	else
		make_short(&m, s);
	if (m.error < 0) {
		needle_fini(&needle);
		return m.error;
	}
	*out_needle = needle;
	return 0;
}

int needle_make(struct bytes file, const uint8_t key[NEEDLE_KEY_SIZE], bool symmetric,
		struct needle *out_needle)
{
	_cleanup_wipe_ uint8_t *memory = wipe_alloc(sizeof(struct needle_secret));
	struct needle_secret *secret = (void *)memory;
	int err;

	if (!memory)
		return -ENOMEM;
	err = symmetric ? needle_secret_read_symmetric(file, secret)
			: needle_secret_read(file, secret);
	if (!err)
		err = make(secret, key, out_needle);
	wipe_stack();
	return err;
}
