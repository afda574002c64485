/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do 32 bytes look like chance, as keys do, or like a program's code and tables? By how many
 * different bytes there are and by which they are, weighed together: of random blocks three in
 * 100,000 are refused, of code and tables (exception tables, debug information, Unicode) that are
 * rich in different bytes two thirds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANCE_BLOCK 32

bool chance_like(const uint8_t p[CHANCE_BLOCK]);
/* The same by plain C only. */
bool chance_like_plain(const uint8_t p[CHANCE_BLOCK]);

/* How many different bytes there are; len: up to 256. */
unsigned chance_different(const uint8_t *p, size_t len);
