/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose files the search for keys has named, so that no user takes the time or the room of the
 * others: how many of each were asked about in this search, and for how many there is no room.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_OWNERS_MAX 4096 /* uids; the others together are one */
#define SEARCH_ASKS_MAX	  2000 /* files of one owner in one search that are read in a child */

struct search_owners;

int search_owners_new(struct search_owners **out_owners);
void search_owners_free(struct search_owners *owners);

/* Another search begins: it may ask as much again. */
void search_owners_begin(struct search_owners *owners);

/* One more file of his is to be read. False: not in this search. */
bool search_owners_ask(struct search_owners *owners, uint32_t uid);

/* There was no room for a key of his. True: that is news. */
bool search_owners_left_out(struct search_owners *owners, uint32_t uid);

/*
 * Whether there is room again for any whose keys were left out, by has_room(): it is to be looked
 * for them once more, and they do not count as left out any longer.
 */
bool search_owners_retry(struct search_owners *owners,
			 bool (*has_room)(void *userdata, uint32_t uid), void *userdata);

/* A search has ended that read everything. True: nobody is left out any more, which is news. */
bool search_owners_over(struct search_owners *owners);
