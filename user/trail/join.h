/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One trail out of two stores: what this host has seen, and what logs claim of others. Joined by
 * names of keys, which are the same everywhere, and by digests of what was scanned.
 */
#pragma once

#include "trail/store.h"

/*
 * As trail_store_view() of both stores together; either may be NULL. What is not known to one is
 * looked for by the keys that the other names.
 */
int trail_join_view(struct trail_store *a, struct trail_store *b, const char *what,
		    uint64_t max_edges, struct trail_view *out_view);

/*
 * An edge (TRAIL_SAME, inferred: `same-content`) for each file or dump that has a digest in common
 * with one that was known earlier, for each key of either. That the bytes are the same is certain
 * if both digests are true; how they came there nobody saw. -ENOMEM.
 */
int trail_join_contents(struct trail_view *view);
