// SPDX-License-Identifier: GPL-2.0-or-later
/* Who has read a watched file and lives, as the kernel side knows it. */
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/ended.h"
#include "sensor/internal.h"

#include "keytrail.skel.h"

_Static_assert(HOLDER_KEYS_MAX == EVENT_KEYS_MAX, "keys are copied one by one");

void sensor_holders_each(struct sensor *sensor,
			 void (*call)(void *userdata, const struct sensor_holder *holder),
			 void *userdata)
{
	int map = bpf_map__fd(sensor->skel->maps.holders);
	uint32_t max = bpf_map__max_entries(sensor->skel->maps.holders);
	uint32_t key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &next);

	/* A key that is deleted in between makes the kernel begin anew: bounded by the number. */
	for (uint32_t i = 0; more && i < max; i++) {
		struct sensor_holder holder;
		struct holder h;

		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if (bpf_map_lookup_elem(map, &key, &h))
			continue;
		holder = (struct sensor_holder){
			.id = {.tgid = key, .start = h.start, .exec_id = h.exec_id},
			.nr_keys = h.flags & HOLDER_KEY ? h.nr_keys : 0,
			.other = h.flags & HOLDER_OTHER ? h.other : 0,
		};
		memcpy(holder.keys, h.key, sizeof(holder.keys));
		call(userdata, &holder);
	}
}

static void end_one(void *userdata, const struct sensor_holder *holder)
{
	struct sensor *sensor = userdata;
	int map = bpf_map__fd(sensor->skel->maps.holders);
	uint32_t *slots = sensor->skel->bss->holder_slots;
	const uint32_t nr = sizeof(sensor->skel->bss->holder_slots) / sizeof(*slots);
	uint32_t tgid = holder->id.tgid;

	/* As holder_end() of bpf/holders.h: who deletes it counts it off. */
	if (!proc_ended(tgid, holder->id.start) || !holder_take(map, tgid, holder->id.start))
		return;
	__atomic_fetch_sub(&slots[tgid & (nr - 1)], 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&sensor->skel->bss->nr_holders, 1, __ATOMIC_SEQ_CST);
}

void holders_end_gone(struct sensor *sensor)
{
	sensor_holders_each(sensor, end_one, sensor);
}
