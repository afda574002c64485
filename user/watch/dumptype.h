/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the first bytes of a file say that it is: a dump, and of which kind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/event.h"

#define DUMPTYPE_BYTES 512 /* so many are asked for; fewer are a shorter file */

/* Pure. The bytes are anybody's; nothing but fixed places is looked at. */
enum dump_kind dump_kind_of(const void *bytes, size_t len);

/* Whether a file of this kind is watched whoever wrote it. */
bool dump_kind_is_dump(enum dump_kind kind);
