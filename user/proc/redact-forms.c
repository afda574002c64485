// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets by the name in front of them, by the form of well-known tokens, by looking random. */
#include "proc/redact-forms.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* --- names ----------------------------------------------------------------------------- */

bool redact_name_in(struct span name, const char *const *list)
{
	char first = name.len ? (char)(name.p[0] | 32) : '\0';

	for (; *list; list++)
		if ((*list)[0] == first && strlen(*list) == name.len &&
		    !strncasecmp(*list, name.p, name.len))
			return true;
	return false;
}

/* Is `needle` (lower case) in the letters and digits of s? "api-key", "API_KEY" and "apiKey" are
 * one. */
static bool contains(struct span s, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = 0; i + n <= s.len; i++) {
		size_t k = 0;

		if ((s.p[i] | 32) != needle[0])
			continue;
		for (size_t j = i; j < s.len && k < n; j++) {
			char c = is_upper(s.p[j]) ? (char)(s.p[j] | 32) : s.p[j];

			if (!is_alnum(c))
				continue;
			if (c != needle[k])
				break;
			k++;
		}
		if (k == n)
			return true;
	}
	return false;
}

/* Next part of a name: at separators and at the humps of camelCase. Advances *at. */
static struct span next_part(struct span name, size_t *at)
{
	size_t from, i = *at;

	while (i < name.len && !is_alnum(name.p[i]))
		i++;
	from = i;
	while (i < name.len && is_alnum(name.p[i]) &&
	       !(i > from && is_upper(name.p[i]) && is_lower(name.p[i - 1])))
		i++;
	*at = i;
	return (struct span){name.p + from, i - from};
}

/* "storepass", "sshpass", and not "bypass". */
static bool is_pass(struct span part)
{
	static const char *const others[] = {"bypass",	 "compass",  "encompass", "surpass",
					     "trespass", "overpass", "underpass", NULL};

	return part.len > 4 && !strncasecmp(part.p + part.len - 4, "pass", 4) &&
	       !redact_name_in(part, others);
}

/* Does a thing of this name hold a secret? "password-file" holds the name of a file. */
enum naming redact_judge_name(struct span name)
{
	static const char *const anywhere[] = {"passw",		  "passphrase", "secret",
					       "token",		  "apikey",	"accesskey",
					       "credential",	  "authkey",	"sessionid",
					       "connectionstring"};
	static const char *const strong[] = {"pass", "pwd",  "psk",    "pw",  "otp", "jwt",
					     "pat",  "pswd", "bearer", "upw", "opw", NULL};
	static const char *const weak[] = {"key", "privatekey", "auth", "sig", "signature",
					   "pin", "cookie",	"cred", NULL};
	static const char *const about[] = {"file",  "path",   "dir",	   "fd",     "env",
					    "stdin", "name",   "id",	   "type",   "url",
					    "uri",   "helper", "store",	   "policy", "length",
					    "ttl",   "prompt", "format",   "issuer", "endpoint",
					    "sock",  "socket", "agent",	   "count",  "limit",
					    "size",  "only",   "checking", "expiry", "timeout",
					    NULL};
	static const char *const elsewhere[] = {"pwd", "oldpwd", "no", NULL};
	enum naming result = NAME_PLAIN;
	struct span last = {NULL, 0};
	size_t at = 0;

	while (name.len && name.p[0] == '-') {
		name.p++;
		name.len--;
	}
	if (!name.len || redact_name_in(name, elsewhere))
		return NAME_PLAIN;
	/* none of them is shorter than "token" */
	for (size_t i = 0; name.len >= 5 && i < ARRAY_SIZE(anywhere); i++)
		if (contains(name, anywhere[i]))
			result = NAME_SECRET;
	/* --tokenizer, --max-tokens: words of language, not of access */
	if (contains(name, "tokeniz") || contains(name, "tokens"))
		result = NAME_MAYBE;
	while (at < name.len) {
		struct span part = next_part(name, &at);

		if (!part.len)
			break;
		last = part;
		if (redact_name_in(part, strong) || is_pass(part))
			result = NAME_SECRET;
		else if (redact_name_in(part, weak) && result == NAME_PLAIN)
			result = NAME_MAYBE;
	}
	return last.len && redact_name_in(last, about) ? NAME_PLAIN : result;
}

bool redact_is_path(struct span s)
{
	return s.len &&
	       (s.p[0] == '/' || s.p[0] == '~' || (s.len >= 2 && s.p[0] == '.' && s.p[1] == '/') ||
		(s.len >= 3 && !memcmp(s.p, "../", 3)));
}

/* --key host1.pem, --key id_rsa2: which key it is must be readable. */
static bool is_key_file(struct span s)
{
	static const char *const ends[] = {".pem", ".key", ".pub", ".crt", ".cer", ".der",
					   ".p12", ".pfx", ".jks", ".ppk", ".asc", ".gpg"};
	const char *slash = memrchr(s.p, '/', s.len);
	const char *base = slash ? slash + 1 : s.p;

	if (s.p + s.len - base > 3 && !memcmp(base, "id_", 3))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (s.len > 4 && !memcmp(s.p + s.len - 4, ends[i], 4))
			return true;
	return false;
}

/* Would a person type this as a word, a number, a path? If not, behind "-p" or "key=" it is hidden.
 */
bool redact_maybe_secret(struct span s)
{
	bool letter = false, digit = false, other = false;

	if (s.len < 6 || redact_is_path(s) || is_key_file(s))
		return false;
	if (memmem(s.p, s.len, "***", 3)) /* what is secret of it is hidden by now */
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (is_digit(s.p[i]))
			digit = true;
		else if (is_alnum(s.p[i]))
			letter = true;
		else if (!strchr("./-_:,", s.p[i]))
			other = true;
	}
	return other || (letter && digit) || s.len >= 20;
}

/* --- forms ----------------------------------------------------------------------------- */

/*
 * Tokens that say what they are: first character, the rest of the prefix, and how many characters
 * must follow it.
 */
#define TOKENS(X)                   \
	X('g', "hp_", 8)            \
	X('g', "ho_", 8)            \
	X('g', "hu_", 8)            \
	X('g', "hs_", 8)            \
	X('g', "hr_", 8)            \
	X('g', "ithub_pat_", 6)     \
	X('g', "lpat-", 6)          \
	X('g', "lsa_", 8)           \
	X('g', "ldt-", 8)           \
	X('g', "lrt-", 8)           \
	X('x', "oxb-", 4)           \
	X('x', "oxa-", 4)           \
	X('x', "oxp-", 4)           \
	X('x', "oxr-", 4)           \
	X('x', "oxs-", 4)           \
	X('x', "oxe", 8)            \
	X('x', "app-", 4)           \
	X('A', "KIA", 8)            \
	X('A', "SIA", 8)            \
	X('A', "Iza", 8)            \
	X('y', "a29.", 4)           \
	X('s', "k-", 12)            \
	X('s', "k_live_", 4)        \
	X('s', "k_test_", 4)        \
	X('r', "k_live_", 4)        \
	X('r', "k_test_", 4)        \
	X('w', "hsec_", 6)          \
	X('h', "vs.", 6)            \
	X('h', "vb.", 6)            \
	X('h', "vr.", 6)            \
	X('n', "pm_", 12)           \
	X('p', "ypi-", 8)           \
	X('d', "op_v1_", 6)         \
	X('d', "oo_v1_", 6)         \
	X('S', "G.", 12)            \
	X('e', "yJ", 8)             \
	X('t', "skey-", 4)          \
	X('s', "hpat_", 6)          \
	X('s', "hpss_", 6)          \
	X('d', "ckr_pat_", 4)       \
	X('h', "f_", 12)            \
	X('g', "sk_", 12)           \
	X('A', "TATT", 8)           \
	X('A', "GE-SECRET-KEY-", 4) \
	X('o', "ps_eyJ", 4)         \
	X('E', "AAC", 16)           \
	X('d', "api", 16)           \
	X('s', "q0csp-", 6)         \
	X('P', "MAK-", 6)           \
	X('v', "1.0-", 24)          \
	X('1', "//0", 20)           \
	X('$', "argon2", 4)         \
	X('$', "2a$", 4)            \
	X('$', "2b$", 4)            \
	X('$', "2y$", 4)            \
	X('$', "y$", 4)             \
	X('$', "6$", 4)             \
	X('$', "5$", 4)             \
	X('$', "1$", 4)             \
	X('$', "apr1$", 4)          \
	X('{', "SSHA}", 4)

#define TOKEN(first, rest, min)	    {first, sizeof(rest) - 1, min, rest},
#define TOKEN_BIT(first, rest, min) | 1ULL << ((first)&63)

static const struct {
	char first;
	unsigned char len, min;
	const char *rest;
} tokens[] = {TOKENS(TOKEN)};

/* First characters, so that nearly all places are passed over at once. */
static const uint64_t token_firsts = 0 TOKENS(TOKEN_BIT);

static bool is_token_char(char c)
{
	return is_alnum(c) || strchr("_-.+/=~$:%", c);
}

static void mark_tokens(struct redaction *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (!(token_firsts >> (s->p[i] & 63) & 1))
			continue;
		if (i > from && is_alnum(s->p[i - 1]) && is_alnum(s->p[i]))
			continue;
		for (size_t t = 0; t < ARRAY_SIZE(tokens); t++) {
			size_t n = tokens[t].len, end = i + 1 + n;

			if (tokens[t].first != s->p[i] || to - i <= n ||
			    memcmp(s->p + i + 1, tokens[t].rest, n) != 0)
				continue;
			while (end < to && is_token_char(s->p[end]) &&
			       !(s->p[end] == '/' && i > from && s->p[i - 1] == '/'))
				end++;
			if (end - i > n + tokens[t].min)
				redact_range(s, i, end);
		}
	}
}

/* -----BEGIN ...: all that follows in this word, its END line included. */
void redact_pem(struct redaction *s, size_t from, size_t to)
{
	static const char begin[] = "-----BEGIN", end[] = "-----END";

	for (size_t i = from; i + sizeof(begin) - 1 <= to; i++) {
		size_t stop = to;

		if (memcmp(s->p + i, begin, sizeof(begin) - 1))
			continue;
		for (size_t j = i; j + sizeof(end) - 1 <= to; j++) {
			if (memcmp(s->p + j, end, sizeof(end) - 1))
				continue;
			for (stop = j + sizeof(end) - 1; stop < to && s->p[stop] != '-'; stop++)
				;
			while (stop < to && s->p[stop] == '-')
				stop++;
			break;
		}
		redact_range(s, i, stop);
		i = stop;
	}
}

static bool is_uuid(struct span s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-'
			 : !(is_digit(s.p[i]) || (s.p[i] >= 'a' && s.p[i] <= 'f') ||
			     (s.p[i] >= 'A' && s.p[i] <= 'F')))
			return false;
	}
	return true;
}

/*
 * Do these letters and digits look drawn by lot? Counted is how often the kind of character (lower,
 * upper, digit) changes: in base64 at six of ten places, in names and in CamelCase at two or three.
 */
static bool looks_random(struct span s, bool in_path)
{
	bool lower = false, upper = false, digit = false, hex = true;
	size_t changes = 0, pairs = 0, solid = 0;

	if (s.len < 20 || is_uuid(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		lower |= is_lower(c);
		upper |= is_upper(c);
		digit |= is_digit(c);
		hex &= is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		solid += is_alnum(c);
		if (i && is_alnum(c) && is_alnum(s.p[i - 1])) {
			pairs++;
			changes += is_lower(c) != is_lower(s.p[i - 1]) ||
				   is_digit(c) != is_digit(s.p[i - 1]);
		}
	}
	if (solid < 18 || pairs * 10 < s.len * 7)
		return false;
	if (lower && upper && digit)
		return changes * 100 >= pairs * 33;
	/* File names may be digests and still be of use to the reader. */
	if (in_path)
		return false;
	if (hex)
		return s.len >= 32 && digit;
	if (lower && upper)
		return changes * 100 >= pairs * 40;
	return digit && s.len >= 24 && changes * 100 >= pairs * 25;
}

static void mark_random(struct redaction *s, size_t from, size_t to)
{
	bool in_path = redact_is_path((struct span){s->p + from, to - from});

	for (size_t i = from; i < to;) {
		size_t end;

		while (i < to && (s->p[i] == '/' || s->p[i] == '='))
			i++;
		end = i;
		while (end < to && (is_alnum(s->p[end]) || s->p[end] == '+' || s->p[end] == '_' ||
				    s->p[end] == '-' || (s->p[end] == '/' && !in_path)))
			end++;
		while (end > i && end < to && s->p[end] == '=') /* padding */
			end++;
		if (looks_random((struct span){s->p + i, end - i}, in_path)) {
			redact_range(s, i, end);
		} else if (!in_path) {
			/* A relative path may have one random component; base64 has few slashes. */
			size_t a = i;

			for (size_t b = i; b <= end; b++) {
				if (b < end && s->p[b] != '/')
					continue;
				if (looks_random((struct span){s->p + a, b - a}, false))
					redact_range(s, a, b);
				a = b + 1;
			}
		}
		i = end + 1;
	}
}

static bool ends_authority(char c)
{
	return c == '/' || c == '?' || c == '#';
}

/*
 * scheme://user:password@host, and user:password@host without a scheme. Passwords with a slash or
 * an @ are not proper there, and common: up to the last @ it is password.
 */
static void mark_userinfo(struct redaction *s, size_t from, size_t to)
{
	size_t start = from, end, colon = to, last = to;
	bool scheme = false, port = true;

	for (size_t i = from; i + 3 <= to && !scheme; i++) {
		if (!memcmp(s->p + i, "://", 3)) {
			start = i + 3;
			scheme = true;
		}
	}
	for (end = start; end < to && !ends_authority(s->p[end]); end++) {
		if (s->p[end] == ':' && colon == to)
			colon = end;
		else if (colon < to && last == to && s->p[end] != '@')
			port &= is_digit(s->p[end]);
		if (s->p[end] == '@')
			last = end;
	}
	if (scheme && colon < to && (last < to || !port)) {
		for (; end < to && s->p[end] != '?' && s->p[end] != '#'; end++)
			if (s->p[end] == '@')
				last = end;
	}
	if (last == to)
		return;
	if (colon < last) {
		/* image:tag@sha256:digest names no user */
		if (scheme || !(to - last > 7 && !memcmp(s->p + last, "@sha256", 7)))
			redact_range(s, colon + 1, last);
	} else if (scheme && last - start >= 12 &&
		   redact_maybe_secret((struct span){s->p + start, last - start})) {
		redact_range(s, start, last);
	}
}

/* Headers whose whole rest is secret, blanks included. */
static bool is_auth_header(struct span name)
{
	static const char *const names[] = {"authorization",
					    "proxy-authorization",
					    "cookie",
					    "set-cookie",
					    "x-api-key",
					    "x-auth-token",
					    "x-vault-token",
					    "private-token",
					    "x-amz-security-token",
					    NULL};

	return redact_name_in(name, names);
}

/*
 * name=value and name: value anywhere in a word, quoted or not. `end` is where the piece ends that
 * a value without quotes may fill; `word_end` where the whole word does.
 */
static void mark_values(struct redaction *s, size_t from, size_t end, size_t word_end)
{
	for (size_t i = from; i < end; i++) {
		size_t a = i, b = i, v, stop;
		enum naming naming;
		struct span name;

		if (s->p[i] != '=' && s->p[i] != ':')
			continue;
		while (a > from && (is_quote(s->p[a - 1]) || s->p[a - 1] == '\\'))
			a--;
		b = a;
		while (a > from && is_name(s->p[a - 1]))
			a--;
		name = (struct span){s->p + a, b - a};
		if (!name.len || (s->p[i] == ':' && a > from && s->p[a - 1] == '/'))
			continue; /* -v /etc/passwd:/etc/passwd */
		if (s->p[i] == ':' && i + 2 < end && s->p[i + 1] == '/' && s->p[i + 2] == '/')
			continue; /* secret://... is a scheme */
		v = i + 1;
		if (is_auth_header(name)) {
			char q = a > 0 && is_quote(s->p[a - 1]) ? s->p[a - 1] : '\0';

			for (stop = v; stop < word_end && !(q && s->p[stop] == q); stop++)
				;
			while (v < stop && is_space(s->p[v]))
				v++;
			redact_range(s, v, stop);
			continue;
		}
		naming = redact_judge_name(name);
		if (naming == NAME_PLAIN)
			continue;
		while (v < word_end &&
		       (is_space(s->p[v]) || s->p[v] == '\\' || s->p[v] == '=' || s->p[v] == '>'))
			v++;
		if (v < word_end && is_quote(s->p[v])) {
			/* Between \" and \" the same mark ends it; between " and " it does not. */
			bool escaped = v > from && s->p[v - 1] == '\\';
			char q = s->p[v++];

			for (stop = v; stop < word_end && s->p[stop] != q; stop++)
				stop += !escaped && s->p[stop] == '\\';
		} else {
			for (stop = v; stop < (v > end ? word_end : end) && !is_space(s->p[stop]);
			     stop++)
				;
		}
		if (stop > word_end)
			stop = word_end;
		if (naming == NAME_SECRET || redact_maybe_secret((struct span){s->p + v, stop - v}))
			redact_range(s, v, stop);
	}
}

void redact_forms(struct redaction *r, size_t from, size_t to, size_t word_end)
{
	mark_values(r, from, to, word_end);
	mark_userinfo(r, from, to);
	mark_tokens(r, from, to);
	mark_random(r, from, to);
}
