// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Walks a command line by words, and by the words in words (sh -c): what an option or a program
 * says about the words after it. Rules only mark ranges, so they cannot undo each other.
 */
#include "proc/redact.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "proc/redact-forms.h"
#include "proc/redact-programs.h"

#define PROGRAMS_MAX 4 /* in one command: sudo docker login; more are not looked up */
#define DEPTH_MAX    6 /* sh -c "sh -c 'sh -c ...'" */

/* One command of a shell's, or the whole command line. */
struct command {
	/* Those that were named so far; the rules of all apply, since any word may be a program. */
	const struct program *programs[PROGRAMS_MAX];
	size_t nr_programs;
	bool begun; /* the word in front was seen */
	bool secret_named; /* SET PASSWORD FOR bob = 'X'; IDENTIFIED BY 'X' */
	enum expect expect; /* what the word before says about this one */
	unsigned after[PROGRAMS_MAX + 1]; /* so many plain words from now on a secret comes */
	bool echo; /* the command is one, and its words may go into a pipe */
	size_t echo_from, echo_to;
};

struct scan {
	struct redaction to;
	unsigned depth;
};

static void scan_text(struct scan *s, size_t from, size_t to, bool cut);

/* --- one word --------------------------------------------------------------------------- */

static struct span span_in(const struct scan *s, size_t from, size_t to)
{
	return (struct span){s->to.p + from, to - from};
}

static bool is_number(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.len > 0;
}

/* user:password. `docker run --user 1000:1000` and www-data:www-data are none. */
static void mark_userpass(struct scan *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct span user = span_in(s, from, i), rest;

		if (!strchr(":%,", s->to.p[i]))
			continue;
		rest = span_in(s, i + 1, to);
		if ((is_number(user) && is_number(rest)) ||
		    (user.len == rest.len && !memcmp(user.p, rest.p, rest.len)))
			return;
		redact_range(&s->to, i + 1, to);
		return;
	}
}

static void mark_pair(struct scan *s, size_t from, size_t to)
{
	const char *equals = memchr(s->to.p + from, '=', to - from);

	if (equals)
		redact_range(&s->to, (size_t)(equals - s->to.p) + 1, to);
}

/* True: all of it is hidden, and says nothing about what follows. */
static bool mark_expected(struct scan *s, enum expect expect, size_t from, size_t to)
{
	/* openssl -passin file:PATH, env:VAR, fd:N, stdin */
	static const char *const ways[] = {"file:", "env:", "fd:"};
	struct span word;

	/* --user="alice:X": the quotes stay, or what follows would seem to be quoted. */
	if (to - from >= 2 && is_quote(s->to.p[from]) && s->to.p[to - 1] == s->to.p[from]) {
		from++;
		to--;
	}
	word = span_in(s, from, to);
	switch (expect) {
	case EXPECT_SECRET:
		if (word.len == 2 && !memcmp(word.p, "--", 2)) /* login -p -- alice */
			return false;
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			if (word.len > strlen(ways[i]) && !memcmp(word.p, ways[i], strlen(ways[i])))
				return true;
		redact_range(&s->to, from, to);
		/* `--password --token X`: the first may have had no value after all. */
		return !word.len || word.p[0] != '-';
	case EXPECT_MAYBE:
		if (redact_maybe_secret(word))
			redact_range(&s->to, from, to);
		return false;
	case EXPECT_AUTH:
		return mark_expected(s,
				     memchr(word.p, ':', word.len) ? EXPECT_USERPASS : EXPECT_MAYBE,
				     from, to);
	case EXPECT_USERPASS:
		mark_userpass(s, from, to);
		return false;
	case EXPECT_PAIR:
		mark_pair(s, from, to);
		return false;
	default:
		return false;
	}
}

/* Options of all programs which user:password may follow; with some it may be a token as well. */
static enum expect user_option(struct span name)
{
	static const char *const users[] = {"--user", "--username", "--proxy-user", NULL};
	static const char *const auths[] = {"--auth",	   "--basic-auth", "--creds",
					    "--src-creds", "--dest-creds", NULL};

	if (redact_name_in(name, users))
		return EXPECT_USERPASS;
	return redact_name_in(name, auths) ? EXPECT_AUTH : EXPECT_NOTHING;
}

/* An option: by its program, then by its name. */
static void judge_option(struct scan *s, struct command *c, size_t from, size_t to)
{
	struct span word = span_in(s, from, to), name = word;
	const char *equals = memchr(word.p, '=', word.len);

	for (size_t i = 0; i < c->nr_programs; i++) {
		size_t value = 0;
		enum expect expect = redact_program_option(c->programs[i], word, &value);

		if (expect == EXPECT_NOTHING)
			continue;
		if (value)
			mark_expected(s, expect, from + value, to);
		else
			c->expect = expect;
		return;
	}
	if (word.len < 2 || word.p[0] != '-')
		return;
	if (equals)
		name.len = (size_t)(equals - word.p);
	c->expect = user_option(name);
	if (c->expect != EXPECT_NOTHING && equals) {
		mark_expected(s, c->expect, from + name.len + 1, to);
		c->expect = EXPECT_NOTHING;
	}
	if (equals || c->expect != EXPECT_NOTHING) /* NAME=X is found by its form */
		return;
	if (word.len > 2) {
		enum naming naming = redact_judge_name(word);

		if (naming != NAME_PLAIN)
			c->expect = naming == NAME_SECRET ? EXPECT_SECRET : EXPECT_MAYBE;
	}
	/* Not known what program this is: -p and -P may be one. */
	if (!c->nr_programs && strchr("pP", word.p[1])) {
		if (word.len == 2)
			c->expect = EXPECT_MAYBE;
		else
			mark_expected(s, EXPECT_MAYBE, from + 2, to);
	}
}

/* A word that is no option: may name a secret that follows. */
static void judge_name(struct command *c, struct span word)
{
	bool named = false;

	if (redact_judge_name(word) != NAME_SECRET || redact_is_path(word))
		return;
	for (size_t i = 0; i < word.len; i++)
		if (!is_name(word.p[i]))
			return;
	for (size_t i = 0; i < c->nr_programs; i++)
		named |= redact_program_named(c->programs[i]);
	/* git config user.password X, but not grep password */
	if (named)
		c->expect = EXPECT_SECRET;
	else if (memchr(word.p, '_', word.len) || memchr(word.p, '.', word.len))
		c->expect = EXPECT_MAYBE;
	c->secret_named = true;
}

static void add_program(struct command *c, const struct program *program)
{
	if (c->nr_programs && redact_program_runs(c->programs[c->nr_programs - 1]))
		c->nr_programs = 0;
	if (c->nr_programs == PROGRAMS_MAX)
		return;
	c->after[c->nr_programs] = redact_program_after(program, (struct span){"", 0});
	c->programs[c->nr_programs++] = program;
}

/* Plain words that are secrets by where they stand. */
static bool is_by_place(struct command *c)
{
	bool hit = false;

	for (size_t i = 0; i <= c->nr_programs; i++) {
		if (c->after[i] > 1)
			c->after[i]--;
		else if (c->after[i] == 1) /* this one, and all that follow */
			hit = true;
	}
	return hit;
}

static void count_from(struct command *c, struct span word)
{
	for (size_t i = 0; i < c->nr_programs; i++) {
		unsigned n = redact_program_after(c->programs[i], word);

		if (n && !c->after[i])
			c->after[i] = n;
	}
}

static bool has_space(struct span word)
{
	for (size_t i = 0; i < word.len; i++)
		if (is_space(word.p[i]))
			return true;
	return false;
}

static bool is_word(struct span word, const char *text)
{
	return word.len == strlen(text) && !strncasecmp(word.p, text, word.len);
}

/* One word of a command, without the quotes that were around it. */
static void scan_word(struct scan *s, struct command *c, size_t from, size_t to, bool quoted)
{
	struct span word = span_in(s, from, to);
	enum expect expect = c->expect;
	const struct program *program;

	c->expect = EXPECT_NOTHING;
	if (mark_expected(s, expect, from, to))
		return;
	if (!word.len)
		return;
	if (quoted && c->secret_named && !redact_is_path(word)) {
		redact_range(&s->to, from, to);
		return;
	}
	if (word.p[0] == '-' || word.p[0] == '/')
		judge_option(s, c, from, to);
	if (has_space(word)) /* no option, no name: what is in it is looked at by itself */
		c->expect = EXPECT_NOTHING;
	if (word.p[0] == '-') {
		count_from(c, word);
		return;
	}
	if (is_by_place(c) && !redact_is_path(word)) {
		redact_range(&s->to, from, to);
		return;
	}
	for (size_t i = 0; i < c->nr_programs; i++)
		if (redact_program_pairs(c->programs[i]))
			mark_pair(s, from, to);
	program = redact_program(word);
	if (program)
		add_program(c, program);
	else if (!has_space(word))
		judge_name(c, word);
	count_from(c, word);
	if (!c->begun && (is_word(word, "echo") || is_word(word, "printf"))) {
		c->echo = true;
		c->echo_from = c->echo_to = to;
	}
	c->begun = true;
}

/* --- text that may be commands ---------------------------------------------------------- */

/* Where the quote that opens at `at` ends: its closing one, or `to`. */
static size_t quote_end(const struct scan *s, size_t at, size_t to)
{
	char quote = s->to.p[at];

	for (at++; at < to && s->to.p[at] != quote; at++)
		if (s->to.p[at] == '\\' && quote != '\'' && at + 1 < to)
			at++;
	return at;
}

static bool ends_word(char c)
{
	return is_space(c) || strchr(";|&()<>", c);
}

/* The end of a shell's word, quotes and all. */
static size_t word_end(const struct scan *s, size_t at, size_t to)
{
	while (at < to && !ends_word(s->to.p[at])) {
		if (is_quote(s->to.p[at]))
			at = quote_end(s, at, to);
		else if (s->to.p[at] == '\\' && at + 1 < to)
			at++;
		if (at < to)
			at++;
	}
	return at;
}

/* What is quoted in a word may be a command again. */
static void scan_quoted(struct scan *s, size_t from, size_t to, bool cut)
{
	while (from < to) {
		size_t end;

		if (!is_quote(s->to.p[from])) {
			from++;
			continue;
		}
		end = quote_end(s, from, to);
		scan_text(s, from + 1, end, cut && end == to);
		from = end + 1;
	}
}

/* `echo X | sudo -S ...`: what went into the pipe. from: after the |. */
static void judge_pipe(struct scan *s, const struct command *c, size_t from, size_t to, bool cut)
{
	bool reads = false;
	size_t end = from;

	if (!c->echo)
		return;
	while (from < to && !reads) {
		while (from < to && is_space(s->to.p[from]))
			from++;
		if (from < to && ends_word(s->to.p[from]))
			break;
		end = word_end(s, from, to);
		reads = redact_reads_secret(span_in(s, from, end)) ||
			/* --password-stdin, --passphrase-fd 0 */
			memmem(s->to.p + from, end - from, "pass", 4);
		from = end;
	}
	if (reads || (cut && from == to))
		redact_range(&s->to, c->echo_from, c->echo_to);
}

static void scan_commands(struct scan *s, size_t from, size_t to, bool cut)
{
	struct command c = {};

	while (from < to) {
		char ch = s->to.p[from];
		size_t end;

		if (is_space(ch) && ch != '\n') {
			from++;
			continue;
		}
		if (ch == '<' || ch == '>') {
			for (end = from; end < to && s->to.p[end] == ch; end++)
				;
			if (ch == '<' && end - from == 3) /* cryptsetup ... <<< X */
				c.expect = EXPECT_SECRET;
			from = end;
			continue;
		}
		if (ends_word(ch)) {
			bool named = c.secret_named && ch == '('; /* PASSWORD('X') */

			if (ch == '|' && !(from + 1 < to && s->to.p[from + 1] == '|'))
				judge_pipe(s, &c, from + 1, to, cut);
			c = (struct command){.secret_named = named};
			from++;
			continue;
		}
		end = word_end(s, from, to);
		if (is_quote(ch) && quote_end(s, from, end) + 1 >= end) {
			size_t last = quote_end(s, from, end);

			scan_word(s, &c, from + 1, last, true);
		} else {
			scan_word(s, &c, from, end, false);
		}
		if (c.echo)
			c.echo_to = end;
		scan_quoted(s, from, end, cut && end == to);
		from = end;
	}
	if (cut && c.echo) /* who can say into what */
		redact_range(&s->to, c.echo_from, c.echo_to);
}

/* What is between two blanks, or within a quote between them. */
static void scan_forms(struct scan *s, size_t from, size_t to, bool cut)
{
	for (size_t i = from; i < to;) {
		size_t end = i;

		while (i < to && (is_space(s->to.p[i]) || strchr(";|&()", s->to.p[i])))
			i++;
		end = i;
		if (i < to && is_quote(s->to.p[i])) {
			size_t a = i + 1;

			for (end = a; end < to && s->to.p[end] != s->to.p[i]; end++)
				;
			for (size_t b = a; b <= end; b++) {
				if (b < end && !is_space(s->to.p[b]))
					continue;
				redact_forms(&s->to, a, b, to);
				if (cut && b == end && end == to)
					redact_range(&s->to, a, b);
				a = b + 1;
			}
			i = end + 1;
			continue;
		}
		while (end < to && !is_space(s->to.p[end]))
			end++;
		redact_forms(&s->to, i, end, to);
		if (cut && end == to)
			redact_range(&s->to, i, end);
		i = end;
	}
}

/* A command, a header, JSON, SQL: by what a shell would take for words. */
static void scan_text(struct scan *s, size_t from, size_t to, bool cut)
{
	if (!has_space(span_in(s, from, to)) || s->depth == DEPTH_MAX)
		return;
	s->depth++;
	scan_commands(s, from, to, cut);
	s->depth--;
}

void redact_mark(struct span args, bool truncated, bool *secret)
{
	struct scan s = {.to = {.p = args.p, .secret = secret}};
	struct command c = {};
	size_t i = 0;

	while (i < args.len) {
		const char *nul = memchr(args.p + i, '\0', args.len - i);
		size_t end = nul ? (size_t)(nul - args.p) : args.len;
		bool cut = truncated && end == args.len;

		redact_pem(&s.to, i, end);
		if (has_space(span_in(&s, i, end))) {
			scan_forms(&s, i, end, cut);
		} else {
			redact_forms(&s.to, i, end, end);
			if (cut)
				redact_range(&s.to, i, end);
		}
		scan_word(&s, &c, i, end, false);
		scan_text(&s, i, end, cut);
		i = end + 1;
	}
}
