/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages about input that a person wrote, each with its place: file:line:column: level: text.
 * Parsers fill a list; the program prints it. Bounded: after DIAG_MAX messages only counts grow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"

#define DIAG_MAX 256

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
	enum diag_level level;
	char *file; /* owned by the list */
	unsigned line, column; /* from 1; 0 = the file as a whole */
	char *text; /* owned by the list; escaped, one line, no full stop */
};

struct diag_list {
	struct diag *items;
	size_t nr;
	size_t errors, warnings; /* counted beyond DIAG_MAX too */
};

void diag_list_fini(struct diag_list *list); /* leaves it empty and usable */
/* Appends; out of memory still counts. file may be NULL ("-"). */
void diag_add(struct diag_list *list, enum diag_level level, const char *file, unsigned line,
	      unsigned column, const char *fmt, ...) _printf_(6, 7);
/* "file:line:column: error: text", escaped, without a newline; what is 0 is left out. malloc'd, the
 * caller's to free; NULL: out of memory. */
char *diag_line(const struct diag *diag);
/* One line each, in order, then nothing: the caller sums up. */
void diag_print(const struct diag_list *list, FILE *f);
