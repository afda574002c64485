// SPDX-License-Identifier: GPL-2.0-or-later
/* Needle files: what is taken is to the byte what would be written of it, and can be searched by.
 */
#include <stdlib.h>

#include "scan/needle-site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_list diags = {0};
	struct needles needles;
	struct buf again;
	/* Just as long, for AddressSanitizer to see a step too far. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	if (needles_parse("f", text, size, &diags, &needles) == 0) {
		buf_init(&again, 0);
		if (needles_print(&needles, &again) < 0 || again.len != needles.signed_len ||
		    memcmp(again.p, text, again.len) != 0)
			abort();
		needles_signature_holds(&needles, text);
		buf_fini(&again);
		needles_fini(&needles);
	} else if (!diags.errors) {
		abort();
	}
	diag_list_fini(&diags);
	free(text);
	return 0;
}
