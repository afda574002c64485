// SPDX-License-Identifier: GPL-2.0-or-later
/* What is believed of keytrail-rpm's answer, and what it comes to. */
#include "trust/rpm-answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_text(const char *s, size_t size, const char *of)
{
	size_t n = strnlen(s, size);

	return n < size && strspn(s, of) == n;
}

static bool is_sound(const struct rpm_answer *answer)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "+-._~^:";

	if (answer->magic != RPM_ANSWER_MAGIC || answer->error > 0 || answer->nr > RPM_OWNERS_MAX)
		return false;
	for (uint32_t i = 0; i < answer->nr; i++) {
		const struct rpm_owner *owner = &answer->owners[i];

		if (!owner->package[0] || !is_text(owner->package, sizeof(owner->package), names) ||
		    !is_text(owner->digest, sizeof(owner->digest), "0123456789abcdef"))
			return false;
	}
	return true;
}

/* PACKAGE_UNKNOWN: by a hash that nobody has made of the file. */
static enum package_state compare(const struct rpm_owner *owner, const char *sha256,
				  const char *md5)
{
	const char *colon = strchr(sha256, ':');

	if (!owner->digest[0])
		return PACKAGE_MODIFIED;
	switch (owner->algorithm) {
	case RPM_SHA256:
		return !strcmp(owner->digest, colon ? colon + 1 : sha256) ? PACKAGE_INTACT
									  : PACKAGE_MODIFIED;
	case RPM_MD5:
		return !strcmp(owner->digest, md5) ? PACKAGE_INTACT : PACKAGE_MODIFIED;
	default:
		return PACKAGE_UNKNOWN;
	}
}

int rpm_answer_judge(const struct rpm_answer *answer, const char *sha256, const char *md5,
		     char out_package[static PACKAGE_MAX], enum package_state *out_state)
{
	static const int better[PACKAGE_STATE_NR] = {
		[PACKAGE_UNKNOWN] = 1, [PACKAGE_MODIFIED] = 2, [PACKAGE_INTACT] = 3};
	enum package_state state = PACKAGE_NONE;
	const struct rpm_owner *found = NULL;

	if (!is_sound(answer))
		return -EBADMSG;
	if (answer->error)
		return -EIO;
	for (uint32_t i = 0; i < answer->nr; i++) {
		enum package_state now = compare(&answer->owners[i], sha256, md5);

		if (found && better[now] <= better[state])
			continue;
		found = &answer->owners[i];
		state = now;
	}
	snprintf(out_package, PACKAGE_MAX, "%s", found ? found->package : "");
	*out_state = state;
	return 0;
}
