/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scan of one dump comes to: its findings, one entry for each key with the places where it
 * stands, the worst first. Plain data, no key bytes; fed in the process that reads the scanner's
 * channel.
 */
#pragma once

#include <stddef.h>

#include "policy/policy.h"
#include "scan/about.h"
#include "scan/finding.h"

#define VERDICT_KEYS_MAX   4096
#define VERDICT_PLACES_MAX 256 /* of one key; more are counted */

struct place {
	uint64_t offset, vaddr;
	bool has_vaddr;
	enum finding_what what;
	enum finding_layout layout;
};

struct found_key {
	struct finding finding; /* the first one; its class is the strongest of all places */
	const char *label, *zone; /* of a known key, escaped; borrowed, may be NULL */
	bool expired; /* a known key that is no longer in use */
	struct place *places;
	size_t nr_places;
	uint64_t places_left_out;
};

/* Whether it says that nothing is there. */
enum scan_outcome {
	OUTCOME_CLEAN = 0,
	OUTCOME_FOUND,
	OUTCOME_PARTIAL, /* nothing found, but some of it could not be looked at */
	OUTCOME_NR
};

struct scan_verdict {
	struct scan_about about;
	struct found_key *keys;
	size_t nr_keys;
	uint64_t findings_left_out; /* of keys beyond VERDICT_KEYS_MAX */
	uint64_t untried[UNTRIED_NR]; /* what there was no budget for */
	uint64_t bytes; /* looked at */
	unsigned flags; /* SCAN_* */
};

void scan_verdict_init(struct scan_verdict *verdict, const struct scan_about *about);
void scan_verdict_fini(struct scan_verdict *verdict);

int scan_verdict_add(struct scan_verdict *verdict, const struct finding *finding); /* 0, -ENOMEM */

/* Sorts by severity, then by first place. */
void scan_verdict_sort(struct scan_verdict *verdict);

enum scan_outcome scan_verdict_outcome(const struct scan_verdict *verdict);
const char *scan_outcome_str(enum scan_outcome outcome);

/* How bad it is that this key is in a dump: by class, and by what is known about the key. */
enum severity found_key_severity(const struct found_key *key);

/* Somebody's secret: not a test key, not a random generator's. */
bool found_key_counts(const struct found_key *key);
