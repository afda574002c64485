// SPDX-License-Identifier: GPL-2.0-or-later
/* Where runtimes keep what they know of a container, and whether only root may write there. */
#include "trust/runtimes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trust/storage.h"

/* An access control list's mask stands in the place of the group's rights: it is no way around. */
static bool is_owners(const struct runtimes *r, const struct stat *st)
{
	return st->st_uid == r->owner && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Takes over the descriptor: -1 if it is no such directory. */
static int check_directory(const struct runtimes *r, int fd)
{
	_cleanup_close_ int dir = fd;
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || !is_owners(r, &st))
		return -1;
	return take_fd(dir);
}

static int open_directory(const struct runtimes *r, const char *path)
{
	char whole[PATH_MAX];
	int n = snprintf(whole, sizeof(whole), "%s%s", r->root, path);

	if (n < 0 || (size_t)n >= sizeof(whole))
		return -1;
	return check_directory(r, r->open ? r->open(r->userdata, whole)
					  : open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

static int open_below(const struct runtimes *r, int dir, const char *name)
{
	return check_directory(r, openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* -1 if it is not there, or is not to be believed. */
static int open_file(const struct runtimes *r, int dir, const char *name, off_t max,
		     struct stat *out_st)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || fstat(fd, out_st) < 0 || !S_ISREG(out_st->st_mode) || !is_owners(r, out_st) ||
	    out_st->st_size > max)
		return -1;
	return take_fd(fd);
}

static char *read_file(int fd, const struct stat *st, size_t *out_len)
{
	_cleanup_free_ char *text = malloc((size_t)st->st_size + 1);
	size_t at = 0;
	ssize_t n = 0;

	while (text && at < (size_t)st->st_size &&
	       (n = read(fd, text + at, (size_t)st->st_size - at)) > 0)
		at += (size_t)n;
	if (!text || n < 0)
		return NULL;
	*out_len = at;
	return take_ptr(text);
}

static bool ask_file(const struct runtimes *r, int dir, const char *name, enum image_source source,
		     const char *container, struct container_image *out_image)
{
	struct stat st;
	size_t len = 0;
	_cleanup_close_ int fd = open_file(r, dir, name, RUNTIME_ONE_MAX, &st);
	_cleanup_free_ char *text = fd < 0 ? NULL : read_file(fd, &st, &len);

	return text && image_parse(source, text, len, container, out_image) == 0;
}

static bool ask_docker(const struct runtimes *r, const char *container,
		       struct container_image *out_image)
{
	_cleanup_close_ int all = open_directory(r, "/var/lib/docker/containers"),
			    dir = all < 0 ? -1 : open_below(r, all, container);

	return dir >= 0 && ask_file(r, dir, "config.v2.json", IMAGE_DOCKER, container, out_image);
}

/* Those of `podman run --rm` are volatile; in a transient store these stand in /run. */
static const struct {
	const char *dir, *name;
} storages[] = {
	{"/var/lib/containers/storage/overlay-containers", "containers.json"},
	{"/var/lib/containers/storage/overlay-containers", "volatile-containers.json"},
	{"/run/containers/storage/overlay-containers", "volatile-containers.json"},
};

struct runtimes_kept {
	struct storage storages[ARRAY_SIZE(storages)];
};

struct runtimes_kept *runtimes_kept_new(void)
{
	return calloc(1, sizeof(struct runtimes_kept));
}

void runtimes_kept_free(struct runtimes_kept *kept)
{
	if (!kept)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(storages); i++)
		storage_fini(&kept->storages[i]);
	free(kept);
}

/* Reads it anew if it is another than the one that is kept. */
static bool read_storage(int fd, const struct stat *st, struct storage *storage)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (storage_is(storage, st))
		return true;
	text = read_file(fd, st, &len);
	return text && storage_keep(storage, st, text, len);
}

static bool ask_storage(const struct runtimes *r, const char *container,
			struct container_image *out_image)
{
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(storages) && !found; i++) {
		_cleanup_close_ int dir = open_directory(r, storages[i].dir), fd = -1;
		struct storage own = {.known = false}, *storage = &own;
		struct stat st;

		if (r->kept)
			storage = &r->kept->storages[i];
		if (dir >= 0)
			fd = open_file(r, dir, storages[i].name, RUNTIME_FILE_MAX, &st);
		found = fd >= 0 && read_storage(fd, &st, storage) &&
			storage_find(storage, container, out_image);
		storage_fini(&own);
	}
	return found;
}

/*
 * Only the name space of kubernetes: in any other (docker's, that of `ctr` and nerdctl) who makes a
 * container gives it what annotations he likes.
 */
static bool ask_containerd(const struct runtimes *r, const char *container,
			   struct container_image *out_image)
{
	static const char *const tasks[] = {
		"/run/containerd/io.containerd.runtime.v2.task",
		"/run/k3s/containerd/io.containerd.runtime.v2.task",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		_cleanup_close_ int all = open_directory(r, tasks[i]),
				    space = all < 0 ? -1 : open_below(r, all, "k8s.io"),
				    bundle = space < 0 ? -1 : open_below(r, space, container);

		if (bundle >= 0 &&
		    ask_file(r, bundle, "config.json", IMAGE_CRI, container, out_image))
			return true;
	}
	return false;
}

int runtimes_find_image(const struct runtimes *r, struct span container,
			struct container_image *out_image)
{
	char id[CONTAINER_ID_SIZE];

	if (!container_id_is_whole(container))
		return -ENOENT;
	memcpy(id, container.p, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	return ask_docker(r, id, out_image) || ask_storage(r, id, out_image) ||
			       ask_containerd(r, id, out_image)
		       ? 0
		       : -ENOENT;
}
