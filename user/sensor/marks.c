// SPDX-License-Identifier: GPL-2.0-or-later
/* Marks: set by opening (bpf/watch.h says why), taken off by key; and the states of watched names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "sensor/internal.h"

#include "keytrail.skel.h"

/*
 * Opens with the flags that the probe looks for. O_NONBLOCK: a FIFO or a device must not hold us
 * up; O_NOATIME: to watch is not to read; a file system on which root owns nothing refuses that,
 * and is opened without.
 */
static int marking_open(int dirfd, const char *path, bool follow)
{
	const int flags =
		O_RDONLY | O_CLOEXEC | O_NOCTTY | MARKING_FLAGS | (follow ? 0 : O_NOFOLLOW);
	int fd = openat(dirfd, path, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, path, flags);
	return fd < 0 ? -errno : fd;
}

/* Sockets cannot be opened: a look at their attributes passes the probe as an open does. */
static int marking_list(int dirfd, const char *path, bool follow)
{
	int fd = openat(dirfd, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
	char self[64];

	if (fd < 0)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	/* Whether the file system has attributes is not the question. */
	(void)!listxattr(self, NULL, 0);
	return fd;
}

/* Returns the descriptor, or negative errno. */
static int slot_open(struct sensor *sensor, int dirfd, const char *path, enum marking_op op,
		     const struct mark *mark, bool follow, struct marking_slot *out)
{
	struct marking_slot *slot = &sensor->skel->bss->marking[sensor->slot];
	_cleanup_close_ int fd = -1;

	memset(slot, 0, sizeof(*slot));
	if (mark)
		memcpy(&slot->mark, mark, sizeof(*mark));
	slot->tid = (uint32_t)syscall(SYS_gettid);
	/* The compiler must not move the order to after the open, nor the answer to before it. */
	__atomic_store_n(&slot->op, op, __ATOMIC_SEQ_CST);
	if (mark && (mark->flags & MARK_SOCKET))
		fd = marking_list(dirfd, path, follow);
	else
		fd = marking_open(dirfd, path, follow);
	__atomic_store_n(&slot->op, MARKING_IDLE, __ATOMIC_SEQ_CST);
	memcpy(out, slot, sizeof(*out));
	if (fd < 0)
		return fd;
	if (!out->nr)
		return -EAGAIN;
	return out->error ? -(int)out->error : take_fd(fd);
}

static int slot_run(struct sensor *sensor, int dirfd, const char *path, enum marking_op op,
		    const struct mark *mark, struct marking_slot *out)
{
	int fd = slot_open(sensor, dirfd, path, op, mark, mark && (mark->flags & MARK_FOLLOW), out);

	if (fd < 0)
		return fd;
	fd_close(fd);
	return 0;
}

static struct inode_id identity_of(const struct marking_slot *slot)
{
	return (struct inode_id){
		.ino = slot->inode[0].ino,
		.dev = slot->inode[0].dev,
		.gen = slot->inode[0].gen,
	};
}

int sensor_mark(struct sensor *sensor, int dirfd, const char *path, struct mark *mark,
		struct inode_id *out_identity)
{
	struct marking_slot slot;
	int r = slot_run(sensor, dirfd, path, MARKING_MARK, mark, &slot);

	sensor->nr_marked_on = 0;
	/* Somebody has a lease on it: the probe came before the question whether he gives it up. */
	if (r == -EAGAIN && slot.nr && !slot.error)
		r = 0;
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < slot.nr && i < MARKING_INODES; i++)
		sensor->marked_on[sensor->nr_marked_on++] = slot.inode[i].dev;
	*mark = slot.mark;
	mark->flags &= MARK_LASTING;
	*out_identity = identity_of(&slot);
	return 0;
}

void sensor_enter_child(struct sensor *sensor, unsigned slot)
{
	sensor->slot = slot;
}

void sensor_child_ended(struct sensor *sensor, unsigned slot)
{
	__atomic_store_n(&sensor->skel->bss->marking[slot].op, MARKING_IDLE, __ATOMIC_SEQ_CST);
}

void sensor_lend_child(struct sensor *sensor, unsigned slot, pid_t pid)
{
	struct marking_slot *lent = &sensor->skel->bss->marking[slot];

	memset(lent, 0, sizeof(*lent));
	lent->tid = (uint32_t)pid;
	__atomic_store_n(&lent->op, MARKING_IDENTIFY, __ATOMIC_SEQ_CST);
}

int sensor_remark(struct sensor *sensor, const struct inode_id *identity, uint64_t object,
		  uint32_t state, uint32_t watch, uint32_t flags)
{
	const uint32_t changed = MARK_KEY | MARK_SEND | MARK_GROUP;
	struct mark_key at = {.ino = identity->ino, .dev = identity->dev};
	int fd = bpf_map__fd(sensor->skel->maps.marks);
	struct mark mark;

	if (bpf_map_lookup_elem(fd, &at, &mark))
		return -errno;
	if (mark.object != object)
		return -ESTALE;
	flags = (mark.flags & ~changed) | (flags & changed);
	if (mark.state == state && mark.watch == watch && mark.flags == flags)
		return 0;
	mark.state = state;
	mark.watch = watch;
	mark.flags = flags;
	return bpf_map_update_elem(fd, &at, &mark, BPF_EXIST) ? -errno : 0;
}

int sensor_identify(struct sensor *sensor, const char *path, struct inode_id *out_identity)
{
	struct marking_slot slot;
	int r = slot_run(sensor, AT_FDCWD, path, MARKING_IDENTIFY, NULL, &slot);

	if (r < 0)
		return r;
	*out_identity = identity_of(&slot);
	return 0;
}

int sensor_identify_fd(struct sensor *sensor, int fd, struct inode_id *out_identity)
{
	struct marking_slot slot;
	char self[64];
	int opened;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	opened = slot_open(sensor, AT_FDCWD, self, MARKING_IDENTIFY, NULL, true, &slot);
	if (opened < 0)
		return opened;
	fd_close(opened);
	*out_identity = identity_of(&slot);
	return 0;
}

size_t sensor_marked_on(const struct sensor *sensor, uint32_t out_devs[static MARKING_INODES])
{
	memcpy(out_devs, sensor->marked_on, sensor->nr_marked_on * sizeof(*out_devs));
	return sensor->nr_marked_on;
}

/* No filter byte: it is asked for by number where block devices are opened. */
int sensor_mark_block(struct sensor *sensor, uint32_t dev, const struct mark *mark)
{
	struct mark_key key = {.ino = dev, .dev = MARK_DEV_BLOCK};
	int fd = bpf_map__fd(sensor->skel->maps.marks);

	return bpf_map_update_elem(fd, &key, mark, BPF_ANY) ? -errno : 0;
}

int sensor_unmark_block(struct sensor *sensor, uint32_t dev)
{
	struct mark_key key = {.ino = dev, .dev = MARK_DEV_BLOCK};

	return bpf_map_delete_elem(bpf_map__fd(sensor->skel->maps.marks), &key) ? -errno : 0;
}

int sensor_open(struct sensor *sensor, const char *path, struct inode_id *out_inodes, size_t max,
		size_t *out_nr)
{
	struct marking_slot slot;
	int fd = slot_open(sensor, AT_FDCWD, path, MARKING_IDENTIFY, NULL, true, &slot);
	size_t nr = 0;

	if (fd < 0)
		return fd;
	for (; nr < max && nr < slot.nr && nr < MARKING_INODES; nr++)
		out_inodes[nr] = (struct inode_id){
			.ino = slot.inode[nr].ino,
			.dev = slot.inode[nr].dev,
			.gen = slot.inode[nr].gen,
		};
	*out_nr = nr;
	return fd;
}

void sensor_watch_dumps(struct sensor *sensor, uint32_t threshold, uint32_t watch)
{
	/* Each is one word for the probes; what is under way goes by the old one or the new. */
	__atomic_store_n(&sensor->skel->data->dump_threshold, threshold ? threshold : UINT64_MAX,
			 __ATOMIC_RELAXED);
	__atomic_store_n(&sensor->skel->bss->dump_watch, watch, __ATOMIC_RELAXED);
}

int sensor_tell_names(struct sensor *sensor, bool on)
{
	int begin = 0, end = 0;

	/* They stay when they are not asked for any more: a second time they might not attach. */
	if (on) {
		begin = hooks_switch(&sensor->hooks, "on_inode_link", true);
		end = hooks_switch(&sensor->hooks, "on_link_end", true);
		if (end < 0)
			end = hooks_switch(&sensor->hooks, "on_link_end_old", true);
	}
	__atomic_store_n(&sensor->skel->bss->tell_names, on, __ATOMIC_RELAXED);
	return begin < 0 ? begin : end;
}

void sensor_tell_copies(struct sensor *sensor, bool told)
{
	__atomic_store_n(&sensor->skel->bss->copies_told, told, __ATOMIC_RELAXED);
}

int sensor_unmark(struct sensor *sensor, const struct inode_id *identity, uint64_t object)
{
	struct mark_key key = {.ino = identity->ino, .dev = identity->dev};
	struct mark mark;

	if (bpf_map_lookup_elem(bpf_map__fd(sensor->skel->maps.marks), &key, &mark))
		return -errno;
	return mark.object == object ? quota_unmark(sensor, &key) : -ESTALE;
}

bool sensor_is_marked(struct sensor *sensor, const struct inode_id *identity, uint64_t object)
{
	struct mark_key key = {.ino = identity->ino, .dev = identity->dev};
	struct mark mark;

	return !bpf_map_lookup_elem(bpf_map__fd(sensor->skel->maps.marks), &key, &mark) &&
	       mark.object == object;
}

/* The next key is asked for before the present one goes. */
int sensor_unmark_device(struct sensor *sensor, uint32_t dev)
{
	int fd = bpf_map__fd(sensor->skel->maps.marks), gone = 0;
	struct mark_key key, next;
	bool more = !bpf_map_get_next_key(fd, NULL, &next);

	for (uint32_t i = 0; more && i < 2 * sensor->config.marks_max; i++) {
		key = next;
		more = !bpf_map_get_next_key(fd, &key, &next);
		if (key.dev == dev && !quota_unmark(sensor, &key))
			gone++;
	}
	return gone;
}

void sensor_tell_anew(struct sensor *sensor)
{
	__atomic_add_fetch(&sensor->skel->bss->recent_epoch, 1, __ATOMIC_SEQ_CST);
}

/* A target as the kernel side has it, with its entry's deny group. */
static struct watch_target with_group(const struct sensor *sensor, struct watch_target target)
{
	const uint32_t watch = target.watch & WATCH_NR_MASK;

	if (sensor->group && watch)
		target.watch |= (uint32_t)sensor->group(sensor->group_userdata, watch)
				<< WATCH_GROUP_SHIFT;
	return target;
}

int sensor_load_watchset(struct sensor *sensor, const struct watchset *set)
{
	int states = bpf_map__fd(sensor->skel->maps.watch_states);
	int literals = bpf_map__fd(sensor->skel->maps.watch_literals);
	uint32_t first = watchset_first(set);

	for (uint32_t s = first; s < first + watchset_nr_states(set); s++) {
		struct watch_state state = watchset_kernel_state(set, s);
		struct watch_target target;
		const char *name;

		for (uint32_t i = 0; i < state.nr_globs; i++)
			state.globs[i].to = with_group(sensor, state.globs[i].to);
		if (bpf_map_update_elem(states, &s, &state, BPF_ANY))
			return -errno;
		for (size_t i = 0; watchset_literal(set, s, i, &name, &target); i++) {
			struct watch_literal_key key = {
				.name_hash = watch_name_hash(name, strlen(name)),
				.state = s,
			};

			target = with_group(sensor, watchset_kernel_target(set, target));
			if (bpf_map_update_elem(literals, &key, &target, BPF_ANY))
				return -errno;
		}
	}
	return 0;
}

void sensor_unload_watchset(struct sensor *sensor, const struct watchset *set)
{
	int states = bpf_map__fd(sensor->skel->maps.watch_states);
	int literals = bpf_map__fd(sensor->skel->maps.watch_literals);
	uint32_t first = watchset_first(set);

	for (uint32_t s = first; s < first + watchset_nr_states(set); s++) {
		struct watch_target target;
		const char *name;

		for (size_t i = 0; watchset_literal(set, s, i, &name, &target); i++) {
			struct watch_literal_key key = {
				.name_hash = watch_name_hash(name, strlen(name)),
				.state = s,
			};

			bpf_map_delete_elem(literals, &key);
		}
		bpf_map_delete_elem(states, &s);
	}
}
