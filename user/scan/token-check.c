// SPDX-License-Identifier: GPL-2.0-or-later
/* What a match must pass besides its pattern: its neighbours, its entropy, its checksum, its form.
 */
#include <ctype.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/detect-token-internal.h"
#include "scan/wipe.h"

#define NEAR	128 /* bytes on both sides in which a word of `near` counts */
#define ACCOUNT 4096 /* bytes on both sides in which a service account's key stands */
#define PART	TOKEN_MAX

/* CRC-32 of the text, in the digits 0-9 A-Z a-z, as GitHub appends it. */
bool token_crc32_holds(struct bytes token)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const uint8_t *text;
	unsigned long crc;

	if (token.len < 36)
		return false;
	text = token.p + token.len - 36;
	crc = crc32(0, text, 30);
	for (int i = 35; i >= 30; i--, crc /= 62)
		if (text[i] != (uint8_t)digits[crc % 62])
			return false;
	return true;
}

/* log2(x) in 1/65536; x > 0. The fraction by squaring, a bit at a time. */
static uint32_t log2_fixed(uint32_t x)
{
	unsigned whole = 31 - (unsigned)__builtin_clz(x);
	uint64_t m = (uint64_t)x << (31 - whole); /* 1 <= m / 2^31 < 2 */
	uint32_t result = whole << 16;

	for (uint32_t bit = 1U << 15; bit; bit >>= 1) {
		m = m * m >> 31;
		if (m >> 32) {
			result |= bit;
			m >>= 1;
		}
	}
	return result;
}

unsigned token_entropy(struct bytes token)
{
	uint32_t count[256] = {0};
	uint64_t sum = 0;

	if (!token.len || token.len > TOKEN_MAX)
		return 0;
	for (size_t i = 0; i < token.len; i++)
		count[token.p[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (count[i])
			sum += (uint64_t)count[i] * log2_fixed(count[i]);
	explicit_bzero(count, sizeof(count));
	/* log2(n) - sum(c log2 c) / n */
	return (unsigned)((log2_fixed((uint32_t)token.len) - sum / token.len) * 10 >> 16);
}

static bool is_url_char(uint8_t c)
{
	return isalnum(c) || c == '_' || c == '-';
}

/* A part in base64url, and what ends it. */
static struct bytes part(struct bytes *in)
{
	struct bytes out = {in->p, 0};

	while (out.len < in->len && is_url_char(in->p[out.len]))
		out.len++;
	bytes_skip(in, out.len);
	return out;
}

/* Does it decode to a JSON object, with this in it (may be NULL)? */
static bool is_json(struct bytes text, const char *needle)
{
	_cleanup_wipe_ uint8_t *copy = wipe_alloc(text.len + 4);
	_cleanup_wipe_ uint8_t *out = wipe_alloc(BASE64_DECODED_MAX(text.len + 4));
	size_t len = text.len;
	long n;

	if (!copy || !out || text.len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++)
		copy[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
	while (len % 4)
		copy[len++] = '=';
	n = base64_decode((struct bytes){copy, len}, out);
	return n > 2 && out[0] == '{' && out[n - 1] == '}' &&
	       (!needle || memmem(out, (size_t)n, needle, strlen(needle)));
}

size_t token_jwt_len(struct bytes memory)
{
	struct bytes in = memory, header, payload, signature;

	if (in.len > TOKEN_MAX)
		in.len = TOKEN_MAX;
	header = part(&in);
	if (!in.len || in.p[0] != '.' || !bytes_skip(&in, 1))
		return 0;
	payload = part(&in);
	if (!in.len || in.p[0] != '.' || !bytes_skip(&in, 1))
		return 0;
	signature = part(&in);
	/* HS256 has 43 characters; one that is cut off is no token, nor is an unsigned one. */
	if (signature.len < 43 || !is_json(header, "\"alg\"") || !is_json(payload, NULL))
		return 0;
	return (size_t)(signature.p + signature.len - memory.p);
}

static struct bytes around(struct bytes memory, const struct token_hit *hit, size_t reach)
{
	size_t start = hit->at < reach ? 0 : hit->at - reach;
	size_t end = hit->at + hit->len;

	end = memory.len - end < reach ? memory.len : end + reach;
	return (struct bytes){memory.p + start, end - start};
}

static bool contains(struct bytes memory, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= memory.len; i++)
		if (!strncasecmp((const char *)memory.p + i, word, len))
			return true;
	return false;
}

static bool is_near(const struct token_rule *rule, struct bytes memory, const struct token_hit *hit)
{
	struct bytes place = around(memory, hit, NEAR);

	if (!rule->near[0])
		return true;
	for (size_t i = 0; i < TOKEN_NEAR_MAX && rule->near[i]; i++)
		if (contains(place, rule->near[i]))
			return true;
	return false;
}

static bool continues(uint8_t c, bool base64)
{
	return isalnum(c) || c == '_' || (base64 && (c == '+' || c == '/'));
}

static bool is_bounded(enum token_bound bound, struct bytes memory, const struct token_hit *hit)
{
	const uint8_t *p = memory.p + hit->at;
	size_t end = hit->at + hit->len;
	bool base64 = memchr(p, '+', hit->len) || memchr(p, '/', hit->len);

	if (bound == TOKEN_BOUND_BOTH && hit->at && continues(memory.p[hit->at - 1], base64))
		return false;
	return bound == TOKEN_BOUND_NONE || end == memory.len || !continues(memory.p[end], base64);
}

static bool has_private_key(struct bytes memory, const struct token_hit *hit)
{
	struct bytes place = around(memory, hit, ACCOUNT);

	return memmem(place.p, place.len, "\"private_key\"", 13) &&
	       memmem(place.p, place.len, "PRIVATE KEY-----", 16);
}

static void extend(const struct token_rule *rule, struct bytes memory, struct token_hit *hit)
{
	while (hit->len < rule->up_to && hit->at + hit->len < memory.len) {
		uint8_t c = memory.p[hit->at + hit->len];

		if (!is_url_char(c) && c != '=')
			break;
		hit->len++;
	}
}

bool token_passes(const struct token_rule *rule, struct bytes memory, struct token_hit *hit)
{
	struct bytes token;

	extend(rule, memory, hit);
	token = (struct bytes){memory.p + hit->at, hit->len};
	switch (rule->check) {
	case TOKEN_CHECK_CRC32:
		hit->proven = token_crc32_holds(token);
		if (!hit->proven)
			return false;
		break;
	case TOKEN_CHECK_JWT:
		hit->len = token_jwt_len((struct bytes){token.p, memory.len - hit->at});
		if (!hit->len)
			return false;
		break;
	case TOKEN_CHECK_SERVICE_ACCOUNT:
		if (!has_private_key(memory, hit))
			return false;
		break;
	default:
		break;
	}
	return is_bounded(rule->bound, memory, hit) && is_near(rule, memory, hit) &&
	       (!rule->entropy || token_entropy(token) >= rule->entropy);
}
