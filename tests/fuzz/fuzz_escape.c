// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes become one printable line and come back; a line that escape did not make does not pass.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *in = (const char *)data;
	char *out = malloc(4 * size + 1), *back = malloc(size + 1), *again = malloc(size + 1);
	bool truncated;
	size_t n, room = size ? data[0] : 0;
	long m;

	check(out && back && again);
	n = escape_bytes(in, size, out, 4 * size + 1, &truncated);
	check(!truncated && strlen(out) == n);
	for (size_t i = 0; i < n; i++)
		check((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
	check(escape_undo(out, n, back, size) == (long)size && !memcmp(back, in, size));
	/* cut anywhere it stands for a beginning */
	if (room && room <= 4 * size) {
		n = escape_bytes(in, size, out, room, &truncated);
		check(n < room);
		m = escape_undo(out, n, back, size);
		check(m >= 0 && (size_t)m <= size && !memcmp(back, in, (size_t)m));
	}
	/* The input taken for text: if it passes, it is exactly what escape makes of the result. */
	m = escape_undo(in, size, again, size + 1);
	if (m >= 0) {
		n = escape_bytes(again, (size_t)m, out, 4 * size + 1, NULL);
		check(n == size && !memcmp(out, in, size));
	}
	free(out);
	free(back);
	free(again);
	return 0;
}
