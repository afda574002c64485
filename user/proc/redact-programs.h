/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the folder only: which programs take secrets in which arguments. See redact.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

/* What is known of a word, or of a part of it. */
enum expect {
	EXPECT_NOTHING,
	EXPECT_SECRET,
	EXPECT_MAYBE, /* if it looks like one */
	EXPECT_USERPASS, /* user:password, or with % or , between them */
	EXPECT_AUTH, /* either of the two */
	EXPECT_PAIR, /* NAME=SECRET */
};

struct program;

/* The rules for a program, by the word that starts it (a path or not); NULL = none. */
const struct program *redact_program(struct span word);

/* Its later words are another command's: `sshpass -p X ssh ...`. */
bool redact_program_runs(const struct program *program);

/*
 * What an option of the program says: about the rest of its own word from *out_value on, or, if
 * that is 0, about the next word.
 */
enum expect redact_program_option(const struct program *program, struct span word,
				  size_t *out_value);

/*
 * After this plain word, or option, which plain word begins the secrets: 1 = the next. 0 = none.
 * An empty word: counted from the program itself.
 */
unsigned redact_program_after(const struct program *program, struct span word);

/* Plain words that name a secret are followed by it (`nmcli ... password X`). */
bool redact_program_named(const struct program *program);
/* Plain words NAME=VALUE hold secrets, whatever the name. */
bool redact_program_pairs(const struct program *program);

/* Does this program read a secret on standard input: is `echo X | PROGRAM` one? */
bool redact_reads_secret(struct span word);
