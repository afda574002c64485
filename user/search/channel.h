/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon and the child that searches say to each other, over a socket of type SEQPACKET:
 * one struct a message, whole or not at all.
 *
 *	daemon                          child
 *	BEGIN (limits, flags)
 *	TREE (path, number)             FILE -> ANSWER, COUNTS now and then; NEXT when it is done
 *	... TREE -> NEXT ...
 *	END                             DONE (counts)
 */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "search/search.h"

#define SEARCH_PROGRAM KT_LIBEXECDIR "/keytrail-search"

enum search_word {
	/* of the daemon */
	SEARCH_BEGIN = 1,
	SEARCH_TREE,
	SEARCH_END,
	SEARCH_ANSWER,
	/* of the child */
	SEARCH_NEXT,
	SEARCH_FILE,
	SEARCH_COUNTS,
	SEARCH_DONE,
};

struct search_message {
	uint32_t word; /* enum search_word */
	/* TREE: mount; ANSWER: as search_ops.ask(); BEGIN: SEARCH_WHOLE, ...; NEXT: as
	 * search_tree() */
	int32_t value;
	struct search_limits limits; /* BEGIN */
	struct search_counts counts; /* COUNTS, NEXT, DONE */
	uint64_t dev, ino; /* FILE */
	char path[PATH_MAX]; /* TREE, FILE; NUL terminated by who reads it */
};

#define SEARCH_WHOLE  1
#define SEARCH_FORGET 2
