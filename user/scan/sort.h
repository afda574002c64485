/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorting in place. qsort() of glibc 2.36 asks the kernel how much memory there is, which the
 * scanner's walls do not allow, and sorts in memory that it does not wipe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Sorts `nr` items of `size` bytes (up to 512) by the number that `key` gives; not stable. */
void sort_by(void *items, size_t nr, size_t size, uint64_t (*key)(const void *item));
