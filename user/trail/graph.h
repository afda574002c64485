/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in, nodes and edges out: follows each key from its file to who read it, to what they
 * forked, crashed into, wrote, and to who read that.
 *
 * Pure: looks at nothing but the events and what the caller knows of an object. Only what a scan
 * has confirmed carries a key on: who reads a file that a holder merely wrote does not count as
 * having the key. Who has read a key's file, a confirmed file, the memory of a holder, or was
 * forked by a holder, is a holder until it execs or ends. A child that does nothing else that
 * concerns the key is not told (a server forks for each connection); if it does, its way is told
 * before that.
 *
 * Bounded: processes and files have a cap each. When it is reached the one that has ended, else the
 * one used longest ago, is forgotten and counted; what it does later is not followed, which is told
 * as a gap (`trail-full`) once per TRAIL_FULL_NS. Not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"
#include "trail/trail.h"

#define TRAIL_PROCESSES_DEFAULT 8192
#define TRAIL_FILES_DEFAULT	8192
#define TRAIL_READERS_MAX	4 /* of a file that is not confirmed yet, the latest */
#define TRAIL_CRASHES		64
#define TRAIL_FULL_NS		600000000000ULL
#define TRAIL_STEPS_MAX		16

struct trail_graph;

/* What the caller knows of a watched object; spans live during the call. */
struct trail_object {
	struct inode_id inode;
	struct span path, watch;
	bool holds_key; /* its class is one of keys */
	bool is_dump;
	bool is_copy; /* of a key, in which a scan has found it */
	const struct key_identity *key; /* NULL: not known (yet) */
};

typedef bool (*trail_object_fn)(void *ctx, uint64_t number, struct trail_object *out);

/* The zone of a key that a scan has found, by number, 0 = none. */
typedef uint32_t (*trail_zone_fn)(void *ctx, const struct event_scan_key *key);

struct trail_graph_config {
	const char *host, *boot_id; /* copied */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t max_processes, max_files; /* 0 = the defaults */
	trail_object_fn object;
	trail_zone_fn zone; /* NULL: there are none */
	void *ctx; /* of both */
};

struct trail_graph *trail_graph_new(const struct trail_graph_config *config); /* NULL: no memory */
void trail_graph_free(struct trail_graph *graph);

/* Copied; {} = nobody. What happened before is not told again. */
void trail_graph_set_sink(struct trail_graph *graph, const struct trail_sink *sink);
void trail_graph_set_wall_offset(struct trail_graph *graph, int64_t wall_offset_ns);

void trail_graph_feed(struct trail_graph *graph, const struct event *ev);

/* An alert with this id is about a process. One that is not followed is passed over. */
void trail_graph_alert(struct trail_graph *graph, const char *id, const char *type,
		       const struct proc_id *process);

/* One name for a key in whatever format it is stored. False: nothing public is known of it. */
bool trail_key_name(const struct key_identity *key, char out[static TRAIL_NAME_MAX]);

/* The way of a key to a file or a process, origin first. Spans live until the next event. */
struct trail_step {
	bool is_process;
	enum trail_edge_kind by; /* how it came by the key */
	struct proc_id id; /* of a process, and: */
	uint32_t uid, loginuid;
	struct span exe, cgroup;
	bool cgroup_cut; /* EVENT_CGROUP_TRUNCATED */
	struct span path; /* of a file */
};

/* Returns how many of `max`; a longer way lacks its beginning. 0: it is not known to have it. */
size_t trail_graph_way_to_file(const struct trail_graph *graph, const struct inode_id *file,
			       const char *key, struct trail_step *out_steps, size_t max);

/*
 * Did this image bring the key (NULL: any key) into the file? That it reads it as well is nothing.
 * Who was handed the memory that it writes brings whatever is in it.
 */
bool trail_graph_wrote(const struct trail_graph *graph, const struct inode_id *file,
		       const struct proc_id *who, const char *key);

/* Did this image bring each key into the file that a scan has found there? False if there is none.
 */
bool trail_graph_wrote_all(const struct trail_graph *graph, const struct inode_id *file,
			   const struct proc_id *who);

/*
 * Is it a file in which keys were found, and nothing says how they came to be there: no process
 * that had one of them wrote it or crashed into it? `writer`: who is known to have written it, and
 * may have come by a key there only later (it copied a dump before that was scanned).
 */
bool trail_graph_is_foreign(const struct trail_graph *graph, const struct inode_id *file,
			    const struct proc_id *writer);

/*
 * Was this image the first that was seen to read the file, as far back as the trail goes? Says so
 * once. Only of a file of whose key there is a trail; false if what is kept cannot be read.
 */
bool trail_graph_first_reader(struct trail_graph *graph, const struct inode_id *file,
			      const struct proc_id *who);

/* Who read the file before it was known what is in it, latest last. */
struct trail_reader {
	struct subject subject;
	struct proc_id parent;
	uint64_t time; /* CLOCK_BOOTTIME ns */
	enum exe_trust exe_trust;
	uint32_t owner; /* of the file */
	bool cgroup_cut; /* EVENT_CGROUP_TRUNCATED */
	char exe[256], cgroup[256]; /* NUL terminated, cut */
};
/* Each is handed over once. That no key is in it, and that another content is written, makes them
 * nobody. */
size_t trail_graph_take_readers(struct trail_graph *graph, const struct inode_id *file,
				struct trail_reader out[static TRAIL_READERS_MAX]);

struct trail_graph_stats {
	uint64_t nodes, edges; /* told */
	uint64_t processes, processes_max, processes_forgotten;
	uint64_t files, files_max, files_forgotten;
	uint64_t bytes; /* memory in tables */
};
void trail_graph_stats(const struct trail_graph *graph, struct trail_graph_stats *out_stats);
