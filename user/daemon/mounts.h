/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount table: tells where something was mounted, so that watched names below it are marked
 * (homes at login), where a mount ended, and which file systems answer at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "model/event.h"

struct mounts;

/*
 * mounted: something is mounted at `path` now that was not before. unmounted: what was mounted
 * there is not any more, and what it lay over can be seen again.
 */
int mounts_new(sd_event *loop, void (*mounted)(void *userdata, const char *path),
	       void (*unmounted)(void *userdata, const char *path), void *userdata,
	       struct mounts **out_mounts);
void mounts_free(struct mounts *mounts);

/*
 * Whether a file system of this type answers at once, as far as that can be known: it is on a disk
 * of this host or in its memory. Not: what is asked of a server or of a process (NFS, FUSE), what
 * mounts itself when it is looked at (autofs), and types that we do not know.
 */
bool mounts_type_answers(const char *type);

/* Made up by the kernel (proc, sysfs, ...): nobody keeps a file there. */
bool mounts_type_is_pseudo(const char *type);

/* Every mount; one may lie on another. */
void mounts_each(struct mounts *mounts,
		 void (*call)(void *userdata, const char *path, int id, const char *type,
			      bool answers),
		 void *userdata);

/*
 * Two paths that begin at the root of the file system `dev` (the kernel's encoding, as in struct
 * inode_id) and are on one mount, as they are from the host's root. Where several mounts show both:
 * the one by which one of the two is `known` (may be empty), else the one that shows most. NUL
 * terminated. False: none does, or there is no room for it, and nothing is written.
 */
bool mounts_whole_paths(struct mounts *mounts, uint32_t dev, struct span known, struct span one,
			struct span other, char *out_one, char *out_other, size_t size);

/*
 * As reach.answers (watch/reach.h), by the mount that `fd` lies on. Does not touch the file system.
 */
bool mounts_answers(struct mounts *mounts, int fd);

/* The type of what is mounted at exactly this path, NULL: nothing is. Until the next call. */
const char *mounts_type_at(struct mounts *mounts, const char *path);

/* Where the mounts are that do not answer, but for those that only wait to mount (autofs). */
void mounts_each_slow(struct mounts *mounts, void (*call)(void *userdata, const char *path),
		      void *userdata);
