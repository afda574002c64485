// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks a command line by words, and by the words in words (sh -c): what an option or a program
 * says about the next word. Rules only mark ranges, so they cannot undo each other.
 */
#include "proc/redact.h"

#include <string.h>

#include "base/cleanup.h"
#include "proc/redact-forms.h"

struct scan {
	struct redaction to;
	/* Of the words seen so far: the program whose short options apply, NULL = none known. */
	const struct program *program;
	/* What the word before says about this one. */
	enum expect { EXPECT_NOTHING, EXPECT_SECRET, EXPECT_MAYBE, EXPECT_USERPASS } expect;
};

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
		size_t n;

		if (!word.len || name[0] != word.p[0])
			continue;
		n = strlen(name);
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
			switch (redact_judge_name(word)) {
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
	if (redact_judge_name(word) == NAME_SECRET) {
		for (size_t i = 0; i < word.len; i++)
			if (!is_name(word.p[i]))
				return EXPECT_NOTHING;
		if ((program && program->words) || memchr(word.p, '_', word.len) ||
		    memchr(word.p, '.', word.len))
			return redact_is_path(word) ? EXPECT_NOTHING : EXPECT_MAYBE;
	}
	return EXPECT_NOTHING;
}

static void expected(struct scan *s, enum expect expect, size_t from, size_t to)
{
	struct span word = {s->to.p + from, to - from};

	switch (expect) {
	case EXPECT_SECRET: {
		/* openssl -passin file:PATH, env:VAR, fd:N, stdin */
		static const char *const ways[] = {"file:", "env:", "fd:"};

		if (word.len == 2 && !memcmp(word.p, "--", 2)) /* login -p -- alice */
			return;
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			if (word.len > strlen(ways[i]) && !memcmp(word.p, ways[i], strlen(ways[i])))
				return;
		redact_range(&s->to, from, to);
		break;
	}
	case EXPECT_MAYBE:
		if (redact_maybe_secret(word))
			redact_range(&s->to, from, to);
		break;
	case EXPECT_USERPASS:
		for (size_t i = from; i < to; i++) {
			if (s->to.p[i] == ':' || s->to.p[i] == '%') {
				redact_range(&s->to, i + 1, to);
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
	struct span word = {s->to.p + from, to - from};
	enum expect expect = s->expect;
	const struct program *program;
	size_t n;

	s->expect = EXPECT_NOTHING;
	if (!word.len)
		return;
	if (cut)
		redact_range(&s->to, from, to);
	expected(s, expect, from, to);
	redact_forms(&s->to, from, to, word_end);
	/* `--password --token X`: the first may have had no value after all. */
	if (expect == EXPECT_SECRET && word.p[0] != '-')
		return;
	if (s->program && (n = in_options(s->program->attached, word, true)))
		redact_range(&s->to, from + n, to);
	else if (s->program && (n = in_options(s->program->userpass, word, true)) && n == 2)
		expected(s, EXPECT_USERPASS, from + n, to);
	else if (word.len > 2 && word.p[0] == '-' && (word.p[1] == 'p' || word.p[1] == 'P') &&
		 !s->program && !memchr(word.p, '=', word.len)) {
		struct span value = {word.p + 2, word.len - 2};

		if (redact_maybe_secret(value))
			redact_range(&s->to, from + 2, to);
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

	redact_pem(&s->to, from, to);
	for (size_t i = from; i < to && !pieces; i++)
		pieces = is_space(s->to.p[i]);
	if (!pieces || s->expect == EXPECT_SECRET) {
		scan_piece(s, from, to, to, cut);
		return;
	}
	/* A command, a header, JSON: by what a shell would take for words. */
	for (size_t i = from; i < to;) {
		size_t end = i;
		bool last;

		while (i < to && (is_space(s->to.p[i]) || strchr(";|&()", s->to.p[i])))
			i++;
		end = i;
		if (i < to && is_quote(s->to.p[i])) {
			for (end = i + 1; end < to && s->to.p[end] != s->to.p[i]; end++)
				;
			last = end >= to;
			/* The quoted text is the value of what stands before; else words of its
			 * own. */
			if (s->expect == EXPECT_SECRET) {
				redact_range(&s->to, i + 1, end);
				s->expect = EXPECT_NOTHING;
			} else {
				size_t a = i + 1;

				for (size_t b = a; b <= end; b++) {
					if (b < end && !is_space(s->to.p[b]))
						continue;
					scan_piece(s, a, b, to, cut && last && b == end);
					a = b + 1;
				}
			}
			i = end + 1;
			continue;
		}
		while (end < to && !is_space(s->to.p[end]))
			end++;
		scan_piece(s, i, end, to, cut && end == to);
		i = end;
	}
}

void redact_mark(struct span args, bool truncated, bool *secret)
{
	struct scan s = {.to = {.p = args.p, .secret = secret}};
	size_t i = 0;

	while (i < args.len) {
		const char *nul = memchr(args.p + i, '\0', args.len - i);
		size_t end = nul ? (size_t)(nul - args.p) : args.len;

		scan_word(&s, i, end, truncated && end == args.len);
		i = end + 1;
	}
}
