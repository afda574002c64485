// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's side of the scan child's channel: what passes is what could have been written. */
#include <stdlib.h>
#include <string.h>

#include "scan/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scan_result result;
	uint8_t again[SCAN_RESULT_SIZE];

	if (scan_result_decode(data, size, &result) < 0)
		return 0;
	scan_result_encode(&result, again);
	if (size != sizeof(again) || memcmp(data, again, size) != 0)
		abort();
	return 0;
}
