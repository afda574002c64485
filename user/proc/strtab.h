/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings kept once: paths, arguments and names that many things share, counted by reference.
 *
 * NULL is the empty string everywhere. The bytes are what was given, not escaped, and may hold NUL.
 * Not thread safe. Bounded: beyond max_bytes a new string becomes NULL and is counted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

struct strtab;

/* One string. Read-only outside of strtab.c. */
struct str {
	struct str *next;
	uint64_t hash;
	uint32_t refs;
	uint32_t len;
	char s[]; /* NUL terminated as well */
};

struct strtab *strtab_new(size_t max_bytes); /* NULL: out of memory */
/* All references must have been given back. NULL is fine. */
void strtab_free(struct strtab *tab);

/* A new reference to the string, or NULL: empty, or no room (then counted as refused). */
struct str *strtab_get(struct strtab *tab, struct span bytes);
/* One more reference to what is held already. */
static inline struct str *str_ref(struct str *str)
{
	if (str)
		str->refs++;
	return str;
}
/* Gives one reference back. */
void strtab_put(struct strtab *tab, struct str *str);

static inline struct span str_span(const struct str *str)
{
	return str ? (struct span){str->s, str->len} : (struct span){NULL, 0};
}

size_t strtab_bytes(const struct strtab *tab); /* allocated, overhead included */
uint64_t strtab_refused(const struct strtab *tab); /* strings that found no room */
