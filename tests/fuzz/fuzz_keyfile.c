// SPDX-License-Identifier: GPL-2.0-or-later
/* The key parser: any file, any sibling. The first two bytes say where the one ends. */
#include <stdlib.h>

#include "scan/keyfile.h"
#include "scan/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};
	struct bytes sibling = {NULL, 0};
	struct scan_result result = {.error = 0}, back;
	uint8_t message[SCAN_RESULT_SIZE];
	uint16_t len;

	if (!bytes_be16(&in, &len))
		return 0;
	if (len && len < in.len)
		bytes_take(&in, len, &sibling);
	if (keyfile_identify(in, sibling, &result.id) < 0)
		return 0;
	/* What the parser says must be what the daemon's reader lets pass. */
	scan_result_encode(&result, message);
	if (scan_result_decode(message, sizeof(message), &back) < 0)
		abort();
	return 0;
}
