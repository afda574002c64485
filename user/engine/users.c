// SPDX-License-Identifier: GPL-2.0-or-later
/* uid to name: a ring of names with a hash table over it. */
#include "engine/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/hash.h"

#define BUCKETS 4096

struct user {
	uint32_t uid;
	uint32_t next; /* in the bucket's chain, index + 1 */
	char name[USER_NAME_MAX];
};

struct users {
	struct user list[USERS_MAX];
	uint32_t nr; /* in use */
	uint32_t oldest; /* to be replaced next, once all are in use */
	uint32_t buckets[BUCKETS];
};

struct users *users_new(void)
{
	return calloc(1, sizeof(struct users));
}

void users_free(struct users *users)
{
	free(users);
}

static uint32_t bucket(uint32_t uid)
{
	return (uint32_t)(hash_u64(uid) & (BUCKETS - 1));
}

static struct user *find(const struct users *users, uint32_t uid)
{
	uint32_t i = users->buckets[bucket(uid)];

	while (i && users->list[i - 1].uid != uid)
		i = users->list[i - 1].next;
	return i ? (struct user *)&users->list[i - 1] : NULL;
}

void users_set(struct users *users, uint32_t uid, struct span name)
{
	struct user *user = find(users, uid);
	uint32_t *slot;

	if (!user) {
		uint32_t index = users->nr;

		if (users->nr < USERS_MAX) {
			users->nr++;
		} else {
			index = users->oldest;
			users->oldest = (users->oldest + 1) % USERS_MAX;
			slot = &users->buckets[bucket(users->list[index].uid)];
			while (*slot != index + 1)
				slot = &users->list[*slot - 1].next;
			*slot = users->list[index].next;
		}
		user = &users->list[index];
		user->uid = uid;
		slot = &users->buckets[bucket(uid)];
		user->next = *slot;
		*slot = index + 1;
	}
	escape_bytes(name.p, name.len, user->name, sizeof(user->name), NULL);
}

const char *users_name(const struct users *users, uint32_t uid)
{
	const struct user *user = find(users, uid);

	return user && user->name[0] ? user->name : NULL;
}

size_t users_count(const struct users *users)
{
	return users->nr;
}

size_t users_bytes(const struct users *users)
{
	return sizeof(*users) - sizeof(users->list) + users->nr * sizeof(struct user);
}
