// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of test keys, and looking one up. */
#include "scan/test-keys.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

struct known {
	const char *spki; /* hex, in order */
	const char *package;
};

static const struct known keys[] = {
#define TEST_KEY(spki, kind, bits, package, path) {spki, package},
#include "scan/test-keys.def"
#undef TEST_KEY
};

const char *test_key(const uint8_t spki[32])
{
	static const char digits[] = "0123456789abcdef";
	size_t low = 0, high = ARRAY_SIZE(keys);
	char text[65];

	for (size_t i = 0; i < 32; i++) {
		text[2 * i] = digits[spki[i] >> 4];
		text[2 * i + 1] = digits[spki[i] & 15];
	}
	text[64] = '\0';
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(keys[mid].spki, text);

		if (order == 0)
			return keys[mid].package;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}
