/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container of any bytes, as a file and as a stream: opened, walked, unpacked, within bounds. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "scan/container.h"

#define FUZZ_BYTES (4U << 20) /* that are unpacked of one input */

struct fuzz_input {
	const uint8_t *p;
	size_t len, at;
};

static inline long fuzz_read(void *self, void *out, size_t len, uint64_t offset)
{
	const struct fuzz_input *in = self;

	if (offset >= in->len)
		return 0;
	len = in->len - offset < len ? in->len - (size_t)offset : len;
	memcpy(out, in->p + offset, len);
	return (long)len;
}

/* Some at a time, as a pipe gives them. */
static inline long fuzz_read_on(void *self, void *out, size_t len)
{
	struct fuzz_input *in = self;
	long n = fuzz_read(self, out, len < 777 ? len : 777, in->at);

	in->at += (size_t)n;
	return n;
}

static inline struct source *fuzz_source(struct fuzz_input *in, bool stream)
{
	struct source *source = NULL;

	if ((stream ? source_new_stream(&(struct source_stream){.read = fuzz_read_on, .self = in},
					SOURCE_SIZE_UNKNOWN, &source)
		    : source_new_mapping(&(struct source_mapping){.read = fuzz_read, .self = in},
					 in->len, &source)) < 0)
		abort();
	return source;
}

static inline void fuzz_walk(const struct container_type *type, struct source *source,
			     const struct container_context *context)
{
	struct scan_about about = {.container = type->container}, back;
	uint8_t encoded[SCAN_ABOUT_SIZE];
	static uint8_t out[1 << 16];
	uint64_t flags = 0, sum = 0;
	struct segment segment;
	void *state = NULL;
	unsigned nr = 0;
	int r = type->open(source, context, &about, &flags, &state);

	/* What is said about it gets through the channel. */
	scan_about_encode(&about, encoded);
	if (scan_about_decode(encoded, &back) < 0)
		abort();
	while (r > 0 && nr++ < 4 * SEGMENTS_MAX && sum < FUZZ_BYTES &&
	       (r = type->next(state, &segment)) > 0) {
		long n = 0;

		while (type->read && sum < FUZZ_BYTES &&
		       (n = type->read(state, out, sizeof(out))) > 0) {
			if ((size_t)n > sizeof(out))
				abort();
			sum += (uint64_t)n;
		}
		if (n < 0)
			break;
	}
	if (flags & ~(uint64_t)SCAN_FLAGS_ALL)
		abort();
	if (state)
		type->close(state);
}

static inline int fuzz_container(const struct container_type *type, const uint8_t *data,
				 size_t size)
{
	const struct container_context context = {.maps_fd = -1};
	struct bytes head = {data, size < CONTAINER_HEAD ? size : CONTAINER_HEAD};

	if (!type->is(head))
		return -1; /* not worth to be kept */
	for (int stream = 0; stream < 2; stream++) {
		struct fuzz_input in = {data, size, 0};
		struct source *source = fuzz_source(&in, stream);

		fuzz_walk(type, source, &context);
		source_free(source);
	}
	return 0;
}
