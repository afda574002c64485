// SPDX-License-Identifier: GPL-2.0-or-later
/* Digests as text. */
#include "model/digests.h"

#include <string.h>

bool digest_is(struct span text)
{
	if (text.len != DIGEST_HEX - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!text.p[i] || !strchr("0123456789abcdef", text.p[i]))
			return false;
	return true;
}

void digest_hex(const uint8_t bytes[static 32], char out[static DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 32; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[DIGEST_HEX - 1] = '\0';
}

static void take(struct span text, char out[static DIGEST_HEX])
{
	memcpy(out, text.p, text.len);
	out[text.len] = '\0';
}

void digests_parse(struct span file, struct span content, struct digests *out)
{
	*out = (struct digests){.nr_content = 0};
	if (!digest_is(file))
		return;
	take(file, out->file);
	while (content.len && out->nr_content < DIGESTS_CONTENT_MAX) {
		const char *space = memchr(content.p, ' ', content.len);
		const size_t len = space ? (size_t)(space - content.p) : content.len;
		const size_t step = space ? len + 1 : len;

		if (digest_is((struct span){content.p, len}))
			take((struct span){content.p, len}, out->content[out->nr_content++]);
		content.p += step;
		content.len -= step;
	}
}
