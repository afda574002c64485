/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many short markers in one pass over memory: each is known by three bytes of it, looked for in 32
 * or 64 places at once by their halves. What is found is to be compared by the caller.
 */
#pragma once

#include "scan/bytes.h"

#define MARKER_GROUPS 8

struct marker3 {
	uint8_t bytes[3]; /* the first is not 0: runs of zeros are passed over */
	uint8_t group; /* below MARKER_GROUPS; markers of one group are mixed up, so put like to
			  like */
};

struct markers {
	uint8_t low[3][16],
		high[3][16]; /* by the halves of a byte: which groups it may belong to */
	uint8_t exact[3][256];
	/* Of the first two bytes, and shifted by 8 of the last two. */
	uint16_t pair[2][256];
};

void markers_init(struct markers *markers, const struct marker3 *list, size_t nr);

/*
 * Calls hit for places in [from, to) of memory where a marker of one of these groups may stand, a
 * bit each: for all where one does, and for few others.
 */
void markers_find(const struct markers *markers, struct bytes memory, size_t from, size_t to,
		  void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata);
/* The same by plain C only. */
void markers_find_plain(const struct markers *markers, struct bytes memory, size_t from, size_t to,
			void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata);
