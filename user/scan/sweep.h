/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every byte of a dump goes through, whatever it holds: by the widest vectors that the machine
 * has, which is asked for at run time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are all bytes zero? p may be unaligned. */
bool sweep_is_zero(const uint8_t *p, size_t len);

/* The first multiple of 8 below len at which this word stands; len if it does not. len is a
 * multiple of 8, p may be unaligned. */
size_t sweep_find64(const uint8_t *p, size_t len, uint64_t word);
