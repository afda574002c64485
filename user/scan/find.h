/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding short markers in much memory. memmem() of glibc 2.36 takes 4 ns for a byte of program
 * code with needles as short as ours; two neighbouring bytes that are rare together are found at
 * memory speed.
 */
#pragma once

#include "scan/bytes.h"

struct marker {
	const char *p;
	size_t len; /* 2 or more */
	size_t anchor; /* of the two bytes that are looked for first */
};

#define MARKER(text, anchor_) ((struct marker){(text), sizeof(text) - 1, (anchor_)})

/* The first place at or after `from` where all of the marker stands; memory.len if there is none.
 */
size_t find_marker(struct bytes memory, size_t from, struct marker marker);
