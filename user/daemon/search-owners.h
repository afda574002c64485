/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose files the search for keys has named, so that no uid takes the time or the room of the
 * others (of subordinate uids, that of who has them: quota_account()): how many of each were asked
 * about in this search, and for how many there is no room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_OWNERS_MAX 4096 /* uids; the others together are one */
#define SEARCH_ASKS_MAX	  2000 /* files of one owner in one search that are read in a child */

struct search_owners;

int search_owners_new(struct search_owners **out_owners);
void search_owners_free(struct search_owners *owners);

/*
 * Another search begins: it may ask as much again. A whole one asks once more about what was left
 * out, and counts it anew.
 */
void search_owners_begin(struct search_owners *owners, bool whole);

/* One more file of his is to be read. False: not in this search. */
bool search_owners_ask(struct search_owners *owners, uint32_t uid);

/* There was no room for a key of his. True: that is news. */
bool search_owners_left_out(struct search_owners *owners, uint32_t uid);

/* A search has ended that read everything. True: nobody is left out any more, which is news. */
bool search_owners_over(struct search_owners *owners);
