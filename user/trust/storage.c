// SPDX-License-Identifier: GPL-2.0-or-later
/* What was read of a file of containers/storage: a list in its order, looked through. */
#include "trust/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

struct storage_item {
	char container[CONTAINER_ID_SIZE], id[IMAGE_ID_SIZE];
	char *name;
};

bool storage_is(const struct storage *s, const struct stat *st)
{
	return s->known && s->dev == st->st_dev && s->ino == st->st_ino && s->size == st->st_size &&
	       s->changed.tv_sec == st->st_mtim.tv_sec && s->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static void add(void *userdata, const char *container, const struct container_image *image)
{
	struct storage *s = userdata;
	struct storage_item *item;

	if (!s->known)
		return;
	if (s->nr == s->room) {
		size_t room = s->room ? s->room * 2 : 16;

		item = reallocarray(s->items, room, sizeof(*item));
		if (!item) {
			s->known = false;
			return;
		}
		s->items = item;
		s->room = room;
	}
	item = &s->items[s->nr];
	snprintf(item->container, sizeof(item->container), "%s", container);
	snprintf(item->id, sizeof(item->id), "%s", image->id);
	item->name = strdup(image->name);
	s->known = item->name != NULL;
	s->nr += s->known;
}

bool storage_keep(struct storage *s, const struct stat *st, const char *text, size_t len)
{
	storage_fini(s);
	*s = (struct storage){
		.known = true,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.changed = st->st_mtim,
	};
	s->wrong = image_parse_storage(text, len, add, s) == -EINVAL;
	if (!s->known)
		storage_fini(s);
	return s->known;
}

bool storage_find(const struct storage *s, const char container[static CONTAINER_ID_SIZE],
		  struct container_image *out_image)
{
	for (size_t i = 0; i < s->nr; i++) {
		const struct storage_item *item = &s->items[i];

		if (strcmp(item->container, container) != 0)
			continue;
		snprintf(out_image->name, sizeof(out_image->name), "%s", item->name);
		snprintf(out_image->id, sizeof(out_image->id), "%s", item->id);
		return true;
	}
	return false;
}

void storage_fini(struct storage *s)
{
	for (size_t i = 0; i < s->nr; i++)
		free(s->items[i].name);
	free(s->items);
	*s = (struct storage){.known = false};
}
