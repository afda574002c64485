// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of uids, and when to ask again. */
#include "daemon/usertab.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct user {
	uint32_t uid;
	bool listed; /* in the last reading that has ended, or in this one */
	bool asked; /* the answer is on its way */
	bool unseen; /* asked for again without being seen */
	uint8_t tries; /* answers without a name, one after another */
	uint32_t reading; /* the last in which it was listed */
	uint64_t again; /* not asked for before */
	char *name; /* NULL = none known */
	UT_hash_handle hh; /* by uid; in the order of first being seen */
};

struct usertab {
	struct user *users;
	uint32_t reading;
	uint64_t due; /* none of the `unseen` is before */
};

struct usertab *usertab_new(void)
{
	struct usertab *tab = calloc(1, sizeof(*tab));

	if (tab)
		tab->due = UINT64_MAX;
	return tab;
}

static void forget(struct usertab *tab, struct user *user)
{
	HASH_DEL(tab->users, user);
	free(user->name);
	free(user);
}

void usertab_free(struct usertab *tab)
{
	struct user *user, *next;

	if (!tab)
		return;
	HASH_ITER(hh, tab->users, user, next)
	{
		forget(tab, user);
	}
	free(tab);
}

static struct user *find(const struct usertab *tab, uint32_t uid)
{
	struct user *user;

	HASH_FIND(hh, tab->users, &uid, sizeof(uid), user);
	return user;
}

static bool make_room(struct usertab *tab)
{
	struct user *user, *next;

	if (HASH_COUNT(tab->users) < USERTAB_MAX)
		return true;
	HASH_ITER(hh, tab->users, user, next)
	{
		if (user->name || user->asked)
			continue;
		forget(tab, user);
		return true;
	}
	return false;
}

static struct user *find_or_add(struct usertab *tab, uint32_t uid)
{
	struct user *user = find(tab, uid);

	if (user || !make_room(tab))
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, tab->users, uid, sizeof(user->uid), user);
	return user;
}

static bool set_name(struct user *user, const char *name)
{
	char *copy;

	if (user->name && !strcmp(user->name, name))
		return false;
	copy = strdup(name);
	if (!copy)
		return false;
	free(user->name);
	user->name = copy;
	return true;
}

void usertab_begin(struct usertab *tab)
{
	tab->reading++;
}

bool usertab_listed(struct usertab *tab, uint32_t uid, const char *name)
{
	struct user *user = find_or_add(tab, uid);

	if (!user || user->reading == tab->reading)
		return false;
	user->reading = tab->reading;
	user->listed = true;
	user->unseen = false;
	return set_name(user, name);
}

void usertab_end(struct usertab *tab, void (*gone)(void *userdata, uint32_t uid), void *userdata)
{
	struct user *user, *next;

	HASH_ITER(hh, tab->users, user, next)
	{
		if (!user->listed || user->reading == tab->reading)
			continue;
		user->listed = false;
		user->again = 0;
		user->tries = 0;
		free(user->name);
		user->name = NULL;
		gone(userdata, user->uid);
	}
}

bool usertab_seen(struct usertab *tab, uint32_t uid, uint64_t now)
{
	struct user *user = find_or_add(tab, uid);

	if (!user || user->listed || user->asked || now < user->again)
		return false;
	user->asked = true;
	return true;
}

bool usertab_due(struct usertab *tab, uint64_t now, uint32_t *out_uid)
{
	uint64_t due = UINT64_MAX;
	struct user *user, *next;

	if (now < tab->due)
		return false;
	HASH_ITER(hh, tab->users, user, next)
	{
		if (!user->unseen || user->asked)
			continue;
		if (user->again <= now) {
			user->asked = true;
			*out_uid = user->uid;
			return true;
		}
		if (user->again < due)
			due = user->again;
	}
	tab->due = due;
	return false;
}

void usertab_not_asked(struct usertab *tab, uint32_t uid)
{
	struct user *user = find(tab, uid);

	if (user)
		user->asked = false;
}

static uint64_t later(uint64_t first, uint64_t most, unsigned tries)
{
	return tries < 16 && first << tries < most ? first << tries : most;
}

bool usertab_answered(struct usertab *tab, uint32_t uid, enum usertab_answer answer,
		      const char *name, uint64_t now)
{
	struct user *user = find(tab, uid);
	uint64_t wait = USERTAB_FOUND_NS;

	if (!user)
		return false;
	user->asked = false;
	if (user->listed) /* since it was asked */
		return false;
	user->unseen = answer != USER_FOUND;
	if (answer == USER_FOUND) {
		user->tries = 0;
	} else if (answer == USER_FAILED) {
		wait = later(USERTAB_FAILED_NS, USERTAB_FAILED_MAX_NS, user->tries);
	} else {
		wait = later(USERTAB_ABSENT_NS, USERTAB_ABSENT_MAX_NS, user->tries);
		user->unseen = wait < USERTAB_ABSENT_MAX_NS;
	}
	if (answer != USER_FOUND && user->tries < UINT8_MAX)
		user->tries++;
	user->again = now + wait;
	if (user->unseen && user->again < tab->due)
		tab->due = user->again;
	/* Who had a name and is absent now keeps it: the service may have gone, not the user. */
	return answer == USER_FOUND && set_name(user, name);
}
