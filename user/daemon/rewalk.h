/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to walk the file system once more after a walk that could not be sure of what it saw. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REWALK_FIRST_US 1000000ULL
#define REWALK_MAX_US	64000000ULL

/*
 * From the end of a walk to the next one, in microseconds: 0 if none is wanted. last: what this
 * said after the walk before, 0 at first. Twice as long each time, so that who keeps names moving
 * has the daemon walk about once a minute, and no more.
 */
uint64_t rewalk_after(uint64_t last, bool settled);
