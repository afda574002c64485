// SPDX-License-Identifier: GPL-2.0-or-later
/* SipHash-1-3 (Aumasson, Bernstein) with a key drawn once per run. */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t secret[2];
static pthread_once_t drawn = PTHREAD_ONCE_INIT;

static void draw(void)
{
	struct timespec now;

	if (getrandom(secret, sizeof(secret), 0) == (ssize_t)sizeof(secret))
		return;
	/* Cannot happen after boot on a kernel that runs BPF; then at least not a constant. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	secret[0] = hash_u64((uint64_t)now.tv_nsec);
	secret[1] = hash_u64((uint64_t)(uintptr_t)&now);
}

static inline uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

#define SIP_ROUND                       \
	do {                            \
		v0 += v1;               \
		v1 = rotl(v1, 13) ^ v0; \
		v0 = rotl(v0, 32);      \
		v2 += v3;               \
		v3 = rotl(v3, 16) ^ v2; \
		v0 += v3;               \
		v3 = rotl(v3, 21) ^ v0; \
		v2 += v1;               \
		v1 = rotl(v1, 17) ^ v2; \
		v2 = rotl(v2, 32);      \
	} while (0)

uint64_t hash_bytes(const void *p, size_t len)
{
	const unsigned char *in = p;
	uint64_t v0, v1, v2, v3, m = 0;
	size_t left = len;

	pthread_once(&drawn, draw);
	v0 = secret[0] ^ 0x736f6d6570736575ULL;
	v1 = secret[1] ^ 0x646f72616e646f6dULL;
	v2 = secret[0] ^ 0x6c7967656e657261ULL;
	v3 = secret[1] ^ 0x7465646279746573ULL;
	for (; left >= 8; left -= 8, in += 8) {
		memcpy(&m, in, 8);
		v3 ^= m;
		SIP_ROUND;
		v0 ^= m;
	}
	m = 0;
	if (left)
		memcpy(&m, in, left);
	m |= (uint64_t)len << 56;
	v3 ^= m;
	SIP_ROUND;
	v0 ^= m;
	v2 ^= 0xff;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}
