/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of uids, as the daemon told them. Bounded: the one told longest ago gives way. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

#define USERS_MAX     8192
#define USER_NAME_MAX 64 /* with NUL; escaped, cut */

struct users;

struct users *users_new(void);
void users_free(struct users *users);
void users_set(struct users *users, uint32_t uid, struct span name);
/* NULL if not known. Valid until the next users_set(). */
const char *users_name(const struct users *users, uint32_t uid);
size_t users_count(const struct users *users);
size_t users_bytes(const struct users *users);
