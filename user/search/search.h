/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks through trees of directories for files that begin as private keys do, at a bounded rate.
 *
 * What was looked at is remembered, so that the next search opens what has changed only. Two kinds
 * of searches: a whole one reads every directory; the other one reads those in which a name came or
 * went since (by their times), and asks the others for nothing but that. A file that is rewritten
 * in place is therefore found by a whole search.
 *
 * No symbolic link is followed and no mount point crossed: what is mounted below a tree is a tree
 * of its own, or left alone. While it rests it has nothing open, so no file system is kept from
 * being unmounted for longer than a directory takes. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of each tree, and its memory for them. */
#define SEARCH_TREE_DIRS_MAX  100000
#define SEARCH_TREE_BYTES_MAX (32UL << 20)
#define SEARCH_DEPTH_MAX      64
#define SEARCH_BYTES_MAX      (160UL << 20) /* of all trees: beyond half of it, equal shares */
#define SEARCH_SETTLE_S	      10 /* what changed so lately may be changing still */

struct search;

struct search_limits {
	uint32_t names_per_s, files_per_s; /* looked at; opened */
	uint32_t max_size; /* bytes; larger files are not opened */
	uint32_t max_names; /* of one tree in one search */
};

struct search_counts { /* of one search */
	uint64_t names, dirs; /* looked at; directories read */
	uint64_t opened, asked; /* files */
	uint64_t unreadable; /* directories and files that could not be opened */
	uint64_t mounts; /* mount points that were not crossed */
	uint32_t bounded; /* a limit was reached: there is more */
};

struct search_file {
	const char *path; /* absolute, raw bytes */
	uint64_t dev, ino; /* as stat() has them */
};

struct search_ops {
	uint64_t (*now)(void *userdata); /* ns, any clock that does not go back */
	int64_t (*wall)(void *userdata); /* s, the clock of files' times */
	void (*rest)(void *userdata, uint64_t ns);
	/*
	 * The file begins as a key does. 0: it was looked into; 1: it could not be, ask again in
	 * the next search; 2: it was left out, ask again when it has changed, and
	 * in the next whole search; negative: the search ends.
	 */
	int (*ask)(void *userdata, const struct search_file *file);
	void (*progress)(void *userdata, const struct search_counts *so_far); /* often */
};

int search_new(const struct search_ops *ops, void *userdata, struct search **out_search);
void search_free(struct search *search);

/* whole: as above. forget: nothing counts as looked at. */
void search_begin(struct search *search, const struct search_limits *limits, bool whole,
		  bool forget);

/*
 * mount: number of the mount that `path` (absolute, without links) must lie on, -1 = any. A tree
 * that was not in the last search is read whole. What cannot be opened is counted. 1: a limit was
 * reached, or memory is short: there is more in this tree. 0: it was all; or what ask() returned.
 */
int search_tree(struct search *search, const char *path, int mount);

/* Trees that were not named since search_begin() are forgotten. */
void search_end(struct search *search, struct search_counts *out_counts);
