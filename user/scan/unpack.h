/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is compressed or archived, by libarchive: gzip, bzip2, xz, lzma, zstd, lz4 around one file,
 * tar, cpio and zip around many. Nothing is written anywhere: members are streams.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/source.h"

/*
 * Members in members, members without end, and little that becomes much are bounded over all of one
 * scan: bytes that were unpacked may be UNPACK_RATIO times those of the input, and UNPACK_FREE
 * more.
 */
#define UNPACK_DEPTH   4
#define UNPACK_FREE    (16ULL << 30)
#define UNPACK_RATIO   1000
#define UNPACK_MEMBERS 100000

struct unpack_budget {
	uint64_t input; /* bytes of the outermost file; 0: a stream, which has none */
	uint64_t free; /* UNPACK_FREE */
	uint64_t bytes, members; /* so far */
	bool exceeded;
};

struct unpack;

/* Does it begin like something packed? head: up to 512 bytes. */
bool unpack_is(struct bytes head);

/*
 * source: borrowed until unpack_free(). 1: open. 0: it only looked like something packed. -ENOMEM,
 * or the errno of reading.
 */
int unpack_open(struct source *source, struct unpack_budget *budget, struct unpack **out_unpack);
void unpack_free(struct unpack *unpack);
DEFINE_CLEANUP(struct unpack *, unpack_free)
#define _cleanup_unpack_ _cleanup_(unpack_freep)

/*
 * The next member, a source that lasts until the next call and is freed by the caller before it.
 * *out_name: its name as it stands there, "" of what has none; lasts as long. 1; 0: no more, or not
 * any further (unpack_flags()); -ENOMEM, or the errno of reading.
 */
int unpack_next(struct unpack *unpack, struct source **out_member, const char **out_name);

/* SCAN_* for what went wrong so far. */
uint64_t unpack_flags(const struct unpack *unpack);
