// SPDX-License-Identifier: GPL-2.0-or-later
/* Executables by inode: a ring with a hash table over it. */
#include "engine/programs.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS 1024

struct programs {
	struct program list[PROGRAMS_MAX];
	uint32_t nr; /* in use */
	uint32_t oldest; /* to be replaced next, once all are in use */
	uint32_t buckets[BUCKETS]; /* index + 1, 0 = none */
};

struct programs *programs_new(void)
{
	return calloc(1, sizeof(struct programs));
}

void programs_free(struct programs *programs)
{
	free(programs);
}

static uint32_t bucket(const struct inode_id *inode)
{
	return (uint32_t)(hash_u64(inode->ino ^ (uint64_t)inode->dev << 32) & (BUCKETS - 1));
}

static struct program *lookup(struct programs *programs, const struct inode_id *inode)
{
	uint32_t i = programs->buckets[bucket(inode)];

	for (; i; i = programs->list[i - 1].next) {
		struct program *program = &programs->list[i - 1];

		if (inode_id_same(&program->inode, inode) && program->inode.gen == inode->gen)
			return program;
	}
	return NULL;
}

const struct program *programs_find(const struct programs *programs, const struct inode_id *inode)
{
	const struct program *program = lookup((struct programs *)programs, inode);

	return program && program->state != PACKAGE_PENDING ? program : NULL;
}

static void unlink_at(struct programs *programs, uint32_t index)
{
	uint32_t *slot = &programs->buckets[bucket(&programs->list[index].inode)];

	while (*slot != index + 1)
		slot = &programs->list[*slot - 1].next;
	*slot = programs->list[index].next;
}

static void copy(char *out, size_t size, struct span text)
{
	size_t n = text.len < size ? text.len : size - 1;

	if (n)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

void programs_set(struct programs *programs, const struct event_program *told)
{
	struct program *program = lookup(programs, &told->inode);
	uint32_t index, *slot;

	if (!program) {
		index = programs->nr;
		if (programs->nr < PROGRAMS_MAX) {
			programs->nr++;
		} else {
			index = programs->oldest;
			programs->oldest = (programs->oldest + 1) % PROGRAMS_MAX;
			unlink_at(programs, index);
		}
		program = &programs->list[index];
		program->inode = told->inode;
		slot = &programs->buckets[bucket(&told->inode)];
		program->next = *slot;
		*slot = index + 1;
	}
	program->state = told->state;
	copy(program->digest, sizeof(program->digest), told->digest);
	copy(program->package, sizeof(program->package), told->package);
	copy(program->verity, sizeof(program->verity), told->verity);
}

size_t programs_bytes(const struct programs *programs)
{
	return programs ? sizeof(*programs) : 0;
}
