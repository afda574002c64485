/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump is, as far as its container says: before the findings, what was opened; with the last
 * finding, by flags, what could not be seen and why.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds and flags have their numbers for ever: they are stored. */
enum scan_container {
	CONTAINER_RAW = 0, /* bytes: memory without a header, a disk, a file of any other kind */
	CONTAINER_ELF, /* a core of a process */
	CONTAINER_VMCORE, /* an ELF core of a kernel */
	CONTAINER_KDUMP, /* makedumpfile, QEMU: compressed pages */
	CONTAINER_KDUMP_FLAT, /* the same, made for a pipe */
	CONTAINER_MINIDUMP,
	CONTAINER_PAGEDUMP, /* Windows: memory of a kernel */
	CONTAINER_LIME,
	CONTAINER_AVML,
	CONTAINER_HPROF, /* Java heap dump */
	CONTAINER_HEAPSNAPSHOT, /* V8: JSON */
	CONTAINER_CRIU, /* pages of a checkpoint */
	CONTAINER_PROCESS, /* a living one */
	CONTAINER_ARCHIVE, /* what holds others, where it could not be opened */
	CONTAINER_NR
};

/* FINDING_* of finding.h are the first ones of these. */
enum {
	SCAN_TRUNCATED = 1 << 0, /* ends before what its headers announce */
	SCAN_INCOMPLETE = 1 << 1, /* a table was full: there may be more than was said */
	SCAN_CORE = 1 << 2, /* what was looked at is memory, with addresses */
	SCAN_FILTERED = 1 << 3, /* who wrote it left memory out */
	SCAN_ERASED = 1 << 4, /* data was overwritten on purpose when it was written (eraseinfo) */
	SCAN_CHANGED = 1 << 5, /* became shorter while it was read */
	SCAN_UNREADABLE = 1 << 6, /* parts of it could not be read */
	SCAN_DAMAGED = 1 << 7, /* headers or packed data are wrong: looked at up to there */
	SCAN_EXPANDS = 1 << 8, /* unpacking was stopped: out of all proportion to its size */
	SCAN_TOO_DEEP = 1 << 9, /* archives in archives: the innermost were taken as bytes */
	SCAN_LOCKED = 1 << 10, /* encrypted: taken as bytes, or left out */
	SCAN_UNSUPPORTED = 1 << 11, /* a variant of its format that is not read: taken as bytes */
	SCAN_ONE_PASS = 1 << 12, /* a stream: what needed a second look was not looked for */
	SCAN_TIME_UP = 1 << 13, /* the time for it was over */
	SCAN_BUDGET = 1 << 14, /* not all places were tried as keys; incomplete as well: not all
				  likely ones */
	SCAN_TOUCHED = 1 << 15, /* was changed, renamed, ... while it was read: no digests. Said by
				   who started the scan */
	SCAN_FLAGS_ALL = (1 << 16) - 1,
	/* With one of these a verdict of "clean" would not be true of all of it. */
	SCAN_FLAGS_PARTIAL =
		SCAN_FLAGS_ALL & ~(SCAN_CORE | SCAN_ONE_PASS | SCAN_BUDGET | SCAN_TOUCHED),
};

#define SCAN_SIZE_UNKNOWN UINT64_MAX

struct scan_about {
	enum scan_container container;
	uint64_t size; /* bytes, as far as known */
	uint32_t pid; /* 0: not said */
	uint32_t threads;
	uint8_t signal;
	uint8_t depth; /* archives around it */
	uint8_t bits; /* 32, 64; 0: not said */
	bool big_endian;
	char command[64]; /* comm, escaped; "" = not said, as for all that follow */
	char exe[256]; /* path, escaped, cut */
	char build_id[41]; /* of the executable, hexadecimal, cut */
	char member[256]; /* name in the archive, escaped, cut */
};

/* SHA-256 of all bytes of the file (depth 0), or of something that was unpacked from it. */
struct scan_digest {
	uint8_t sha256[32];
	uint8_t depth; /* how many layers were opened to get there */
	bool keys; /* somebody's keys were found in it */
};

#define SCAN_ABOUT_SIZE (8 + 8 + 4 + 4 + 64 + 256 + 41 + 256 + 3)

const char *scan_container_str(enum scan_container container); /* "elf-core" */
/* Of a single flag: a word for machines, a sentence for people. */
const char *scan_flag_str(unsigned flag); /* "truncated" */
const char *scan_flag_sentence(unsigned flag); /* "the dump is cut off" */

void scan_about_encode(const struct scan_about *about, uint8_t out[SCAN_ABOUT_SIZE]);
int scan_about_decode(const uint8_t p[SCAN_ABOUT_SIZE], struct scan_about *out); /* 0, -EBADMSG */
