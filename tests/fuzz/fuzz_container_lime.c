// SPDX-License-Identifier: GPL-2.0-or-later
/* LiME ranges and AVML frames that do not add up. */
#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (fuzz_container(&container_lime, data, size) == 0)
		return 0;
	return fuzz_container(&container_avml, data, size);
}
