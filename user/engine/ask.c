// SPDX-License-Identifier: GPL-2.0-or-later
/* What the engine knows, for who asks without an event. */
#include "engine/engine-internal.h"

bool engine_object(const struct engine *engine, uint64_t id, struct engine_object *out_object)
{
	const struct object *object = objects_find(engine->objects, id);

	if (!object)
		return false;
	*out_object = (struct engine_object){
		.path = str_span(object->path),
		.watch = str_span(object->watch),
		.key = object->key_known ? object->key : NULL,
	};
	return true;
}

bool engine_process(const struct engine *engine, const struct proc_id *id,
		    struct proc_info *out_info)
{
	return proctab_info(engine->processes, proctab_find(engine->processes, id), out_info);
}
