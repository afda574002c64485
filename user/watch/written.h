/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that were closed after writing: which of them are dumps, or may be copies of a key?
 *
 * The kernel side tells each large file as it is closed, and each file of who has a key
 * (EVENT_WRITTEN). It is opened here, by the path that the writer used, its first bytes are read
 * and nothing else, and what is a dump is watched from then on, whatever its name. Whoever wants to
 * do more with a dump (look for keys in it) is told by written_ops.dump, with the file open.
 *
 * What else a holder of a key writes may be a copy of it, plain or packed (WRITTEN_COPY). It is
 * handed on likewise, and not watched: that is for who finds the key in it. Programs write under
 * another name and rename when they are done (zip, rsync), so a holder's file is looked for under
 * other names of its directory: among the first 4096, and of 16384 in one run and a quarter of that
 * for one user. In another directory it is not looked for.
 *
 * The path is the writer's and hostile: no link is followed, nothing but a regular file is opened
 * for reading, and only if it is the inode that the kernel side saw closed. File systems that may
 * keep an open waiting (network, FUSE) are left alone and counted.
 *
 * One thread. Time is not its business.
 */
#pragma once

#include <stdint.h>

#include "model/event.h"

struct watcher;
struct written;

struct written_ops {
	/* As sensor_open(). */
	int (*open)(void *userdata, const char *path, struct inode_id *out_inodes, size_t max,
		    size_t *out_nr);
	/*
	 * The file was looked at: `event` with its kind, and the object that it is watched as (0 =
	 * none). `fd` is open for reading at its beginning, and stays ours. Only told of dumps, of
	 * what a dump's helper wrote, and of possible copies (WRITTEN_COPY in its `how`).
	 */
	void (*dump)(void *userdata, const struct event *event, int fd);
};

struct written_stats {
	uint64_t told; /* by the kernel side */
	uint64_t dumps, compressed;
	uint64_t stored; /* of the compressed: a core, as its attributes say */
	uint64_t copies; /* that may be copies of a key */
	uint64_t renamed; /* of those, found under another name */
	uint64_t gone; /* not found, or another file by now */
	uint64_t skipped; /* on a file system that is left alone */
	uint64_t dropped; /* no room to wait in */
};

int written_new(struct watcher *watcher, const struct written_ops *ops, void *userdata,
		struct written **out_written);
void written_free(struct written *written);

/* EVENT_WRITTEN: kept until written_run(). Of several closes of one file the last counts. */
void written_add(struct written *written, const struct event *event);

/* Looks at what was added. After the rings were drained, so that marks of the same files are known.
 */
void written_run(struct written *written);

void written_stats(const struct written *written, struct written_stats *out_stats);
