// SPDX-License-Identifier: GPL-2.0-or-later
/* Does one rule leave nothing to decide for another? */
#include <string.h>

#include "policy/glob.h"
#include "policy/policy-internal.h"

static bool wanted_covers(const struct wanted *a, const struct wanted *b)
{
	if (!a->text)
		return true;
	if (!b->text)
		return false;
	if (a->glob && (glob_is_any(a->glob) || (!b->glob && glob_match(a->glob, b->text, b->len))))
		return true;
	return !a->glob == !b->glob && a->len == b->len && !memcmp(a->text, b->text, a->len);
}

/* Where an image's name is known its id may not be, and the other way round. */
static bool image_covers(const struct rule *a, const struct rule *b)
{
	return !a->image.text ||
	       (a->image_by_id == b->image_by_id && wanted_covers(&a->image, &b->image));
}

bool rule_covers(const struct rule *a, const struct rule *b)
{
	if (a->watch != b->watch || a->on != (a->on | b->on))
		return false;
	if (a->until && !(b->until && b->until_ns <= a->until_ns))
		return false;
	/* An end lets a rule pass the zone of its entry, and so does `outside`. */
	if (b->until && !a->until)
		return false;
	if (b->outside && !a->outside)
		return false;
	/* A silent rule is not covered by one that records: but it decides before it. */
	if (a->kind == RULE_EXPECT && b->kind == RULE_ALLOW)
		return false;
	if (a->exe && !(b->exe && !strcmp(a->exe, b->exe)))
		return false;
	/* Without a program there is nothing to be verified, nor is there in a container. */
	if (!a->exe && b->exe && !rule_in_container(b))
		return false;
	if (a->exe && !rule_in_container(a) && rule_in_container(b))
		return false;
	if (!wanted_covers(&a->unit, &b->unit) || !wanted_covers(&a->container, &b->container) ||
	    !wanted_covers(&a->user, &b->user) || !image_covers(a, b))
		return false;
	if (a->uid != UID_UNSET && a->uid != b->uid)
		return false;
	if (a->login != LOGIN_ANY && a->login != b->login)
		return false;
	if (a->session != SESSION_UNKNOWN && a->session != b->session)
		return false;
	if (a->script && !(b->script && !strcmp(a->script, b->script)))
		return false;
	if (a->package && !(b->package && !strcmp(a->package, b->package)))
		return false;
	if (a->digest && !(b->digest && !strcmp(a->digest, b->digest)))
		return false;
	if (a->verity && !(b->verity && !strcmp(a->verity, b->verity)))
		return false;
	return !a->zone || a->zone == b->zone;
}
