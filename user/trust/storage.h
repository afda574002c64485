/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of containers/storage, which is about all containers of podman's or CRI-O's: which images
 * they were made from. Kept, since a host may have thousands and each is asked about by itself; it
 * is another file when it lies elsewhere, or has another size or time of change (it is replaced,
 * and not rewritten). Takes memory in proportion to the file.
 */
#pragma once

#include <sys/stat.h>

#include "proc/image.h"

struct storage_item;

struct storage { /* all zero: nothing is kept */
	bool known;
	bool wrong; /* it was no such file, and says nothing */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
	struct storage_item *items;
	size_t nr, room;
};

/* Is this what is kept? */
bool storage_is(const struct storage *storage, const struct stat *st);
/* Keeps what the text says instead of what was kept; of one that is no such file that it says
 * nothing. False: out of memory, and nothing is kept. */
bool storage_keep(struct storage *storage, const struct stat *st, const char *text, size_t len);
bool storage_find(const struct storage *storage, const char container[static CONTAINER_ID_SIZE],
		  struct container_image *out_image);
void storage_fini(struct storage *storage); /* leaves it empty and usable */
