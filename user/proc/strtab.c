// SPDX-License-Identifier: GPL-2.0-or-later
/* Interned strings: a chained hash table that doubles. */
#include "proc/strtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS_MIN 1024

struct strtab {
	struct str **buckets;
	size_t nr_buckets; /* power of two */
	size_t nr;
	size_t bytes, max_bytes;
	uint64_t refused;
};

struct strtab *strtab_new(size_t max_bytes)
{
	struct strtab *tab = calloc(1, sizeof(*tab));

	if (!tab)
		return NULL;
	tab->buckets = calloc(BUCKETS_MIN, sizeof(struct str *));
	if (!tab->buckets) {
		free(tab);
		return NULL;
	}
	tab->nr_buckets = BUCKETS_MIN;
	tab->max_bytes = max_bytes;
	tab->bytes = sizeof(*tab) + BUCKETS_MIN * sizeof(struct str *);
	return tab;
}

void strtab_free(struct strtab *tab)
{
	if (!tab)
		return;
	for (size_t i = 0; i < tab->nr_buckets; i++) {
		struct str *str = tab->buckets[i];

		while (str) {
			struct str *next = str->next;

			free(str);
			str = next;
		}
	}
	free(tab->buckets);
	free(tab);
}

/* Longer chains are slower, not wrong: no memory for more buckets is no error. */
static void grow(struct strtab *tab)
{
	size_t nr = tab->nr_buckets * 2;
	struct str **buckets = calloc(nr, sizeof(struct str *));

	if (!buckets)
		return;
	for (size_t i = 0; i < tab->nr_buckets; i++) {
		struct str *str = tab->buckets[i];

		while (str) {
			struct str *next = str->next;
			struct str **slot = &buckets[str->hash & (nr - 1)];

			str->next = *slot;
			*slot = str;
			str = next;
		}
	}
	free(tab->buckets);
	tab->bytes += (nr - tab->nr_buckets) * sizeof(struct str *);
	tab->buckets = buckets;
	tab->nr_buckets = nr;
}

struct str *strtab_get(struct strtab *tab, struct span bytes)
{
	struct str **slot, *str;
	uint64_t hash;
	size_t size;

	if (!bytes.len)
		return NULL;
	hash = hash_bytes(bytes.p, bytes.len);
	slot = &tab->buckets[hash & (tab->nr_buckets - 1)];
	for (str = *slot; str; str = str->next) {
		if (str->hash == hash && str->len == bytes.len &&
		    !memcmp(str->s, bytes.p, bytes.len)) {
			str->refs++;
			return str;
		}
	}
	size = sizeof(*str) + bytes.len + 1;
	if (bytes.len >= UINT32_MAX || size > tab->max_bytes - tab->bytes ||
	    tab->bytes > tab->max_bytes) {
		tab->refused++;
		return NULL;
	}
	str = malloc(size);
	if (!str) {
		tab->refused++;
		return NULL;
	}
	str->next = *slot;
	str->hash = hash;
	str->refs = 1;
	str->len = (uint32_t)bytes.len;
	memcpy(str->s, bytes.p, bytes.len);
	str->s[bytes.len] = '\0';
	*slot = str;
	tab->bytes += size;
	if (++tab->nr > tab->nr_buckets)
		grow(tab);
	return str;
}

void strtab_put(struct strtab *tab, struct str *str)
{
	struct str **slot;

	if (!str || --str->refs)
		return;
	slot = &tab->buckets[str->hash & (tab->nr_buckets - 1)];
	while (*slot != str)
		slot = &(*slot)->next;
	*slot = str->next;
	tab->bytes -= sizeof(*str) + str->len + 1;
	tab->nr--;
	free(str);
}

size_t strtab_bytes(const struct strtab *tab)
{
	return tab->bytes;
}

uint64_t strtab_refused(const struct strtab *tab)
{
	return tab->refused;
}
