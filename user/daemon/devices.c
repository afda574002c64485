// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows file systems down to their block devices and keeps those marked. */
#include "daemon/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libmount/libmount.h>

#include "base/cleanup.h"
#include "daemon/mounts.h"
#include "sensor/sensor.h"
#include "watch/watcher.h"

#define DEVICES_MAX 256 /* devices and files of loop devices */
#define NOTED_MAX   64 /* file systems */

/* Numbers of devices as objects: apart from those of files (user/watch/tree.h counts from 1). */
#define DEVICE_OBJECT	 (1ULL << 62)
#define LOOP_FILE_OBJECT (1ULL << 62 | 1ULL << 61)

struct device {
	uint32_t dev; /* kernel encoding; of a loop device's file: of the loop device */
	bool is_file; /* behind a loop device */
	bool current; /* found in the refresh that runs */
	bool marked;
	struct inode_id inode; /* of a file */
	uint64_t object;
	char path[PATH_MAX];
};

struct devices {
	struct sensor *sensor;
	void (*object)(void *userdata, const struct watched *watched);
	void *userdata;
	uint32_t noted[NOTED_MAX];
	size_t nr_noted;
	struct device *items[DEVICES_MAX];
	size_t nr;
	uint32_t watch;
	bool dirty;
};

static uint32_t kernel_dev(dev_t dev)
{
	return (uint32_t)(major(dev) << 20 | minor(dev));
}

int devices_new(struct sensor *sensor,
		void (*object)(void *userdata, const struct watched *watched), void *userdata,
		struct devices **out_devices)
{
	struct devices *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->sensor = sensor;
	d->object = object;
	d->userdata = userdata;
	*out_devices = d;
	return 0;
}

void devices_free(struct devices *d)
{
	if (!d)
		return;
	while (d->nr)
		free(d->items[--d->nr]);
	free(d);
}

void devices_note(struct devices *d, uint32_t dev)
{
	for (size_t i = 0; i < d->nr_noted; i++)
		if (d->noted[i] == dev)
			return;
	if (d->nr_noted == NOTED_MAX)
		return;
	d->noted[d->nr_noted++] = dev;
	d->dirty = true;
}

void devices_forget_all(struct devices *d)
{
	d->nr_noted = 0;
	d->dirty = true;
}

void devices_forget(struct devices *d, uint32_t dev)
{
	for (size_t i = 0; i < d->nr_noted; i++) {
		if (d->noted[i] != dev)
			continue;
		d->noted[i] = d->noted[--d->nr_noted];
		d->dirty = true;
		return;
	}
}

void devices_remounted(struct devices *d)
{
	d->dirty = true;
}

size_t devices_count(const struct devices *d)
{
	return d->nr;
}

/* --- what /sys knows ---------------------------------------------------------------------- */

/* The first line of a file below `dir`, without its end. False: there is none. */
static bool read_line(const char *dir, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	_cleanup_fclose_ FILE *f = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f || !fgets(out, (int)size, f))
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

static bool read_dev(const char *dir, const char *name, uint32_t *out_dev)
{
	unsigned long dev_major, dev_minor;
	char line[64], *end;

	if (!read_line(dir, name, line, sizeof(line)))
		return false;
	dev_major = strtoul(line, &end, 10);
	if (*end != ':')
		return false;
	dev_minor = strtoul(end + 1, &end, 10);
	if (*end || dev_major > 0xfff || dev_minor > 0xfffff)
		return false;
	*out_dev = (uint32_t)(dev_major << 20 | dev_minor);
	return true;
}

static void sys_dir(uint32_t dev, char out[static PATH_MAX])
{
	snprintf(out, PATH_MAX, "/sys/dev/block/%u:%u", dev >> 20, dev & 0xfffff);
}

/* /dev/NAME as udev and devtmpfs call it. */
static void device_path(const char *dir, uint32_t dev, char out[static PATH_MAX])
{
	char path[PATH_MAX], line[256];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%.*s/uevent", PATH_MAX - 16, dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "DEVNAME=", 8)) {
			snprintf(out, PATH_MAX, "/dev/%s", line + 8);
			return;
		}
	}
	snprintf(out, PATH_MAX, "/dev/block/%u:%u", dev >> 20, dev & 0xfffff);
}

/* --- the set ------------------------------------------------------------------------------ */

/* The device's place in the set. NULL: no room. *out_new: it has just got there. */
static struct device *take(struct devices *d, uint32_t dev, bool is_file, bool *out_new)
{
	struct device *device;

	for (size_t i = 0; i < d->nr; i++) {
		device = d->items[i];
		if (device->dev != dev || device->is_file != is_file)
			continue;
		*out_new = !device->current;
		device->current = true;
		return device;
	}
	if (d->nr == DEVICES_MAX)
		return NULL;
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	device->dev = dev;
	device->is_file = is_file;
	device->current = true;
	device->object = (is_file ? LOOP_FILE_OBJECT : DEVICE_OBJECT) | dev;
	d->items[d->nr++] = device;
	*out_new = true;
	return device;
}

static void tell(struct devices *d, const struct device *device, uint32_t watch, bool fresh)
{
	const struct watched watched = {
		.object = device->object,
		.inode = device->inode,
		.path = device->path,
		.watch = watch,
		.fresh = fresh,
	};

	d->object(d->userdata, &watched);
}

static void mark(struct devices *d, struct device *device)
{
	struct mark m = {
		.object = device->object,
		.watch = d->watch,
		.flags = MARK_FILE,
	};
	int r;

	if (device->is_file) {
		m.flags |= MARK_KEEP; /* the policy may watch it as something else */
		r = sensor_mark(d->sensor, AT_FDCWD, device->path, &m, &device->inode);
		/* Its own mark is of an earlier refresh; somebody else's is not ours to tell. */
		if (!r && m.object != device->object)
			return;
	} else {
		r = sensor_mark_block(d->sensor, device->dev, &m);
	}
	if (!r)
		tell(d, device, d->watch, !device->marked);
	device->marked |= !r;
}

static void unmark(struct devices *d, struct device *device)
{
	if (!device->marked)
		return;
	if (device->is_file)
		sensor_unmark(d->sensor, &device->inode, device->object);
	else
		sensor_unmark_block(d->sensor, device->dev);
	tell(d, device, 0, false);
}

static void add(struct devices *d, uint32_t dev, unsigned depth);
static void add_file_system(struct devices *d, uint32_t dev, unsigned depth);

/* All that the names in `dir` lead to; of a btrfs, `dir` has its devices. */
static void add_all(struct devices *d, const char *dir, unsigned depth)
{
	_cleanup_closedir_ DIR *entries = opendir(dir);

	for (struct dirent *e; entries && (e = readdir(entries));) {
		char name[PATH_MAX];
		uint32_t dev;

		snprintf(name, sizeof(name), "%.*s/dev", (int)sizeof(name) - 5, e->d_name);
		if (e->d_name[0] != '.' && read_dev(dir, name, &dev))
			add(d, dev, depth);
	}
}

/* The file of a loop device, and what that is on. */
static void add_loop_file(struct devices *d, uint32_t dev, const char *path, unsigned depth)
{
	struct stat st;
	bool is_new;
	struct device *device;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	device = take(d, dev, true, &is_new);
	if (!device || !is_new)
		return;
	snprintf(device->path, sizeof(device->path), "%s", path);
	mark(d, device);
	add_file_system(d, kernel_dev(st.st_dev), depth);
}

static void add(struct devices *d, uint32_t dev, unsigned depth)
{
	char dir[PATH_MAX], below[PATH_MAX], line[PATH_MAX];
	struct device *device;
	uint32_t parent;
	bool is_new;

	sys_dir(dev, dir);
	if (!depth || access(dir, F_OK) < 0)
		return;
	device = take(d, dev, false, &is_new);
	if (!device || !is_new)
		return;
	device_path(dir, dev, device->path);
	mark(d, device);
	if (read_line(dir, "partition", line, sizeof(line)) && read_dev(dir, "../dev", &parent))
		add(d, parent, depth - 1);
	if (!read_line(dir, "dm/uuid", line, sizeof(line)) || strncmp(line, "CRYPT-", 6)) {
		snprintf(below, sizeof(below), "%.*s/slaves", PATH_MAX - 16, dir);
		add_all(d, below, depth - 1);
	}
	if (read_line(dir, "loop/backing_file", line, sizeof(line)))
		add_loop_file(d, dev, line, depth - 1);
}

/* A btrfs on this device has others. */
static void add_btrfs(struct devices *d, const char *source, unsigned depth)
{
	_cleanup_closedir_ DIR *all = opendir("/sys/fs/btrfs");
	const char *slash = strrchr(source, '/');

	for (struct dirent *e; all && slash && (e = readdir(all));) {
		_cleanup_free_ char *one = NULL, *dir = NULL;

		if (e->d_name[0] == '.' ||
		    asprintf(&dir, "/sys/fs/btrfs/%s/devices", e->d_name) < 0 ||
		    asprintf(&one, "%s/%s", dir, slash + 1) < 0)
			continue;
		if (access(one, F_OK) == 0)
			add_all(d, dir, depth);
	}
}

/* A file system with a number that is no device's: what was mounted says what it is on. */
static void add_mounted(struct devices *d, uint32_t dev, unsigned depth)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;

	if (table && iter && mnt_table_parse_file(table, "/proc/self/mountinfo") == 0) {
		while (!mnt_table_next_fs(table, iter, &fs)) {
			const char *source = mnt_fs_get_source(fs);
			struct stat st;

			/* What waits on a server or a process may name a place on another such. */
			if (kernel_dev(mnt_fs_get_devno(fs)) != dev || !source ||
			    source[0] != '/' || !mounts_type_answers(mnt_fs_get_fstype(fs)) ||
			    stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
				continue;
			add(d, kernel_dev(st.st_rdev), depth);
			if (mnt_fs_match_fstype(fs, "btrfs"))
				add_btrfs(d, source, depth);
			break;
		}
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
}

static void add_file_system(struct devices *d, uint32_t dev, unsigned depth)
{
	if (dev >> 20)
		add(d, dev, depth);
	else
		add_mounted(d, dev, depth);
}

void devices_refresh(struct devices *d, uint32_t watch)
{
	size_t kept = 0;

	if (!d->dirty && watch == d->watch)
		return;
	d->dirty = false;
	d->watch = watch;
	for (size_t i = 0; i < d->nr; i++)
		d->items[i]->current = false;
	for (size_t i = 0; watch && i < d->nr_noted; i++)
		add_file_system(d, d->noted[i], 16);
	for (size_t i = 0; i < d->nr; i++) {
		struct device *device = d->items[i];

		if (device->current) {
			d->items[kept++] = device;
			continue;
		}
		unmark(d, device);
		free(device);
	}
	d->nr = kept;
}
