/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What scans of dumps found, on its way from events into objects and alerts; and the crashes of
 * late, by which is known whose memory stands in a dump that somebody else wrote.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/digests.h"
#include "model/event.h"

#define SCAN_WORD_MAX	24
#define SCAN_LABEL_MAX	96
#define VERDICT_CRASHES 64

struct scan_key { /* texts are escaped (base/escape.h), cut */
	uint32_t severity; /* 1 ... 5, enum severity */
	uint32_t bits;
	uint64_t places, offset;
	bool expired;
	char class[SCAN_WORD_MAX], what[SCAN_WORD_MAX];
	char label[SCAN_LABEL_MAX], zone[SCAN_LABEL_MAX];
	struct key_identity key;
};

struct dump_scan {
	uint64_t number;
	enum scan_state state;
	enum scan_cause cause;
	/* Its process is known, and had not read a key. Else it may have: dumped by a debugger, in
	 * a container (whose numbers a dump has), by a thread of another name, or too long ago. */
	bool of_stranger;
	bool may_be_stranger; /* that could turn out to be so, while the scan goes on */
	struct digests digests;
	uint64_t keys; /* in all; the worst are named */
	uint32_t nr;
	struct scan_key items[EVENT_KEYS_MAX]; /* of a copy there are only nr */
};

/* Its verdict is still to come. NULL: none will, as far as is known. */
static inline bool dump_scan_goes_on(const struct dump_scan *scan)
{
	return scan && (scan->state == SCANSTATE_SCANNING ||
			(scan->state == SCANSTATE_UNSCANNED && scan->cause == SCANCAUSE_WAITING));
}

struct crash {
	uint64_t object; /* the dump's mark, 0 = not known: a program or a socket was handed it */
	uint32_t pid;
	bool holder; /* it had read a key */
	char comm[16];
	char exe[512]; /* raw bytes, cut */
	char cgroup[256]; /* the same */
	size_t exe_len, cgroup_len;
};

struct verdicts;

/* Text that who tells it has escaped; a trace can be anybody's, and is escaped once more if not. */
void verdicts_text(struct span text, char *out, size_t size);

struct verdicts *verdicts_new(void); /* NULL: out of memory */
void verdicts_free(struct verdicts *verdicts);

/* zone: the key's, by the policy's number, 0 = none. EVENT_KEYS_MAX are kept, the worst; but one of
 * a zone that none of them has takes the place of one that costs no zone. */
void verdicts_key(struct verdicts *verdicts, const struct event_scan_key *key, uint32_t zone);

/* Takes the keys that were told for this scan. Valid until the next call. */
const struct dump_scan *verdicts_take(struct verdicts *verdicts, const struct event_scan *scan);

struct dump_scan *dump_scan_copy(const struct dump_scan *scan); /* NULL: out of memory */

/* Whether `scan` found just those keys that `before` did, of the same dump; NULL: nothing was
 * known. */
bool dump_scan_found_same(const struct dump_scan *scan, const struct dump_scan *before);

void verdicts_crash(struct verdicts *verdicts, const struct event_dump *dump);

/* Who crashed into this dump: as the kernel side saw it written, else as the dump says, where a
 * process of that number and name did crash. NULL: not known. */
const struct crash *verdicts_holder(const struct verdicts *verdicts, const struct event_scan *scan);
