/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gathers, while a dump goes by, every stretch of memory that looks like the bytes of a key: 32 or
 * more that could be random. What is gathered is a few thousandths of a dump and is kept whole, so
 * that the questions that need two places of a dump (does this divide that? is the public half of
 * this there?) are asked of it at the end, however the dump was read.
 *
 * Stretches are carved out of runs (runs.h): what of them has as many different bytes, and as few
 * of those that code and tables are made of, as chance gives (chance.h). Short runs are looked at
 * behind each length of a key, too, as a container has it before a number.
 */
#pragma once

#include "base/cleanup.h"
#include "scan/bytes.h"
#include "scan/runs.h"

#define HARVEST_MARGIN 24 /* bytes kept before and after a stretch, whose ends are not sharp */
#define HARVEST_STRETCH_MAX \
	5120 /* bytes that are kept of one: an RSA key of 8192 bits, all of it */
#define HARVEST_BULK	    16384 /* what goes on for as long is packed or encrypted data ... */
#define HARVEST_BULK_KEPT   1152 /* ... of which this much is kept */
#define HARVEST_PREKEYS_MAX 4096

struct stretch {
	uint64_t offset, vaddr; /* of its first byte */
	uint32_t at; /* in the arena */
	uint16_t len; /* bytes, of 8 */
	bool has_vaddr;
	bool bytes; /* things stand at any address there (Java's HPROF) */
	bool file; /* mapped from a file: a program's code and data, of which there is much */
	bool bulk; /* the beginning of HARVEST_BULK or more: packed or encrypted data, most likely
		    */
	bool container; /* only kept for a number behind its length (docs/scan.md) */
};

/* 16 KiB of random bytes that could be what OpenSSH shields its keys with: their SHA-512. */
struct harvest_prekey {
	uint64_t offset;
	uint8_t key[64];
};

struct harvest {
	uint8_t *arena; /* secret: wiped */
	struct stretch *stretches;
	struct harvest_prekey *prekeys; /* secret: wiped */
	uint32_t *table; /* of stretches by content, so that each is kept once; index + 1 */
	uint64_t *words; /* all 8-byte words at multiples of 8, as a set with false positives ... */
	unsigned word_bits; /* ... of 2 to the power of so many bits */
	size_t used, size; /* of the arena, in bytes */
	size_t nr, max, slots; /* of the stretches; of the table */
	size_t nr_prekeys;
	bool full; /* something was left out */
};

int harvest_new(size_t arena_size, struct harvest **out_harvest); /* -ENOMEM */
void harvest_free(struct harvest *harvest); /* wipes; NULL is fine */
DEFINE_CLEANUP(struct harvest *, harvest_free)
#define _cleanup_harvest_ _cleanup_(harvest_freep)

/* Where the bytes of a call come from. */
struct harvest_place {
	uint64_t offset, vaddr; /* of memory.p[0] */
	bool has_vaddr, bytes, file;
};

/* Of a run, something to be kept; at: in the memory that it is out of. */
struct harvest_part {
	uint32_t at;
	uint16_t len; /* of 8; 0: a prekey */
	bool bulk, container;
};

#define HARVEST_PARTS 256 /* more are in no run */

/*
 * What of a run looks like chance: how many parts there are of it. Only looks, so from any thread;
 * where is not asked for more than `bytes`.
 */
size_t harvest_find(struct bytes memory, const struct run *run, const struct harvest_place *place,
		    struct harvest_part out[static HARVEST_PARTS]);

/*
 * Puts it in, unless the same bytes are there. By one thread at a time, and in an order that does
 * not depend on threads: which of several places is known, and what gives way, is by who came
 * first.
 */
void harvest_keep(struct harvest *harvest, struct bytes memory, const struct harvest_place *place,
		  const struct harvest_part *part);

/* True when an arena is nearly full: then ask the questions, and drop the older half. */
bool harvest_is_full(const struct harvest *harvest);
void harvest_drop_half(struct harvest *harvest);

/* The same of prekeys, for which only shielded keys (detect-shield.h) have to be asked. There is
 * room for one more after that, and none before; the verdict says that some gave way:
 * harvest->full. */
bool harvest_prekeys_full(const struct harvest *harvest);
size_t harvest_drop_prekeys(struct harvest *harvest); /* how many */

/*
 * Before questions are asked. Sorts the stretches by position in the dump: segments may stand there
 * in any order.
 */
void harvest_sort(struct harvest *harvest);

/*
 * Do these bytes stand in it, anywhere? To be told no costs next to nothing, but for one of some
 * hundred times: *out_read is how many bytes were gone through; may be NULL. len: 24 or more. Since
 * harvest_sort() nothing may have been taken.
 */
bool harvest_holds(const struct harvest *harvest, const uint8_t *p, size_t len, size_t *out_read);

/* The bytes of a stretch, without its margins. */
static inline const uint8_t *stretch_bytes(const struct harvest *harvest, const struct stretch *s)
{
	return harvest->arena + s->at;
}

/* Of 32 random bytes 30 are different (chance_different()), all but never fewer than this. */
#define HARVEST_DIFFERENT_MIN 24
