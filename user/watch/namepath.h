/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole path of a name that may have been written from anywhere, by its text alone. */
#pragma once

#include <stddef.h>

#include "model/event.h"

/*
 * `name` seen from `dir`, without empty components, `.` and `..` (links are not followed, nothing
 * is looked up), NUL terminated. Returns its length, -ENAMETOOLONG if it does not fit into `size`
 * bytes.
 */
int name_path(struct span dir, struct span name, char *out, size_t size);
