// SPDX-License-Identifier: GPL-2.0-or-later
/* What private keys begin with. */
#include "search/head.h"

#include <string.h>

#include "base/cleanup.h"

bool head_is_key(const unsigned char *p, size_t len)
{
	static const struct {
		const char *bytes;
		size_t len;
	} heads[] = {
#define HEAD(s) {s, sizeof(s) - 1}
		HEAD("-----BEGIN "),
		HEAD("PuTTY-User-Key-File-"),
		HEAD("(21:protected-private-key("),
		HEAD("(11:private-key("),
		HEAD("(20:shadowed-private-key("),
		HEAD("Key: ("),
		HEAD("Created: "),
#undef HEAD
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (len >= heads[i].len && !memcmp(p, heads[i].bytes, heads[i].len))
			return true;
	/* DER: a sequence of two or more bytes of length, that begins with a version. A certificate
	 * begins with another sequence. */
	if (len >= 8 && p[0] == 0x30 && p[1] == 0x82 && p[4] == 0x02 && p[5] == 0x01)
		return true;
	if (len >= 8 && p[0] == 0x30 && p[1] < 0x80 && p[2] == 0x02 && p[3] == 0x01)
		return true;
	/* OpenPGP: a secret key's packet, in the old and the new form. */
	return len >= 4 && (p[0] == 0x94 || p[0] == 0x95 || p[0] == 0xc5);
}
