// SPDX-License-Identifier: GPL-2.0-or-later
/* What is refused to whom (bpf/deny.bpf.c), as the daemon sets it. */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor/internal.h"

#include "keytrail.skel.h"

int sensor_deny(struct sensor *sensor, bool on)
{
	int r;

	/* An open that is under way at this moment is told by both programs, or by neither: each
	 * asks for itself which of them it is up to. */
	if (!on)
		__atomic_store_n(&sensor->skel->bss->deny_live, 0, __ATOMIC_SEQ_CST);
	r = hooks_switch(&sensor->hooks, "on_deny_open", on);
	if (on && !r)
		__atomic_store_n(&sensor->skel->bss->deny_live, 1, __ATOMIC_SEQ_CST);
	return r;
}

void sensor_deny_group(struct sensor *sensor, uint16_t group, uint8_t denied)
{
	__atomic_store_n(&sensor->skel->bss->deny_groups[group % DENY_GROUPS], denied,
			 __ATOMIC_SEQ_CST);
}

void sensor_deny_watches(struct sensor *sensor, uint16_t (*group)(void *userdata, uint32_t watch),
			 void *userdata)
{
	sensor->group = group;
	sensor->group_userdata = userdata;
}

void sensor_deny_no_orders(struct sensor *sensor)
{
	for (unsigned i = 1; i < MARKING_SLOTS; i++)
		__atomic_and_fetch(&sensor->skel->bss->marking[i].mark.flags, ~(kt_u32)MARK_GROUP,
				   __ATOMIC_SEQ_CST);
}

int sensor_permit(struct sensor *sensor, const struct permit_key *key,
		  const struct permit_value *value)
{
	int fd = bpf_map__fd(sensor->skel->maps.permits);

	return bpf_map_update_elem(fd, key, value, BPF_ANY) ? -errno : 0;
}

void sensor_unpermit(struct sensor *sensor, const struct permit_key *key)
{
	bpf_map_delete_elem(bpf_map__fd(sensor->skel->maps.permits), key);
}

int sensor_regroup(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		   uint16_t group)
{
	struct mark_key at = {.ino = identity->ino, .dev = identity->dev};
	int fd = bpf_map__fd(sensor->skel->maps.marks);
	struct mark mark;

	if (bpf_map_lookup_elem(fd, &at, &mark))
		return -errno;
	if (mark.object != object)
		return -ESTALE;
	if ((mark.flags & MARK_GROUP) == mark_group(group))
		return 0;
	mark.flags = (mark.flags & ~(uint32_t)MARK_GROUP) | mark_group(group);
	return bpf_map_update_elem(fd, &at, &mark, BPF_EXIST) ? -errno : 1;
}

/*
 * As sensor_unmark_device(): the kernel side takes marks out meanwhile, and after one that is gone
 * the map begins again.
 */
bool sensor_regroup_all(struct sensor *sensor,
			uint16_t (*group)(void *userdata, uint64_t object, uint16_t present),
			void *userdata)
{
	int fd = bpf_map__fd(sensor->skel->maps.marks);
	struct mark_key key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (uint32_t i = 0; more && i < 2 * sensor->config.marks_max; i++) {
		uint16_t present, wanted;
		struct mark mark;

		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (bpf_map_lookup_elem(fd, &key, &mark) || !(mark.flags & MARK_FILE))
			continue;
		present = (uint16_t)((mark.flags & MARK_GROUP) >> MARK_GROUP_SHIFT);
		wanted = group(userdata, mark.object, present);
		if (wanted != present)
			(void)sensor_regroup(sensor,
					     &(struct inode_id){.ino = key.ino, .dev = key.dev},
					     mark.object, wanted);
	}
	return !more;
}
