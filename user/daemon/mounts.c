// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows the mount table by libmount's monitor. */
#include "daemon/mounts.h"

#include <errno.h>
#include <stdlib.h>

#include <libmount/libmount.h>

#include "base/cleanup.h"

struct mounts {
	void (*mounted)(void *userdata, const char *path);
	void *userdata;
	struct libmnt_monitor *monitor;
	struct libmnt_table *table;
	sd_event_source *source;
};

static struct libmnt_table *read_table(void)
{
	struct libmnt_table *table = mnt_new_table();

	if (table && mnt_table_parse_file(table, "/proc/self/mountinfo")) {
		mnt_unref_table(table);
		return NULL;
	}
	return table;
}

static int on_change(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct mounts *m = userdata;
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_table *now = read_table();
	struct libmnt_fs *fs;

	mnt_monitor_event_cleanup(m->monitor);
	while (iter && now && !mnt_table_next_fs(now, iter, &fs)) {
		const char *target = mnt_fs_get_target(fs);
		struct libmnt_fs *known = NULL;
		struct libmnt_iter *old = mnt_new_iter(MNT_ITER_FORWARD);

		/* A mount's number may be given again, so its place counts too. */
		while (old && !mnt_table_next_fs(m->table, old, &known))
			if (mnt_fs_get_id(known) == mnt_fs_get_id(fs) &&
			    mnt_fs_streq_target(known, target))
				break;
			else
				known = NULL;
		mnt_free_iter(old);
		if (!known && target)
			m->mounted(m->userdata, target);
	}
	mnt_free_iter(iter);
	if (now) {
		mnt_unref_table(m->table);
		m->table = now;
	}
	return 0;
}

int mounts_new(sd_event *loop, void (*mounted)(void *userdata, const char *path), void *userdata,
	       struct mounts **out_mounts)
{
	struct mounts *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->mounted = mounted;
	m->userdata = userdata;
	m->monitor = mnt_new_monitor();
	m->table = read_table();
	if (!m->monitor || !m->table) {
		r = -ENOMEM;
	} else {
		r = mnt_monitor_enable_kernel(m->monitor, 1);
		if (!r)
			r = mnt_monitor_get_fd(m->monitor);
		if (r >= 0)
			r = sd_event_add_io(loop, &m->source, r, EPOLLIN, on_change, m);
	}
	if (r < 0) {
		mounts_free(m);
		return r;
	}
	*out_mounts = m;
	return 0;
}

void mounts_free(struct mounts *m)
{
	if (!m)
		return;
	sd_event_source_unref(m->source);
	mnt_unref_table(m->table);
	mnt_unref_monitor(m->monitor);
	free(m);
}
