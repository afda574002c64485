/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the walled-in dump scanner says to whoever started it: messages of a few types, each of a
 * fixed size, in a fixed order:
 *
 *	(ABOUT, FINDING..., FINDING of FINDING_END)..., DONE      and PROGRESS anywhere before DONE,
 *	DIGEST where no dump is open
 *
 * Once for each dump: a file can hold several. The reader takes the scanner for an enemy: what is
 * not well-formed, out of order, or too much is -EBADMSG.
 */
#pragma once

#include "scan/about.h"
#include "scan/finding.h"

enum channel_type {
	CHANNEL_ABOUT = 1,
	CHANNEL_FINDING,
	CHANNEL_PROGRESS,
	CHANNEL_DONE,
	CHANNEL_DIGEST,
	CHANNEL_TYPE_NR
};

#define CHANNEL_MAX	     (4 + SCAN_ABOUT_SIZE) /* the longest message; less than PIPE_BUF */
#define CHANNEL_FINDINGS_MAX (1U << 20) /* more in one scan are not believed */
#define CHANNEL_DIGESTS_MAX  (1U << 17) /* nor are these */

struct channel_message {
	enum channel_type type;
	union {
		struct scan_about about;
		struct finding finding;
		struct {
			uint64_t done, total; /* bytes of the input; SCAN_SIZE_UNKNOWN */
		} progress;
		struct scan_digest digest;
		int error; /* 0 or a negative errno: all dumps are through, or why not */
	};
};

size_t channel_encode(const struct channel_message *message, uint8_t out[CHANNEL_MAX]);

/* The reading end. Zeroed to begin with. */
struct channel_reader {
	uint8_t buffer[4096];
	size_t len;
	bool in_dump, done;
	unsigned findings, digests;
};

/* Where the next bytes go, and how many there is room for; more than 0 after channel_next() said 0.
 */
uint8_t *channel_room(struct channel_reader *reader, size_t *out_size);
void channel_got(struct channel_reader *reader, size_t len);

/* 1: a message. 0: more bytes are needed. -EBADMSG, then for ever. */
int channel_next(struct channel_reader *reader, struct channel_message *out_message);
