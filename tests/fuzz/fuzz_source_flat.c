// SPDX-License-Identifier: GPL-2.0-or-later
/* Flattened dumps: pieces over each other, out of order, beyond any end; then what is in them. */
#include "fuzz/container.h"
#include "scan/source-flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct container_context context = {.maps_fd = -1};
	struct fuzz_input in = {data, size, 0};
	struct source *inner = fuzz_source(&in, false), *flat = NULL;
	bool full, truncated;
	uint8_t head[4096];

	if (source_flat_is((struct bytes){data, size}) &&
	    source_flat_open(inner, &full, &truncated, &flat) > 0) {
		long got = source_read(flat, head, sizeof(head), 0);
		uint64_t at = source_size(flat) / 2;

		if (got < 0 || source_read(flat, head, sizeof(head), at) < 0)
			abort();
		fuzz_walk(&container_kdump, flat, &context);
	}
	source_free(flat);
	source_free(inner);
	return 0;
}
