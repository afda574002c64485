/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an executable is, beyond its path: the hash of its content, and the package that it came
 * with. Worked out on a thread of its own, since reading a program and the package database may
 * take a second, and at the lowest priority, but for what is wanted first; kept by the file's
 * identity and the time of its last change.
 * The descriptor that is read is the file that was identified, whatever its path leads to by then.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/event.h"
#include "trust/rpm.h"

#define INSPECT_FILE_MAX (64ULL << 20) /* bytes; larger executables are not read */

struct inspect;

struct inspect_ops {
	/*
	 * An O_PATH descriptor of what stands at an absolute path, no link followed, and without a
	 * step into a file system that may not answer; negative errno. As reach_path().
	 */
	int (*open)(void *userdata, const char *path);
	/* As sensor_identify_fd(). */
	int (*identify)(void *userdata, int fd, struct inode_id *out_identity);
	/* Strings are valid during the call. From inspect_want() and inspect_answer(). */
	void (*told)(void *userdata, const struct event_program *program);
};

struct inspect_stats {
	uint32_t waiting, known;
	uint64_t done, failed, dropped;
	uint64_t unread; /* questions that the database of rpm did not answer */
};

/* info: DPKG_INFO, or its like; rpm: NULL as for rpm_find(). Both and ops are kept. */
int inspect_new(const struct inspect_ops *ops, void *userdata, const char *info,
		const struct rpm_reader *rpm, struct inspect **out_inspect);
void inspect_free(
	struct inspect *inspect); /* waits for the file that is being read, 64 MiB at most */

/* Readable when inspect_answer() has something to do; owned by `inspect`. */
int inspect_fd(const struct inspect *inspect);
void inspect_answer(struct inspect *inspect);

/*
 * Has the executable at `path` looked at, if it is the one of that identity (NULL: whatever stands
 * there), unless it is known: then it is told once more from time to time, since whoever listens
 * forgets. What is not there for this namespace, or cannot be opened without waiting, is passed
 * over. `first`: before all that is only nice to know, at the daemon's own priority (with
 * CAP_SYS_RESOURCE or CAP_SYS_NICE), and what users make wait keeps no place from it.
 */
void inspect_want(struct inspect *inspect, struct span path, const struct inode_id *identity,
		  bool first);

/*
 * The package of a file by its path and hashes (as dpkg_find(), rpm_find()): dpkg's word, and where
 * that knows nothing of it, rpm's. Returns false if rpm's database did not answer: the package is
 * not known then, whatever dpkg says. Safe in any thread; may wait for seconds.
 */
bool inspect_package(const char *info, const struct rpm_reader *rpm, const char *path,
		     const char *sha256, const char *md5, char out_package[static PACKAGE_MAX],
		     enum package_state *out_state);

/* Tells once more what is known of the executable of that identity. Nothing, if nothing is. */
void inspect_tell(struct inspect *inspect, const struct inode_id *identity);

/*
 * Has what is known of the executable at `path`, of that identity, found out once more, though it
 * has not changed: the package database may have. `first`: before what users have started. Told
 * when that is done; until then it is what it was.
 */
void inspect_again(struct inspect *inspect, struct span path, const struct inode_id *identity,
		   bool first);

void inspect_stats(const struct inspect *inspect, struct inspect_stats *out_stats);
