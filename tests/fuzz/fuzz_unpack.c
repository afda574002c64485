// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives and compressed files of any bytes: members end, and their sum is bounded. */
#include "fuzz/container.h"
#include "scan/unpack.h"

#define FREE (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct source *source, struct unpack_budget *budget, unsigned depth)
{
	static uint8_t out[1 << 16];
	struct unpack *unpack = NULL;
	struct source *member = NULL;
	const char *name;

	if (depth == UNPACK_DEPTH || unpack_open(source, budget, &unpack) <= 0)
		return;
	while (unpack_next(unpack, &member, &name) > 0) {
		uint8_t head[512];
		long n = source_read(member, head, sizeof(head), 0);
		uint64_t at = 0;

		if (strlen(name) > 1 << 20)
			abort();
		if (n > 0 && unpack_is((struct bytes){head, (size_t)n}))
			walk(member, budget, depth + 1);
		else
			while ((n = source_read(member, out, sizeof(out), at)) > 0)
				at += (uint64_t)n;
		source_free(member);
		member = NULL;
	}
	if (unpack_flags(unpack) & ~(uint64_t)SCAN_FLAGS_ALL)
		abort();
	unpack_free(unpack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int stream = 0; stream < 2; stream++) {
		struct unpack_budget budget = {.input = size, .free = FREE};
		struct fuzz_input in = {data, size, 0};
		struct source *source = fuzz_source(&in, stream);

		if (unpack_is((struct bytes){data, size < 512 ? size : 512}))
			walk(source, &budget, 0);
		/* A block may go beyond it once. */
		if (budget.bytes > FREE + UNPACK_RATIO * (uint64_t)size + (1 << 20))
			abort();
		source_free(source);
	}
	return 0;
}
