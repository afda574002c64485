// SPDX-License-Identifier: GPL-2.0-or-later
/* The digest of the effective policy. */
#include "journal/policy-digest.h"

#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "policy/show.h"

bool policy_digest(const struct policy *policy, uint8_t out[static LINE_HASH])
{
	_cleanup_(hasher_freep) struct hasher *hasher = hasher_new();
	struct policy_texts texts = {};
	struct buf lines;
	bool ok = false;
	int r = hasher ? policy_texts_make(policy, &texts) : -ENOMEM;

	buf_init(&lines, 0);
	for (size_t i = 0; !r && i < texts.nr; i++)
		r = buf_appendf(&lines, "%s\n", texts.items[i].text);
	if (!r)
		ok = hasher_sum(hasher, lines.p ? lines.p : "", lines.len, out);
	policy_texts_fini(&texts);
	buf_fini(&lines);
	return ok;
}

const char *policy_digest_hex(const struct policy *policy, char out[static LINE_HEX + 1])
{
	uint8_t digest[LINE_HASH];

	out[0] = '\0';
	if (policy_digest(policy, digest))
		line_hex(digest, out);
	return out;
}
