/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump is wrapped in: which of its bytes are memory, and of which addresses. A container is
 * known by its first bytes, and is one file with one `const struct container_type`. All that its
 * headers say is taken for hostile: clipped to the source, bounded in number, and where it cannot
 * be believed the file is raw bytes.
 */
#pragma once

#include "scan/about.h"
#include "scan/bytes.h"
#include "scan/detector.h"
#include "scan/source.h"

#define SEGMENTS_MAX   65536
#define CONTAINER_HEAD 4096 /* bytes that is() is shown, fewer of a shorter file */

struct segment {
	uint64_t offset, len; /* in the source; packed pages: the physical address */
	uint64_t vaddr;
	bool has_vaddr;
	enum segment_kind kind;
};

/* What a container may want to know beside the source. */
struct container_context {
	int maps_fd; /* of a living process, or -1 */
	uint32_t pid;
};

struct container_type {
	enum scan_container container;
	unsigned align; /* as in struct window: 8 or 1 */
	bool (*is)(struct bytes head);
	/*
	 * 1: open, with *about filled as far as the headers say, which outlives the container; its
	 * flags (*flags, SCAN_*) grow until the end. 0: it is none after all, or of a kind that is
	 * not read (with a flag set: SCAN_UNSUPPORTED). -ENOMEM, or the errno of reading.
	 */
	int (*open)(struct source *source, const struct container_context *context,
		    struct scan_about *about, uint64_t *flags, void **out_state);
	/*
	 * The next segment, in the order in which they stand in the source. 1; 0: no more; or a
	 * negative errno. A segment may reach beyond the end of the source: the driver says so.
	 */
	int (*next)(void *state, struct segment *out_segment);
	/*
	 * Where the bytes of a segment are packed (its offset is the address then): unpacks the
	 * next of them, up to len; 0: at the end of the segment. NULL: they stand in the source as
	 * they are.
	 */
	long (*read)(void *state, void *out, size_t len);
	void (*close)(void *state);
};

extern const struct container_type container_elf; /* 32 and 64 bits, both byte orders */
extern const struct container_type container_kdump;
extern const struct container_type container_minidump;
extern const struct container_type container_pagedump;
extern const struct container_type container_lime;
extern const struct container_type container_avml;
extern const struct container_type container_hprof;
extern const struct container_type container_heapsnapshot;
extern const struct container_type container_criu;
extern const struct container_type container_process; /* a living one; not by its bytes */
extern const struct container_type container_raw;

/* That of the first bytes; container_raw if no other. */
const struct container_type *container_of(struct bytes head);

/* Little or big endian numbers at a place in bytes; 0 beyond their end. */
static inline uint64_t container_get(struct bytes b, size_t at, unsigned len, bool big)
{
	uint64_t value = 0;

	if (at > b.len || len > b.len - at)
		return 0;
	for (unsigned i = 0; i < len; i++)
		value |= (uint64_t)b.p[at + i] << 8 * (big ? len - 1 - i : i);
	return value;
}

#define GET16(b, at) ((uint16_t)container_get((b), (at), 2, false))
#define GET32(b, at) ((uint32_t)container_get((b), (at), 4, false))
#define GET64(b, at) container_get((b), (at), 8, false)
