// SPDX-License-Identifier: GPL-2.0-or-later
/* Swap and hibernation: does memory get onto a disk as it is? */
#include <fcntl.h>
#include <string.h>

#include "base/escape.h"
#include "doctor/host.h"

#define DEPTH_MAX 8 /* of devices over devices */

/* The name below /sys/class/block of what /dev/NAME is: mapper's names are links. */
static void block_name(const struct root *root, const char *path, char out[256])
{
	char link[256];
	const char *name;

	snprintf(out, 256, "%s", path);
	if (!strncmp(path, "/dev/", 5) && root_link(root, path, link, sizeof(link)) == 0)
		snprintf(out, 256, "%s", link);
	name = strrchr(out, '/');
	if (name)
		memmove(out, name + 1, strlen(name + 1) + 1);
}

int device_encrypted(const struct root *root, const char *name, unsigned depth)
{
	char path[512], uuid[256] = "";
	struct root_names slaves;
	int encrypted, err;

	snprintf(path, sizeof(path), "/sys/class/block/%s/dm/uuid", name);
	err = root_line(root, path, uuid, sizeof(uuid));
	if (!err && !strncmp(uuid, "CRYPT-", 6))
		return 1;
	snprintf(path, sizeof(path), "/sys/class/block/%s/slaves", name);
	err = root_list(root, path, "", &slaves);
	if (err == -ENOENT) { /* a partition has none; is the device there at all? */
		_cleanup_close_ int fd = -1;

		snprintf(path, sizeof(path), "/sys/class/block/%s", name);
		fd = root_fd(root, path, O_PATH);
		return fd < 0 ? fd : 0;
	}
	if (err < 0)
		return err;
	/* On all that it lies on. */
	encrypted = slaves.cut ? -E2BIG : slaves.nr > 0;
	for (size_t i = 0; i < slaves.nr && encrypted == 1; i++)
		encrypted = depth < DEPTH_MAX ? device_encrypted(root, slaves.names[i], depth + 1)
					      : -ELOOP;
	root_names_fini(&slaves);
	return encrypted;
}

static int file_encrypted(const struct root *root, const char *file)
{
	_cleanup_free_ char *text = NULL;
	struct mount mount;
	char path[64], link[512], name[256];
	size_t len;
	int err = root_read(root, "/proc/self/mountinfo", 16 << 20, &text, &len);

	if (err < 0)
		return err;
	if (!conf_mount_of(text, file, &mount))
		return -ENODATA;
	/* btrfs has a number of its own, but names its device. */
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", mount.major, mount.minor);
	if (root_link(root, path, link, sizeof(link)) == 0)
		block_name(root, link, name);
	else
		block_name(root, mount.source, name);
	return device_encrypted(root, name, 0);
}

static void add_zram(const struct root *root, const char *name, struct swap *swap)
{
	char path[300], disk[256] = "none";

	snprintf(path, sizeof(path), "/sys/block/%s/backing_dev", name);
	root_line(root, path, disk, sizeof(disk));
	swap->known = true;
	swap->kind = !strcmp(disk, "none") ? SWAP_MEMORY : SWAP_PLAIN;
}

/* "/dev/dm-1    partition  1234 0 -2" */
static void add_swap(const struct root *root, const char *line, struct host_facts *f)
{
	struct swap *swap = &f->swaps[f->nr_swaps];
	size_t len = strcspn(line, " \t\n");
	const char *type = line + len + strspn(line + len, " \t");
	char path[256], name[256];
	int encrypted;

	if (!len || len >= sizeof(path) || *type == '\n' || !*type)
		return;
	snprintf(path, sizeof(path), "%.*s", (int)len, line);
	*swap = (struct swap){.kind = SWAP_PLAIN};
	escape_bytes(path, strlen(path), swap->path, sizeof(swap->path), NULL);
	f->nr_swaps++;
	block_name(root, path, name);
	if (!strncmp(name, "zram", 4)) {
		add_zram(root, name, swap);
		return;
	}
	encrypted = !strncmp(type, "file", 4) ? file_encrypted(root, path)
					      : device_encrypted(root, name, 0);
	swap->known = encrypted >= 0;
	swap->kind = encrypted == 1 ? SWAP_ENCRYPTED : SWAP_PLAIN;
}

static void read_resume(const struct root *root, struct host_facts *f)
{
	_cleanup_free_ char *text = NULL;
	char value[256], path[64], link[512], name[256] = "";
	size_t len;

	fact_line(root, "/sys/power/resume", &f->resume);
	if (!f->resume.error && strcmp(f->resume.value, "0:0") && f->resume.value[0]) {
		f->hibernates = true;
		snprintf(path, sizeof(path), "/sys/dev/block/%.32s", f->resume.value);
		if (root_link(root, path, link, sizeof(link)) == 0)
			block_name(root, link, name);
	} else if (root_read(root, "/proc/cmdline", ROOT_TEXT_MAX, &text, &len) == 0 &&
		   conf_cmdline(text, "resume", value, sizeof(value))) {
		f->hibernates = true;
		f->resume = (struct fact){.error = 0, .path = "/proc/cmdline"};
		snprintf(f->resume.value, sizeof(f->resume.value), "resume=%.240s", value);
		if (!strncmp(value, "/dev/", 5))
			block_name(root, value, name);
	}
	f->resume_encrypted = name[0] && device_encrypted(root, name, 0) == 1;
}

void swap_facts(const struct root *root, struct host_facts *facts)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	facts->swaps_error = root_read(root, "/proc/swaps", ROOT_TEXT_MAX, &text, &len);
	if (!facts->swaps_error) {
		const char *line = strchr(text, '\n'); /* after the heading */

		for (; line && line[1] && facts->nr_swaps < SWAPS_MAX; line = strchr(line, '\n'))
			add_swap(root, ++line, facts);
		if (line && line[1])
			facts->swaps_error = -E2BIG;
	}
	read_resume(root, facts);
}
