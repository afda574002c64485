// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dumps whose bytes are looked at as they stand, and of which only the kind is told: Java's heap
 * dumps, whose arrays stand at any byte; V8's, which are JSON; CRIU's images, of which pages-*.img
 * are bare pages.
 */
#include <string.h>

#include "scan/container.h"

struct whole {
	uint64_t size;
	bool told;
};

static int open_whole(struct source *source, const struct container_context *context,
		      struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct whole *whole = calloc(1, sizeof(*whole));

	if (!whole)
		return -ENOMEM;
	whole->size = source_size(source);
	*out_state = whole;
	return 1;
}

static int next_whole(void *state, struct segment *out_segment)
{
	struct whole *whole = state;

	if (whole->told)
		return 0;
	whole->told = true;
	*out_segment = (struct segment){.len = whole->size};
	return 1;
}

static bool is_hprof(struct bytes head)
{
	return head.len >= 19 && memcmp(head.p, "JAVA PROFILE 1.0.", 17) == 0;
}

/* {"snapshot":{"meta":{"node_fields": ... */
static bool is_heapsnapshot(struct bytes head)
{
	return head.len >= 64 && head.p[0] == '{' &&
	       memmem(head.p, head.len < 64 ? head.len : 64, "\"snapshot\"", 10) &&
	       memmem(head.p, head.len, "\"node_fields\"", 13);
}

/* Images begin with the number for all of them (version 1.1) or for services, then their own. */
static bool is_criu(struct bytes head)
{
	return head.len >= 8 && (GET32(head, 0) == 0x54564319 || GET32(head, 0) == 0x55105940);
}

static bool is_any(struct bytes head)
{
	return true;
}

const struct container_type container_hprof = {
	.container = CONTAINER_HPROF,
	.align = 1,
	.is = is_hprof,
	.open = open_whole,
	.next = next_whole,
	.close = free,
};

const struct container_type container_heapsnapshot = {
	.container = CONTAINER_HEAPSNAPSHOT,
	.align = 1,
	.is = is_heapsnapshot,
	.open = open_whole,
	.next = next_whole,
	.close = free,
};

const struct container_type container_criu = {
	.container = CONTAINER_CRIU,
	.align = 8,
	.is = is_criu,
	.open = open_whole,
	.next = next_whole,
	.close = free,
};

const struct container_type container_raw = {
	.container = CONTAINER_RAW,
	.align = 8,
	.is = is_any,
	.open = open_whole,
	.next = next_whole,
	.close = free,
};
