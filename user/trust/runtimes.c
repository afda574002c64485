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

const char *runtimes_fault_str(enum runtimes_fault fault)
{
	static const char *const words[RUNTIMES_FAULT_NR] = {
		[RUNTIMES_NONE] = "none",	  [RUNTIMES_OWNER] = "owner",
		[RUNTIMES_WRITABLE] = "writable", [RUNTIMES_TYPE] = "type",
		[RUNTIMES_SIZE] = "size",	  [RUNTIMES_FORMAT] = "format",
		[RUNTIMES_SILENT] = "silent",	  [RUNTIMES_UNREADABLE] = "unreadable",
	};

	return fault < RUNTIMES_FAULT_NR ? words[fault] : "?";
}

const char *runtimes_fault_text(enum runtimes_fault fault)
{
	static const char *const texts[RUNTIMES_FAULT_NR] = {
		[RUNTIMES_NONE] = "counts",
		[RUNTIMES_OWNER] = "is not root's",
		[RUNTIMES_WRITABLE] = "can be written by others than root",
		[RUNTIMES_TYPE] = "is a link, or something else that runtimes do not make",
		[RUNTIMES_SIZE] = "is too large",
		[RUNTIMES_FORMAT] = "is not the JSON that it should be",
		[RUNTIMES_SILENT] = "lies on a file system that may not answer",
		[RUNTIMES_UNREADABLE] = "cannot be read",
	};

	return fault < RUNTIMES_FAULT_NR ? texts[fault] : "?";
}

/* To a file, name by name. */
struct way {
	const struct runtimes *r;
	struct runtimes_refused *refused; /* the first of all ways */
	char path[RUNTIMES_PATH_SIZE]; /* what is looked at */
};

static void refuse(struct way *way, enum runtimes_fault fault)
{
	if (way->refused->fault)
		return;
	way->refused->fault = fault;
	memcpy(way->refused->path, way->path, sizeof(way->path));
}

/* That something is not there is no fault: most hosts have one runtime. */
static void refuse_error(struct way *way, int error)
{
	if (error == ENOTDIR || error == ELOOP)
		refuse(way, RUNTIMES_TYPE);
	else if (error == EREMOTE)
		refuse(way, RUNTIMES_SILENT);
	else if (error != ENOENT)
		refuse(way, RUNTIMES_UNREADABLE);
}

/* An access control list's mask stands in the place of the group's rights: it is no way around. */
static bool is_owners(struct way *way, const struct stat *st)
{
	if (st->st_uid != way->r->owner)
		refuse(way, RUNTIMES_OWNER);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		refuse(way, RUNTIMES_WRITABLE);
	else
		return true;
	return false;
}

/* Takes over the descriptor, or a negative errno: -1 if it is no directory that counts. */
static int check_directory(struct way *way, int fd)
{
	_cleanup_close_ int dir = fd;
	struct stat st;

	if (dir < 0)
		refuse_error(way, -dir);
	else if (fstat(dir, &st) < 0)
		refuse_error(way, errno);
	else if (!S_ISDIR(st.st_mode))
		refuse(way, RUNTIMES_TYPE);
	else if (is_owners(way, &st))
		return take_fd(dir);
	return -1;
}

static int open_directory(struct way *way, const char *path)
{
	const struct runtimes *r = way->r;
	char whole[PATH_MAX];
	int n = snprintf(whole, sizeof(whole), "%s%s", r->root, path), fd;

	snprintf(way->path, sizeof(way->path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(whole))
		return -1;
	if (r->open)
		return check_directory(way, r->open(r->userdata, whole));
	fd = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return check_directory(way, fd < 0 ? -errno : fd);
}

static void go_on(struct way *way, const char *name)
{
	const size_t n = strlen(way->path);

	snprintf(way->path + n, sizeof(way->path) - n, "/%s", name);
}

static int open_below(struct way *way, int dir, const char *name)
{
	int fd;

	go_on(way, name);
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return check_directory(way, fd < 0 ? -errno : fd);
}

/* -1 if it is not there, or is not to be believed. */
static int open_file(struct way *way, int dir, const char *name, off_t max, struct stat *out_st)
{
	_cleanup_close_ int fd = -1;

	go_on(way, name);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, out_st) < 0)
		refuse_error(way, errno);
	else if (!S_ISREG(out_st->st_mode))
		refuse(way, RUNTIMES_TYPE);
	else if (is_owners(way, out_st)) {
		if (out_st->st_size <= max)
			return take_fd(fd);
		refuse(way, RUNTIMES_SIZE);
	}
	return -1;
}

static char *read_file(struct way *way, int fd, const struct stat *st, size_t *out_len)
{
	_cleanup_free_ char *text = malloc((size_t)st->st_size + 1);
	size_t at = 0;
	ssize_t n = 0;

	while (text && at < (size_t)st->st_size &&
	       (n = read(fd, text + at, (size_t)st->st_size - at)) > 0)
		at += (size_t)n;
	if (!text || n < 0) {
		refuse(way, RUNTIMES_UNREADABLE);
		return NULL;
	}
	*out_len = at;
	return take_ptr(text);
}

static bool ask_file(struct way *way, int dir, const char *name, enum image_source source,
		     const char *container, struct container_image *out_image)
{
	struct stat st;
	size_t len = 0;
	_cleanup_close_ int fd = open_file(way, dir, name, RUNTIME_ONE_MAX, &st);
	_cleanup_free_ char *text = fd < 0 ? NULL : read_file(way, fd, &st, &len);
	int r = text ? image_parse(source, text, len, container, out_image) : -ENOENT;

	if (r == -EINVAL)
		refuse(way, RUNTIMES_FORMAT);
	return r == 0;
}

static bool ask_docker(struct way *way, const char *container, struct container_image *out_image)
{
	_cleanup_close_ int all = open_directory(way, "/var/lib/docker/containers"),
			    dir = all < 0 ? -1 : open_below(way, all, container);

	return dir >= 0 && ask_file(way, dir, "config.v2.json", IMAGE_DOCKER, container, out_image);
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
static bool read_storage(struct way *way, int fd, const struct stat *st, struct storage *storage)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (!storage_is(storage, st)) {
		text = read_file(way, fd, st, &len);
		if (!text || !storage_keep(storage, st, text, len))
			return false;
	}
	if (storage->wrong)
		refuse(way, RUNTIMES_FORMAT);
	return true;
}

static bool ask_storage(struct way *way, const char *container, struct container_image *out_image)
{
	const struct runtimes *r = way->r;
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(storages) && !found; i++) {
		_cleanup_close_ int dir = open_directory(way, storages[i].dir), fd = -1;
		struct storage own = {.known = false}, *storage = &own;
		struct stat st;

		if (r->kept)
			storage = &r->kept->storages[i];
		if (dir >= 0)
			fd = open_file(way, dir, storages[i].name, RUNTIME_FILE_MAX, &st);
		found = fd >= 0 && read_storage(way, fd, &st, storage) &&
			storage_find(storage, container, out_image);
		storage_fini(&own);
	}
	return found;
}

/*
 * Only the name space of kubernetes: in any other (docker's, that of `ctr` and nerdctl) who makes a
 * container gives it what annotations he likes.
 */
static bool ask_containerd(struct way *way, const char *container,
			   struct container_image *out_image)
{
	static const char *const tasks[] = {
		"/run/containerd/io.containerd.runtime.v2.task",
		"/run/k3s/containerd/io.containerd.runtime.v2.task",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++) {
		_cleanup_close_ int all = open_directory(way, tasks[i]),
				    space = all < 0 ? -1 : open_below(way, all, "k8s.io"),
				    bundle = space < 0 ? -1 : open_below(way, space, container);

		if (bundle >= 0 &&
		    ask_file(way, bundle, "config.json", IMAGE_CRI, container, out_image))
			return true;
	}
	return false;
}

int runtimes_find_image(const struct runtimes *r, struct span container,
			struct runtimes_refused *refused, struct container_image *out_image)
{
	struct way way = {.r = r, .refused = refused};
	char id[CONTAINER_ID_SIZE];

	*refused = (struct runtimes_refused){.fault = RUNTIMES_NONE};
	if (!container_id_is_whole(container))
		return -ENOENT;
	memcpy(id, container.p, sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	return ask_docker(&way, id, out_image) || ask_storage(&way, id, out_image) ||
			       ask_containerd(&way, id, out_image)
		       ? 0
		       : -ENOENT;
}
