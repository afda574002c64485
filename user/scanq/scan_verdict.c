// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings put together by the key that they are of, and what they amount to. */
#include "scanq/scan_verdict.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* Of these a dump may be without anybody's fault, and all that is in the file was looked at; what
 * there was no time for (SCAN_BUDGET) is what hardly ever is a key, or it is incomplete as well. */
#define OF_THE_DUMP                                                                               \
	(SCAN_CORE | SCAN_ONE_PASS | SCAN_BUDGET | SCAN_TRUNCATED | SCAN_FILTERED | SCAN_ERASED | \
	 SCAN_TOUCHED)

void scan_verdict_init(struct scan_verdict *verdict, const struct scan_about *about)
{
	*verdict = (struct scan_verdict){.about = *about};
}

void scan_verdict_fini(struct scan_verdict *verdict)
{
	for (size_t i = 0; i < verdict->nr_keys; i++)
		free(verdict->keys[i].places);
	free(verdict->keys);
	verdict->keys = NULL;
	verdict->nr_keys = 0;
}

/* By public half, or where there is none by the scanner's tag. */
static bool same_key(const struct finding *a, const struct finding *b)
{
	if (a->id.has_spki && b->id.has_spki)
		return memcmp(a->id.spki, b->id.spki, sizeof(b->id.spki)) == 0;
	if (a->id.ssh_fp[0] && b->id.ssh_fp[0])
		return strcmp(a->id.ssh_fp, b->id.ssh_fp) == 0;
	if (a->id.keygrip[0] && b->id.keygrip[0])
		return strcmp(a->id.keygrip, b->id.keygrip) == 0;
	return a->tag && a->tag == b->tag && a->bits == b->bits;
}

/* Room for one more; doubles at each power of two. */
static void *grow(void *items, size_t nr, size_t size)
{
	return nr & (nr - 1) ? items : reallocarray(items, nr ? nr * 2 : 1, size);
}

/* Who fills a dump with what is likely, or nobody's, does not keep out what is proven. */
static int take_weaker(struct scan_verdict *v, const struct finding *f, struct found_key **out_key)
{
	struct found_key *weakest = &v->keys[0];

	for (size_t i = 1; i < v->nr_keys; i++)
		if (v->keys[i].finding.class > weakest->finding.class)
			weakest = &v->keys[i];
	if (weakest->finding.class <= f->class)
		return -ENOSPC;
	v->findings_left_out += weakest->nr_places + weakest->places_left_out;
	free(weakest->places);
	*weakest = (struct found_key){.finding = *f};
	*out_key = weakest;
	return 0;
}

static int key_of(struct scan_verdict *v, const struct finding *f, struct found_key **out_key)
{
	struct found_key *keys;

	for (size_t i = 0; i < v->nr_keys; i++)
		if (same_key(&v->keys[i].finding, f)) {
			*out_key = &v->keys[i];
			return 0;
		}
	if (v->nr_keys == VERDICT_KEYS_MAX)
		return take_weaker(v, f, out_key);
	keys = grow(v->keys, v->nr_keys, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	v->keys = keys;
	keys[v->nr_keys] = (struct found_key){.finding = *f};
	*out_key = &keys[v->nr_keys++];
	return 0;
}

/* The first place's names stay; others add what it did not know. */
static void merge(struct finding *to, const struct finding *f)
{
	if (f->class < to->class)
		to->class = f->class;
	if (!to->bits)
		to->bits = f->bits;
	if (!to->ref)
		to->ref = f->ref;
	if (!to->id.comment[0])
		memcpy(to->id.comment, f->id.comment, sizeof(to->id.comment));
	if (!to->id.ssh_fp[0])
		memcpy(to->id.ssh_fp, f->id.ssh_fp, sizeof(to->id.ssh_fp));
	if (!to->id.keygrip[0])
		memcpy(to->id.keygrip, f->id.keygrip, sizeof(to->id.keygrip));
}

static int add_place(struct found_key *key, const struct finding *f)
{
	struct place *places;

	for (size_t i = 0; i < key->nr_places; i++)
		if (key->places[i].offset == f->offset && key->places[i].layout == f->layout &&
		    key->places[i].what == f->what)
			return 0;
	if (key->nr_places == VERDICT_PLACES_MAX) {
		key->places_left_out++;
		return 0;
	}
	places = grow(key->places, key->nr_places, sizeof(*places));
	if (!places)
		return -ENOMEM;
	key->places = places;
	places[key->nr_places++] = (struct place){
		.offset = f->offset,
		.vaddr = f->vaddr,
		.has_vaddr = f->has_vaddr,
		.what = f->what,
		.layout = f->layout,
	};
	return 0;
}

int scan_verdict_add(struct scan_verdict *verdict, const struct finding *finding)
{
	struct found_key *key;
	int r;

	if (finding->what == FINDING_END) {
		verdict->bytes = finding->offset;
		verdict->flags = (unsigned)finding->vaddr;
		return 0;
	}
	if (finding->what == FINDING_UNTRIED) {
		verdict->untried[finding->ref % UNTRIED_NR] += finding->offset;
		return 0;
	}
	r = key_of(verdict, finding, &key);
	if (r == -ENOSPC) {
		verdict->findings_left_out++;
		return 0;
	}
	if (r < 0)
		return r;
	merge(&key->finding, finding);
	return add_place(key, finding);
}

static bool starts(const char *text, const char *with)
{
	return text && !strncmp(text, with, strlen(with));
}

/*
 * A private key that is proven opens what it is for: high, and critical if the site named it as one
 * of its own and it is still in use. Most AES keys that programs hold live as long as a connection,
 * and which one does not shows nowhere in memory: low.
 */
enum severity found_key_severity(const struct found_key *key)
{
	switch (key->finding.class) {
	case CLASS_PROVEN:
		/* A token's label is its rule's. */
		if (!key->label || key->finding.what == FINDING_TOKEN)
			return SEV_HIGH;
		return key->expired || starts(key->zone, "test") || starts(key->zone, "dev")
			       ? SEV_MEDIUM
			       : SEV_CRITICAL;
	case CLASS_LIKELY:
		return key->finding.what == FINDING_AES ? SEV_LOW : SEV_MEDIUM;
	case CLASS_ENCRYPTED:
		return SEV_LOW;
	default:
		return SEV_INFO;
	}
}

bool found_key_counts(const struct found_key *key)
{
	return found_key_severity(key) > SEV_INFO;
}

static int by_offset(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int by_severity(const void *a, const void *b)
{
	const struct found_key *x = a, *y = b;
	enum severity sx = found_key_severity(x), sy = found_key_severity(y);

	if (sx != sy)
		return sx > sy ? -1 : 1;
	if (x->finding.class != y->finding.class)
		return x->finding.class < y->finding.class ? -1 : 1;
	return by_offset(&x->places[0], &y->places[0]);
}

void scan_verdict_sort(struct scan_verdict *verdict)
{
	for (size_t i = 0; i < verdict->nr_keys; i++)
		qsort(verdict->keys[i].places, verdict->keys[i].nr_places, sizeof(struct place),
		      by_offset);
	if (verdict->nr_keys)
		qsort(verdict->keys, verdict->nr_keys, sizeof(*verdict->keys), by_severity);
}

enum scan_outcome scan_verdict_outcome(const struct scan_verdict *verdict)
{
	for (size_t i = 0; i < verdict->nr_keys; i++)
		if (found_key_counts(&verdict->keys[i]))
			return OUTCOME_FOUND;
	return verdict->flags & ~OF_THE_DUMP || verdict->findings_left_out ? OUTCOME_PARTIAL
									   : OUTCOME_CLEAN;
}

const char *scan_outcome_str(enum scan_outcome outcome)
{
	static const char *const words[OUTCOME_NR] = {"clean", "found", "partial"};

	return outcome < OUTCOME_NR ? words[outcome] : "?";
}
