/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes for tables. Keys that a process may choose (paths, arguments) go through SipHash-1-3 with
 * a secret of this run, so that nobody outside can make a table's chains long.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Equal input gives equal output during one run of the program, and another one in the next. */
uint64_t hash_bytes(const void *p, size_t len);

/* Spreads a number that nobody outside chooses freely (ids, inode numbers) over 64 bits. */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}
