// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which bytes of a command line are secrets: by the option or name in front of them, by the form of
 * well-known tokens, by looking random. Rules only mark ranges, so they cannot undo each other.
 */
#include "proc/redact.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

struct scan {
	const char *p;
	bool *secret;
	/* Of the words seen so far: the program whose short options apply, NULL = none known. */
	const struct program *program;
	/* What the word before says about this one. */
	enum expect { EXPECT_NOTHING, EXPECT_SECRET, EXPECT_MAYBE, EXPECT_USERPASS } expect;
};

static void mark(struct scan *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		s->secret[i] = s->p[i] != '\0';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}
static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}
static bool is_name(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

/* --- names ----------------------------------------------------------------------------- */

enum naming { NAME_PLAIN, NAME_MAYBE, NAME_SECRET };

static bool part_is(struct span part, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == part.len && !strncasecmp(*list, part.p, part.len))
			return true;
	return false;
}

/* Is `needle` (lower case) in the letters and digits of s? "api-key", "API_KEY" and "apiKey" are
 * one. */
static bool contains(struct span s, const char *needle)
{
	size_t n = strlen(needle);

	for (size_t i = 0; i < s.len; i++) {
		size_t k = 0;

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

/* Does a thing of this name hold a secret? "password-file" holds the name of a file. */
static enum naming judge_name(struct span name)
{
	static const char *const anywhere[] = {"passw",		  "passphrase", "secret",
					       "token",		  "apikey",	"accesskey",
					       "credential",	  "authkey",	"sessionid",
					       "connectionstring"};
	static const char *const strong[] = {"pass", "pwd", "psk",  "pw",     "otp",
					     "jwt",  "pat", "pswd", "bearer", NULL};
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
	if (!name.len || part_is(name, elsewhere))
		return NAME_PLAIN;
	for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
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
		if (part_is(part, strong))
			result = NAME_SECRET;
		else if (part_is(part, weak) && result == NAME_PLAIN)
			result = NAME_MAYBE;
	}
	return last.len && part_is(last, about) ? NAME_PLAIN : result;
}

static bool is_path(struct span s)
{
	return s.len &&
	       (s.p[0] == '/' || s.p[0] == '~' || (s.len >= 2 && s.p[0] == '.' && s.p[1] == '/') ||
		(s.len >= 3 && !memcmp(s.p, "../", 3)));
}

/* Would a person type this as a word, a number, a path? If not, behind "-p" or "key=" it is hidden.
 */
static bool maybe_secret(struct span s)
{
	bool letter = false, digit = false, other = false;

	if (s.len < 6 || is_path(s))
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

/* --- programs whose short options take secrets ----------------------------------------- */

struct program {
	const char *name; /* of the file; a trailing * stands for any rest */
	const char *separate; /* options whose next word is a secret */
	const char *attached; /* options with the secret in the same word */
	const char *userpass; /* options whose value is user:password or user%password */
	bool words; /* "password X" as two plain words */
};

static const struct program programs[] = {
	{"sshpass", "-p", "-p", "", false},
	{"mysql*", "-p", "-p", "",
	 false}, /* as a word of its own it is a mistake that people make */
	{"mariadb*", "-p", "-p", "", false},
	{"mongo*", "-p", "-p", "", false},
	{"ldap*", "-w", "-w", "", false},
	{"redis-cli", "-a", "", "", false},
	{"curl", "", "", "-u -U --user --proxy-user", false},
	{"smbclient", "", "", "-U --user", false},
	{"rpcclient", "", "", "-U --user", false},
	{"net", "", "", "-U --user", false},
	{"plink", "-pw", "", "", false},
	{"pscp", "-pw", "", "", false},
	{"az", "-p", "", "", false},
	{"login", "-p", "-p", "", false}, /* docker login, podman login, ... */
	{"openssl", "-k -K -passin -passout -pass -password -psk", "", "", false},
	{"zip", "-P", "-P", "", false},
	{"unzip", "-P", "-P", "", false},
	{"7z*", "", "-p", "", false},
	{"rar", "", "-p -hp", "", false},
	{"unrar", "", "-p", "", false},
	{"xfreerdp*", "", "/p:", "", false},
	{"rdesktop", "-p", "-p", "", false},
	{"ipmitool", "-P", "-P", "", false},
	{"snmp*", "-A -X -c", "-A -X -c", "", false},
	{"mosquitto_*", "-P", "-P", "", false},
	{"useradd", "-p", "-p", "", false},
	{"usermod", "-p", "-p", "", false},
	{"gpg*", "--passphrase", "", "", false},
	{"sqlcmd", "-P", "-P", "", false},
	{"isql", "-P", "-P", "", false},
	{"nmcli", "", "", "", true},
	{"iwctl", "", "", "", true},
	{"vault", "", "", "", true},
	{"aws", "", "", "", true},
	/* Here -p is a port, a mode or a habit. */
	{"ssh", "", "", "", false},
	{"scp", "", "", "", false},
	{"sftp", "", "", "", false},
	{"rsync", "", "", "", false},
	{"mkdir", "", "", "", false},
	{"cp", "", "", "", false},
	{"psql", "", "", "", false},
	{"tar", "", "", "", false},
	{"ps", "", "", "", false},
	{"git", "", "", "", false},
	{"nmap", "", "", "", false},
	{"python*", "", "", "", false},
	{"perl", "", "", "", false},
	{"systemctl", "", "", "", false},
};

static const struct program *find_program(struct span word)
{
	for (size_t i = word.len; i > 0; i--) {
		if (word.p[i - 1] == '/') {
			word.p += i;
			word.len -= i;
			break;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const char *name = programs[i].name;
		size_t n = strlen(name);

		if (name[n - 1] == '*' ? word.len >= n - 1 && !memcmp(word.p, name, n - 1)
				       : word.len == n && !memcmp(word.p, name, n))
			return &programs[i];
	}
	return NULL;
}

/* Is `word` one of the options in the list (blank separated)? prefix: does it begin with one? */
static size_t in_options(const char *list, struct span word, bool prefix)
{
	while (list && *list) {
		size_t n = strcspn(list, " ");

		if ((prefix ? word.len > n : word.len == n) && !memcmp(word.p, list, n))
			return n;
		list += n;
		list += *list == ' ';
	}
	return 0;
}

/* --- forms ----------------------------------------------------------------------------- */

/* Tokens that say what they are. `min` characters must follow the prefix. */
static const struct {
	const char *prefix;
	unsigned char min;
} tokens[] = {
	{"ghp_", 8},	 {"gho_", 8},	     {"ghu_", 8},     {"ghs_", 8},
	{"ghr_", 8},	 {"github_pat_", 6}, {"glpat-", 6},   {"glsa_", 8},
	{"gldt-", 8},	 {"glrt-", 8},	     {"xoxb-", 4},    {"xoxa-", 4},
	{"xoxp-", 4},	 {"xoxr-", 4},	     {"xoxs-", 4},    {"xoxe", 8},
	{"xapp-", 4},	 {"AKIA", 8},	     {"ASIA", 8},     {"AIza", 8},
	{"ya29.", 4},	 {"sk-", 12},	     {"sk_live_", 4}, {"sk_test_", 4},
	{"rk_live_", 4}, {"rk_test_", 4},    {"whsec_", 6},   {"hvs.", 6},
	{"hvb.", 6},	 {"hvr.", 6},	     {"npm_", 12},    {"pypi-", 8},
	{"dop_v1_", 6},	 {"doo_v1_", 6},     {"SG.", 12},     {"eyJ", 8},
	{"tskey-", 4},	 {"shpat_", 6},	     {"shpss_", 6},   {"dckr_pat_", 4},
	{"hf_", 12},	 {"gsk_", 12},	     {"ATATT", 8},    {"AGE-SECRET-KEY-", 4},
	{"ops_eyJ", 4},	 {"EAAC", 16},	     {"dapi", 16},    {"sq0csp-", 6},
	{"PMAK-", 6},	 {"v1.0-", 24},	     {"1//0", 20},    {"$argon2", 4},
	{"$2a$", 4},	 {"$2b$", 4},	     {"$2y$", 4},     {"$y$", 4},
	{"$6$", 4},	 {"$5$", 4},	     {"$1$", 4},      {"$apr1$", 4},
	{"{SSHA}", 4},
};

static bool is_token_char(char c)
{
	return is_alnum(c) || strchr("_-.+/=~$:%", c);
}

static void mark_tokens(struct scan *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (i > from && is_alnum(s->p[i - 1]) && is_alnum(s->p[i]))
			continue;
		for (size_t t = 0; t < ARRAY_SIZE(tokens); t++) {
			size_t n = strlen(tokens[t].prefix), end = i + n;

			if (to - i < n || memcmp(s->p + i, tokens[t].prefix, n))
				continue;
			while (end < to && is_token_char(s->p[end]) &&
			       !(s->p[end] == '/' && i > from && s->p[i - 1] == '/'))
				end++;
			if (end - i >= n + tokens[t].min)
				mark(s, i, end);
		}
	}
}

/* -----BEGIN ...: all that follows in this word, its END line included. */
static void mark_pem(struct scan *s, size_t from, size_t to)
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
		mark(s, i, stop);
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

static void mark_random(struct scan *s, size_t from, size_t to)
{
	bool in_path = is_path((struct span){s->p + from, to - from});

	for (size_t i = from; i < to;) {
		size_t end;

		while (i < to && (s->p[i] == '/' || s->p[i] == '='))
			i++;
		end = i;
		while (end < to && (is_alnum(s->p[end]) || strchr("+_-", s->p[end]) ||
				    (s->p[end] == '/' && !in_path)))
			end++;
		while (end > i && end < to && s->p[end] == '=') /* padding */
			end++;
		if (looks_random((struct span){s->p + i, end - i}, in_path)) {
			mark(s, i, end);
		} else if (!in_path) {
			/* A relative path may have one random component; base64 has few slashes. */
			size_t a = i;

			for (size_t b = i; b <= end; b++) {
				if (b < end && s->p[b] != '/')
					continue;
				if (looks_random((struct span){s->p + a, b - a}, false))
					mark(s, a, b);
				a = b + 1;
			}
		}
		i = end + 1;
	}
}

/*
 * scheme://user:password@host, and user:password@host without a scheme. Passwords with a slash or
 * an @ are not proper there, and common: up to the last @ it is password.
 */
static void mark_userinfo(struct scan *s, size_t from, size_t to)
{
	size_t start = from, end, colon = to, last = to;
	bool scheme = false, port = true;

	for (size_t i = from; i + 3 <= to && !scheme; i++) {
		if (!memcmp(s->p + i, "://", 3)) {
			start = i + 3;
			scheme = true;
		}
	}
	for (end = start; end < to && !strchr("/?#", s->p[end]); end++) {
		if (s->p[end] == ':' && colon == to)
			colon = end;
		else if (colon < to && last == to && s->p[end] != '@')
			port &= is_digit(s->p[end]);
		if (s->p[end] == '@')
			last = end;
	}
	if (scheme && colon < to && (last < to || !port)) {
		for (; end < to && !strchr("?#", s->p[end]); end++)
			if (s->p[end] == '@')
				last = end;
	}
	if (last == to)
		return;
	if (colon < last) {
		/* image:tag@sha256:digest names no user */
		if (scheme || !(to - last > 7 && !memcmp(s->p + last, "@sha256", 7)))
			mark(s, colon + 1, last);
	} else if (scheme && last - start >= 12 &&
		   maybe_secret((struct span){s->p + start, last - start})) {
		mark(s, start, last);
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

	return part_is(name, names);
}

/*
 * name=value and name: value anywhere in a word, quoted or not. `end` is where the piece ends that
 * a value without quotes may fill; `word_end` where the whole word does.
 */
static void mark_values(struct scan *s, size_t from, size_t end, size_t word_end)
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
			mark(s, v, stop);
			continue;
		}
		naming = judge_name(name);
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
		if (naming == NAME_SECRET || maybe_secret((struct span){s->p + v, stop - v}))
			mark(s, v, stop);
	}
}

/* --- words ----------------------------------------------------------------------------- */

/* What an option or plain word says about the next one. */
static enum expect judge_option(struct scan *s, struct span word)
{
	const struct program *program = s->program;

	if (program && in_options(program->separate, word, false))
		return EXPECT_SECRET;
	if (program && in_options(program->userpass, word, false))
		return EXPECT_USERPASS;
	if (word.len > 1 && word.p[0] == '-') {
		bool is_long = word.len > 2;

		if (memchr(word.p, '=', word.len))
			return EXPECT_NOTHING;
		if (is_long) {
			switch (judge_name(word)) {
			case NAME_SECRET:
				return EXPECT_SECRET;
			case NAME_MAYBE:
				return EXPECT_MAYBE;
			default:
				return EXPECT_NOTHING;
			}
		}
		/* Not known what program this is: -p and -P may be one. */
		return !program && strchr("pP", word.p[1]) ? EXPECT_MAYBE : EXPECT_NOTHING;
	}
	/* aws configure set aws_secret_access_key X; nmcli ... password X */
	if (judge_name(word) == NAME_SECRET) {
		for (size_t i = 0; i < word.len; i++)
			if (!is_name(word.p[i]))
				return EXPECT_NOTHING;
		if ((program && program->words) || memchr(word.p, '_', word.len) ||
		    memchr(word.p, '.', word.len))
			return is_path(word) ? EXPECT_NOTHING : EXPECT_MAYBE;
	}
	return EXPECT_NOTHING;
}

static void expected(struct scan *s, enum expect expect, size_t from, size_t to)
{
	struct span word = {s->p + from, to - from};

	switch (expect) {
	case EXPECT_SECRET: {
		/* openssl -passin file:PATH, env:VAR, fd:N, stdin */
		static const char *const ways[] = {"file:", "env:", "fd:"};

		if (word.len == 2 && !memcmp(word.p, "--", 2)) /* login -p -- alice */
			return;
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			if (word.len > strlen(ways[i]) && !memcmp(word.p, ways[i], strlen(ways[i])))
				return;
		mark(s, from, to);
		break;
	}
	case EXPECT_MAYBE:
		if (maybe_secret(word))
			mark(s, from, to);
		break;
	case EXPECT_USERPASS:
		for (size_t i = from; i < to; i++) {
			if (s->p[i] == ':' || s->p[i] == '%') {
				mark(s, i + 1, to);
				break;
			}
		}
		break;
	case EXPECT_NOTHING:
		break;
	}
}

/* One piece: a whole word, or what stands between blanks in one (sh -c '...'). */
static void scan_piece(struct scan *s, size_t from, size_t to, size_t word_end, bool cut)
{
	struct span word = {s->p + from, to - from};
	enum expect expect = s->expect;
	const struct program *program;
	size_t n;

	s->expect = EXPECT_NOTHING;
	if (!word.len)
		return;
	if (cut)
		mark(s, from, to);
	expected(s, expect, from, to);
	mark_values(s, from, to, word_end);
	mark_userinfo(s, from, to);
	mark_tokens(s, from, to);
	mark_random(s, from, to);
	if (expect == EXPECT_SECRET)
		return;
	if (s->program && (n = in_options(s->program->attached, word, true)))
		mark(s, from + n, to);
	else if (s->program && (n = in_options(s->program->userpass, word, true)) && n == 2)
		expected(s, EXPECT_USERPASS, from + n, to);
	else if (word.len > 2 && word.p[0] == '-' && (word.p[1] == 'p' || word.p[1] == 'P') &&
		 !s->program && !memchr(word.p, '=', word.len)) {
		struct span value = {word.p + 2, word.len - 2};

		if (maybe_secret(value))
			mark(s, from + 2, to);
	}
	program = word.p[0] == '-' ? NULL : find_program(word);
	if (program)
		s->program = program;
	else
		s->expect = judge_option(s, word);
}

static void scan_word(struct scan *s, size_t from, size_t to, bool cut)
{
	bool pieces = false;

	mark_pem(s, from, to);
	for (size_t i = from; i < to && !pieces; i++)
		pieces = is_space(s->p[i]);
	if (!pieces || s->expect == EXPECT_SECRET) {
		scan_piece(s, from, to, to, cut);
		return;
	}
	/* A command, a header, JSON: by what a shell would take for words. */
	for (size_t i = from; i < to;) {
		size_t end = i;
		bool last;

		while (i < to && (is_space(s->p[i]) || strchr(";|&()", s->p[i])))
			i++;
		end = i;
		if (i < to && is_quote(s->p[i])) {
			for (end = i + 1; end < to && s->p[end] != s->p[i]; end++)
				;
			last = end >= to;
			/* The quoted text is the value of what stands before; else words of its
			 * own. */
			if (s->expect == EXPECT_SECRET) {
				mark(s, i + 1, end);
				s->expect = EXPECT_NOTHING;
			} else {
				size_t a = i + 1;

				for (size_t b = a; b <= end; b++) {
					if (b < end && !is_space(s->p[b]))
						continue;
					scan_piece(s, a, b, to, cut && last && b == end);
					a = b + 1;
				}
			}
			i = end + 1;
			continue;
		}
		while (end < to && !is_space(s->p[end]))
			end++;
		scan_piece(s, i, end, to, cut && end == to);
		i = end;
	}
}

void redact_mark(struct span args, bool truncated, bool *secret)
{
	struct scan s = {.p = args.p, .secret = secret};
	size_t i = 0;

	while (i < args.len) {
		const char *nul = memchr(args.p + i, '\0', args.len - i);
		size_t end = nul ? (size_t)(nul - args.p) : args.len;

		scan_word(&s, i, end, truncated && end == args.len);
		i = end + 1;
	}
}
