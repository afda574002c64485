// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel dumps whose bitmaps, descriptors and packed pages are anything. */
#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_container(&container_kdump, data, size);
}
