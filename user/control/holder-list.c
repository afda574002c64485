// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer to `holders`, bounded. */
#include "control/holder-list.h"

#include <errno.h>

void holder_list_init(struct holder_list *list)
{
	*list = (struct holder_list){.items = json_array()};
}

void holder_list_fini(struct holder_list *list)
{
	json_decref(list->items);
	list->items = NULL;
}

void holder_list_add(struct holder_list *list, json_t *holder)
{
	json_auto_t *owned = holder;
	size_t bytes = 0;

	if (json_array_size(list->items) < HOLDERS_TOLD_MAX) {
		bytes = owned ? json_dumpb(owned, NULL, 0, JSON_COMPACT) : 0;
		if (!bytes) {
			list->error = -ENOMEM;
			return;
		}
		bytes++; /* the comma */
	}
	if (!bytes || bytes > HOLDERS_TOLD_BYTES - list->bytes) {
		list->left_out++;
		return;
	}
	if (json_array_append(list->items, owned) < 0)
		list->error = -ENOMEM;
	list->bytes += bytes;
}

int holder_list_json(const struct holder_list *list, json_t **out_json)
{
	json_t *json = list->items && !list->error
			       ? json_pack("{s:O, s:I}", "holders", list->items, "left_out",
					   (json_int_t)list->left_out)
			       : NULL;

	if (!json)
		return -ENOMEM;
	*out_json = json;
	return 0;
}
