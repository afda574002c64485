// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every eight bytes of every form of every secret go into a table, at multiples of four; every
 * eight bytes of the dump, at any place, are looked up in it. Where both agree, the run is followed
 * in both directions: a piece of a secret has to go as well as the whole.
 */
#include "scan/redact.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "scan/redact-written.h"
#include "scan/secret-forms.h"
#include "scan/wipe.h"

#define GRAM	    8
#define STEP	    4
#define NEEDLES_MAX (24U << 20) /* bytes of all forms */
#define GRAMS_MAX   (NEEDLES_MAX / STEP)
#define CORE	    (1U << 20)
#define AROUND	    (16U << 10) /* more than the longest form */
#define FILTER_BITS (1U << 25)
#define RANGES_MAX  (1U << 20)

struct form {
	uint32_t at, len; /* in the arena */
	uint32_t run;
};

struct redact {
	uint8_t *arena; /* wiped */
	size_t used;
	struct form *forms;
	size_t nr_forms;
	/* By hash, chained: the gram's place in the arena; 0 is none, so the arena begins at 1. */
	uint32_t *heads, *next; /* next: by place / STEP */
	uint64_t *filter;
	struct range *ranges;
	size_t nr_ranges;
	bool full;
};

#define HEADS (1U << 20)

static uint64_t load(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static uint64_t mix(uint64_t gram)
{
	return gram * 0x9e3779b97f4a7c15ULL;
}

static int grow(void **items, size_t nr, size_t size)
{
	void *grown;

	if (nr & (nr - 1))
		return 0;
	grown = reallocarray(*items, nr ? 2 * nr : 1, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	return 0;
}

static int add_form(void *userdata, struct bytes form, size_t run)
{
	struct redact *r = userdata;
	size_t at = (r->used + STEP - 1) / STEP * STEP;

	if (form.len < GRAM)
		return 0;
	if (form.len > AROUND || form.len > NEEDLES_MAX - at)
		return -E2BIG;
	if (grow((void **)&r->forms, r->nr_forms, sizeof(*r->forms)) < 0)
		return -ENOMEM;
	memcpy(r->arena + at, form.p, form.len);
	r->forms[r->nr_forms++] = (struct form){(uint32_t)at, (uint32_t)form.len, (uint32_t)run};
	r->used = at + form.len;
	for (size_t i = at; i + GRAM <= r->used; i += STEP) {
		uint64_t hash = mix(load(r->arena + i));
		uint32_t *head = &r->heads[hash >> 44];

		if (!load(r->arena + i))
			continue; /* the padding of digits */
		r->filter[hash % FILTER_BITS / 64] |= 1ULL << hash % 64;
		r->next[i / STEP] = *head;
		*head = (uint32_t)i;
	}
	return 0;
}

/* Forms stand in the arena in the order of their places. */
static const struct form *form_of(const struct redact *r, uint32_t at)
{
	size_t low = 0, high = r->nr_forms;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (r->forms[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return &r->forms[low];
}

/* Into one, if the second begins in the first or at its end. */
static bool join(struct range *first, const struct range *second)
{
	if (second->offset < first->offset || second->offset - first->offset > first->len)
		return false;
	if (second->offset + second->len > first->offset + first->len)
		first->len = second->offset + second->len - first->offset;
	return true;
}

static int add_range(struct redact *r, uint64_t offset, uint64_t len)
{
	struct range range = {offset, len};

	if (r->nr_ranges && join(&r->ranges[r->nr_ranges - 1], &range))
		return 0;
	if (r->nr_ranges == RANGES_MAX)
		return -E2BIG;
	if (grow((void **)&r->ranges, r->nr_ranges, sizeof(*r->ranges)) < 0)
		return -ENOMEM;
	r->ranges[r->nr_ranges++] = range;
	return 0;
}

/* The run of this form's bytes around memory[at]; `where`: of memory[0]. Its end, or at. */
static int follow(struct redact *r, struct bytes memory, size_t at, uint32_t gram, uint64_t where,
		  size_t *end)
{
	const struct form *form = form_of(r, gram);
	const uint8_t *needle = r->arena + form->at;
	size_t in = gram - form->at, before = 0, after = GRAM;

	while (before < in && before < at && needle[in - 1 - before] == memory.p[at - 1 - before])
		before++;
	while (in + after < form->len && at + after < memory.len &&
	       needle[in + after] == memory.p[at + after])
		after++;
	if (before + after < form->run)
		return 0;
	if (at + after > *end)
		*end = at + after;
	return add_range(r, where + at - before, before + after);
}

static int look(struct redact *r, struct bytes memory, size_t from, size_t to, uint64_t where)
{
	size_t at = from;

	while (at < to && at + GRAM <= memory.len) {
		uint64_t gram = load(memory.p + at), hash = mix(gram);
		size_t end = at + 1;

		if (r->filter[hash % FILTER_BITS / 64] >> hash % 64 & 1)
			for (uint32_t i = r->heads[hash >> 44]; i; i = r->next[i / STEP])
				if (load(r->arena + i) == gram) {
					int err = follow(r, memory, at, i, where, &end);

					if (err < 0)
						return err;
				}
		/* What is in the range already need not be looked up, but for its last bytes, where
		 * the next secret may begin. */
		at = end - at > GRAM ? end - GRAM + 1 : at + 1;
	}
	return 0;
}

static long read_at(int fd, uint8_t *out, size_t len, uint64_t offset)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, out + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		got += (size_t)n;
	}
	return (long)got;
}

/* To the next data of a sparse file; the end if there is none. */
static uint64_t skip_hole(int fd, uint64_t at, uint64_t size)
{
	off_t data = lseek(fd, (off_t)at, SEEK_DATA);

	if (data >= 0)
		return (uint64_t)data;
	return errno == ENXIO ? size : at;
}

static int search(struct redact *r, int fd, uint64_t size)
{
	_cleanup_wipe_ uint8_t *room = wipe_alloc(CORE + 2 * AROUND);
	uint64_t at = 0;

	if (!room)
		return -ENOMEM;
	while (r->nr_forms && (at = skip_hole(fd, at, size)) < size) {
		uint64_t start = at < AROUND ? 0 : at - AROUND;
		size_t from = (size_t)(at - start);
		long got = read_at(fd, room, from + CORE + AROUND, start);
		int err;

		if (got < 0)
			return (int)got;
		if ((size_t)got <= from)
			break;
		err = look(r, (struct bytes){room, (size_t)got}, from, from + CORE, start);
		if (err < 0)
			return err;
		at += CORE;
	}
	return 0;
}

static int add_hidden(struct redact *r, const struct secrets *secrets)
{
	for (size_t i = 0; i < secrets_nr_hidden(secrets); i++) {
		uint64_t offset, len;
		int err;

		secrets_get_hidden(secrets, i, &offset, &len);
		err = add_range(r, offset, len);
		if (err < 0)
			return err;
	}
	return 0;
}

static int add_secrets(struct redact *r, const struct secrets *secrets)
{
	for (size_t i = 0; i < secrets_nr(secrets); i++) {
		struct secret secret = secrets_get(secrets, i);
		int err = secret_forms(&secret, add_form, r);

		if (err < 0)
			return err;
	}
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int give(struct redact *r, int (*each)(void *userdata, const struct range *range),
		void *userdata)
{
	size_t nr = 0;
	int err = 0;

	if (!r->nr_ranges)
		return 0;
	qsort(r->ranges, r->nr_ranges, sizeof(*r->ranges), by_offset);
	for (size_t i = 1; i < r->nr_ranges; i++)
		if (!join(&r->ranges[nr], &r->ranges[i]))
			r->ranges[++nr] = r->ranges[i];
	for (size_t i = 0; i <= nr && !err; i++)
		err = each(userdata, &r->ranges[i]);
	return err;
}

static void fini(struct redact *r)
{
	wipe_free(r->arena);
	free(r->forms);
	free(r->heads);
	free(r->next);
	free(r->filter);
	free(r->ranges);
}

int redact_find(int fd, struct secrets *secrets,
		int (*each)(void *userdata, const struct range *range), void *userdata)
{
	struct redact r = {
		.arena = wipe_alloc(NEEDLES_MAX),
		.used = STEP,
		.heads = calloc(HEADS, sizeof(uint32_t)),
		.next = calloc(GRAMS_MAX, sizeof(uint32_t)),
		.filter = calloc(FILTER_BITS / 64, sizeof(uint64_t)),
	};
	off_t size = lseek(fd, 0, SEEK_END);
	int err = size < 0 ? -errno : 0;

	if (!r.arena || !r.heads || !r.next || !r.filter)
		err = -ENOMEM;
	/* Written keys tell more secrets, so they come first. */
	if (!err)
		err = redact_written(fd, secrets);
	if (!err && secrets_full(secrets))
		err = -E2BIG;
	if (!err)
		err = add_secrets(&r, secrets);
	if (!err)
		err = search(&r, fd, (uint64_t)size);
	if (!err)
		err = add_hidden(&r, secrets);
	if (!err)
		err = give(&r, each, userdata);
	fini(&r);
	return err;
}
