// SPDX-License-Identifier: GPL-2.0-or-later
/* Which container it is; and raw bytes, which is none. */
#include "scan/container.h"

#include <string.h>

static const struct container_type *const types[] = {
	&container_elf,
};

const struct container_type *container_of(struct bytes head)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i]->is(head))
			return types[i];
	return &container_raw;
}

struct raw {
	uint64_t size;
	bool told;
};

static bool is_raw(struct bytes head)
{
	return true;
}

static int open_raw(struct source *source, const struct container_context *context,
		    struct scan_about *about, uint64_t *flags, void **out_state)
{
	struct raw *raw = calloc(1, sizeof(*raw));

	if (!raw)
		return -ENOMEM;
	raw->size = source_size(source);
	*out_state = raw;
	return 1;
}

static int next_raw(void *state, struct segment *out_segment)
{
	struct raw *raw = state;

	if (raw->told)
		return 0;
	raw->told = true;
	*out_segment = (struct segment){.len = raw->size};
	return 1;
}

const struct container_type container_raw = {
	.container = CONTAINER_RAW,
	.align = 8,
	.is = is_raw,
	.open = open_raw,
	.next = next_raw,
	.close = free,
};
