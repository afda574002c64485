// SPDX-License-Identifier: GPL-2.0-or-later
/* Windows dumps with any runs and bitmaps. */
#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_container(&container_pagedump, data, size);
}
