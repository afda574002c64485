/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the folder only: names that say secret, and secrets that say what they are. See
 * redact.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

/* A command line and which of its bytes are to be hidden. */
struct redaction {
	const char *p;
	bool *secret;
};

static inline void redact_range(struct redaction *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		r->secret[i] = r->p[i] != '\0';
}

/* Without a locale: what a byte is must not depend on the daemon's environment. */
static inline bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}
static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}
static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}
static inline bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}
static inline bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}
static inline bool is_name(char c)
{
	return is_alnum(c) || c == '_' || c == '-' || c == '.';
}

enum naming { NAME_PLAIN, NAME_MAYBE, NAME_SECRET };

/* Does a thing of this name hold a secret? "password-file" holds the name of a file. */
enum naming redact_judge_name(struct span name);

/* Is the name in the list (lower case, NULL at its end)? */
bool redact_name_in(struct span name, const char *const *list);

bool redact_is_path(struct span s);

/* Would a person type this as a word, a number, a path? If not, behind "-p" or "key=" it is hidden.
 */
bool redact_maybe_secret(struct span s);

/* PEM blocks in bytes [from, to). */
void redact_pem(struct redaction *r, size_t from, size_t to);

/*
 * All forms of secrets in the piece [from, to) of a word that ends at word_end: names with values,
 * passwords in URLs, tokens, what looks random.
 */
void redact_forms(struct redaction *r, size_t from, size_t to, size_t word_end);
