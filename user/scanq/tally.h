/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scan of a file comes to, as an event: the file may hold several dumps, and the scan may
 * have ended before its end. Fed in the process that reads the scanner's channel.
 */
#pragma once

#include "model/digests.h"
#include "model/event.h"
#include "scanq/scan_verdict.h"

struct scan_tally {
	struct scan_verdict verdict; /* of all dumps together; about: the first one's */
	unsigned dumps;
	uint64_t bytes;
	unsigned flags; /* SCAN_* */
	/* The file's, and of what was unpacked from it first what has keys in it. */
	bool has_digest;
	struct scan_digest digest, contents[DIGESTS_CONTENT_MAX];
	uint32_t nr_contents;
	char digest_text[DIGEST_HEX], content_text[DIGESTS_CONTENT_MAX * DIGEST_HEX];
};

void scan_tally_fini(struct scan_tally *tally);

/* For struct scanner_events; -ENOMEM. */
int scan_tally_about(struct scan_tally *tally, const struct scan_about *about);
int scan_tally_found(struct scan_tally *tally, const struct finding *finding);
int scan_tally_digest(struct scan_tally *tally, const struct scan_digest *digest);

/* flags: what became of the file since the scan began (scanner_stamp_compare()); with any of them
 * there are no digests. */
void scan_tally_touched(struct scan_tally *tally, unsigned flags);

/*
 * The scan is over. error: as scanner_read() or scanner_exec() ended, -ETIMEDOUT if its time was
 * up. Sets state, cause, bytes, keys, and what the dump says about its process; texts point into
 * *tally, or are static. Keys come out the worst first (verdict.keys); those that do not count
 * (test keys, random generators') are behind the others.
 */
#define SCAN_TALLY_FLAGS 512 /* bytes of text for all flags, and for what was not tried */
void scan_tally_end(struct scan_tally *tally, int error, char flags[SCAN_TALLY_FLAGS],
		    struct event_scan *out);

/* One of its keys. */
void scan_tally_key(const struct found_key *key, struct event_scan_key *out);

enum scan_cause scan_tally_cause(int error);
