// SPDX-License-Identifier: GPL-2.0-or-later
/* Minidumps whose streams point anywhere. */
#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_container(&container_minidump, data, size);
}
