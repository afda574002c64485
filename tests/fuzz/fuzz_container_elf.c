// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF cores that lie in headers, tables and notes. */
#include "fuzz/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_container(&container_elf, data, size);
}
