/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of mappings that are somebody else's, given back before he does it. */
#pragma once

#include <stddef.h>

/*
 * Takes away the pages that lie in `size` bytes from `at` as a whole, and keeps their place: who
 * made the mapping unmaps all of it one day, and with it whatever had moved into a hole.
 */
void pages_vacate(const void *at, size_t size);

/* Of a file that is mapped and was only read: they are read again when somebody looks. */
void pages_release(const void *at, size_t size);
