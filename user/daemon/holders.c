// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer to `holders`: who has read which key and lives (docs/control.md). */
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "control/holder-list.h"
#include "daemon/app.h"
#include "engine/engine.h"

struct answer {
	const struct engine *engine;
	struct holder_list list;
};

static int put_text(json_t *object, const char *name, struct span s)
{
	char text[1024];

	if (!s.len)
		return 0;
	escape_bytes(s.p, s.len, text, sizeof(text), NULL);
	return json_object_set_new(object, name, json_string(text));
}

static json_t *object_json(const struct engine *engine, uint64_t id)
{
	struct engine_object object;
	json_t *json = json_object();
	int err = 0;

	if (!json || !engine_object(engine, id, &object))
		return json;
	err |= put_text(json, "path", object.path);
	err |= put_text(json, "watch", object.watch);
	if (object.key && object.key->kind) {
		err |= json_object_set_new(json, "type",
					   json_string(key_kind_str(object.key->kind)));
		err |= json_object_set_new(json, "bits", json_integer(object.key->bits));
		err |= put_text(json, "fingerprint",
				(struct span){object.key->ssh_fp, strlen(object.key->ssh_fp)});
		err |= put_text(json, "comment",
				(struct span){object.key->comment, strlen(object.key->comment)});
	}
	if (err) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static void add(void *userdata, const struct sensor_holder *holder)
{
	struct answer *a = userdata;
	struct proc_info info = {};
	json_t *json, *keys;
	int err;

	keys = json_array();
	json = json_pack("{s:i, s:I, s:i, s:o}", "pid", (int)holder->id.tgid, "start",
			 (json_int_t)holder->id.start, "nr_keys", (int)holder->nr_keys, "keys",
			 keys);
	err = !json;
	if (json && engine_process(a->engine, &holder->id, &info))
		err |= put_text(json, "exe", str_span(info.exe));
	for (size_t i = 0; i < EVENT_KEYS_MAX && json; i++)
		if (holder->keys[i])
			err |= json_array_append_new(keys, object_json(a->engine, holder->keys[i]));
	if (json && holder->other)
		err |= json_object_set_new(json, "other", object_json(a->engine, holder->other));
	if (err) {
		json_decref(json);
		json = NULL;
	}
	holder_list_add(&a->list, json);
}

int holders_json(struct app *app, json_t **out_holders)
{
	struct answer a = {.engine = app->engine};
	int err;

	holder_list_init(&a.list);
	sensor_holders_each(app->sensor, add, &a);
	err = holder_list_json(&a.list, out_holders);
	holder_list_fini(&a.list);
	return err;
}
