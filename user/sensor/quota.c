// SPDX-License-Identifier: GPL-2.0-or-later
/* Marks by whom they are charged to: what user space takes off is given back, and who has how many.
 */
#include <errno.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

#include "keytrail.skel.h"

void sensor_set_quota(struct sensor *sensor, uint32_t max)
{
	sensor->config.marks_quota = max;
	__atomic_store_n(&sensor->skel->bss->quota_max, max, __ATOMIC_RELAXED);
}

int quota_open(struct sensor *sensor)
{
	static const uint32_t always[] = {0, QUOTA_SHARED};
	const struct quota_account fresh = {};
	const uint64_t none = 0;

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (bpf_map_update_elem(bpf_map__fd(sensor->skel->maps.quota_accounts), &always[i],
					&fresh, BPF_ANY) ||
		    bpf_map_update_elem(bpf_map__fd(sensor->skel->maps.quota_returned), &always[i],
					&none, BPF_ANY))
			return -errno;
	return 0;
}

void sensor_set_quota_ranges(struct sensor *sensor, const struct quota_range *ranges, size_t nr)
{
	for (size_t i = 0; i < QUOTA_RANGES_MAX; i++)
		sensor->skel->bss->quota_ranges[i] =
			i < nr ? ranges[i] : (struct quota_range){.first = QUOTA_SHARED};
}

/* Only this thread writes here: bpf/quota.h. */
static void give_back(struct sensor *sensor, uint32_t account)
{
	int fd = bpf_map__fd(sensor->skel->maps.quota_returned);
	uint64_t returned = 0;

	bpf_map_lookup_elem(fd, &account, &returned);
	returned++;
	bpf_map_update_elem(fd, &account, &returned, BPF_ANY);
}

int quota_unmark(struct sensor *sensor, const struct mark_key *key)
{
	int fd = bpf_map__fd(sensor->skel->maps.marks);
	struct mark mark;

	if (bpf_map_lookup_elem(fd, key, &mark))
		return -errno;
	/* Who deletes it gives it back: the kernel side may have been first. */
	if (bpf_map_delete_elem(fd, key))
		return -errno;
	give_back(sensor, mark.account);
	return 0;
}

/* An account that is made while this runs may be left out. */
int sensor_quota_each(struct sensor *sensor,
		      void (*call)(void *userdata, const struct sensor_account *account),
		      void *userdata)
{
	int accounts = bpf_map__fd(sensor->skel->maps.quota_accounts);
	int returned = bpf_map__fd(sensor->skel->maps.quota_returned);
	uint32_t max = bpf_map__max_entries(sensor->skel->maps.quota_accounts);
	uint32_t key, next;
	bool more = !bpf_map_get_next_key(accounts, NULL, &next);

	for (uint32_t i = 0; more && i < max; i++) {
		struct quota_account account;
		uint64_t back = 0;

		key = next;
		more = !bpf_map_get_next_key(accounts, &key, &next);
		if (bpf_map_lookup_elem(accounts, &key, &account))
			continue;
		bpf_map_lookup_elem(returned, &key, &back);
		call(userdata, &(struct sensor_account){
				       .account = key,
				       .marks = account.taken - back,
				       .refused = account.refused,
			       });
	}
	return 0;
}
