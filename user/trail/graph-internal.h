/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the graph share; nobody else includes this. */
#pragma once

#include "trail/graph.h"

#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

/* Buckets for a full table from the beginning: it would grow by allocating, and the way of an event
 * allocates nothing. uthash takes no such wish but by these (its macros expand where they are
 * used). */
#undef HASH_INITIAL_NUM_BUCKETS
#undef HASH_INITIAL_NUM_BUCKETS_LOG2
#define HASH_INITIAL_NUM_BUCKETS      8192U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 13U

#define EXE_MAX	   256
#define CGROUP_MAX 256
#define PATH_MAX_K 512 /* kept of a path: its end, if it is longer */
/* Of one process image so many candidates are told as inferred, then only what is confirmed: a
 * server that has its key writes files all day. */
#define CANDIDATES_TOLD 16
/* And so many files of the others when their scan could not say what is in them: who fills his
 * sixteen with trifles hides no more than that. */
#define UNCLEAR_TOLD 64

/* Whence a process or a file has a key. */
enum origin { FROM_KEY = 1, FROM_PROCESS, FROM_FILE };

struct origin_key { /* what identifies it in its table; compared as bytes */
	uint64_t a; /* start; inode */
	uint32_t b, c; /* pid, 0; device, generation */
};

/* A writing of a file that is told when a scan has found the key there, or could not say. */
struct held_back {
	const char *rule; /* NULL: none */
	struct origin_key by;
	uint64_t exec_id;
	uint64_t wrote_at; /* first, of what no scan has refuted */
	uint64_t wrote_last;
};

struct slot {
	char key[TRAIL_NAME_MAX];
	enum origin origin;
	struct origin_key from;
	uint64_t from_exec; /* FROM_PROCESS: which image */
	enum trail_edge_kind by;
	bool confirmed; /* of a file: a scan has found it */
	bool handed; /* of a file: written by who was handed the whole memory */
	bool pending; /* of a process: its inheritance is not told yet */
	bool told; /* of a file: that it was found there, or that somebody wrote it */
	/* Of a file: who wrote it last of those who have the key; pid 0: nobody was seen. `from`
	 * stays the first of them, for the way: the last may have the key from this file. */
	struct origin_key last;
	uint64_t last_exec;
	bool last_handed;
	/* Of a file: of the first and of the last whose writing was held back. What another writes
	 * or tells does not end it, since both may be in the file. */
	struct held_back held_back[2];
};

struct slots {
	struct slot items[TRAIL_KEYS_MAX];
	uint32_t nr;
};

struct process {
	struct origin_key id;
	uint64_t exec_id;
	uint32_t uid, loginuid;
	struct slots keys;
	enum trail_verified verified;
	bool told; /* as a node */
	bool ended;
	uint32_t candidates; /* that it wrote: files which may be copies of what it has */
	uint32_t unclear; /* files that were held back: told since nothing is known of them */
	bool cgroup_cut; /* its beginning is missing: for people */
	char exe[EXE_MAX], cgroup[CGROUP_MAX]; /* NUL terminated bytes, cut */
	struct process *next_spare;
	UT_hash_handle hh;
};

struct first_read { /* graph-first.c */
	struct origin_key by; /* of those that this entry has seen; pid 0: nobody */
	uint64_t exec_id;
	int64_t position; /* of what is kept, before it; or negative errno */
	bool asked; /* whether it was the first, and answered */
};

struct file {
	struct origin_key id;
	uint64_t object; /* number of its mark, 0 = none */
	bool dump, told, key_file, copy;
	enum trail_state state;
	struct slots keys;
	struct digests digests; /* of the content that was scanned last */
	struct trail_reader *readers[TRAIL_READERS_MAX]; /* NULL: none */
	struct first_read first;
	char path[PATH_MAX_K], watch[65];
	struct file *next_spare;
	UT_hash_handle hh;
};

struct crash { /* whose memory a helper may write */
	struct origin_key id;
	uint64_t exec_id;
	char comm[16];
};

struct trail_graph {
	char host[65], boot[9];
	int64_t wall_offset_ns;
	uint32_t max_processes, max_files;
	trail_object_fn object;
	trail_zone_fn zone;
	void *object_ctx;
	struct trail_sink sink;

	struct process *processes; /* in the order of their last use */
	struct file *files; /* the same */
	/* Room for all that there can be; pages of it are taken as they are used. */
	struct process *process_pool, *spare_processes;
	struct file *file_pool, *spare_files;
	uint32_t processes_used, files_used; /* of the pools; what was given back is spare */
	struct crash crashes[TRAIL_CRASHES];
	size_t next_crash;
	uint64_t scan; /* whose keys these are */
	struct found {
		struct key_identity key;
		uint64_t places;
	} found[TRAIL_KEYS_MAX];
	uint32_t found_zones[TRAIL_KEYS_MAX];
	uint32_t nr_found;
	uint64_t readers; /* that are remembered, of all files */
	uint64_t full_told; /* CLOCK_BOOTTIME ns, 0 = never */
	struct trail_graph_stats st;
};

/* --- tables.c: what is remembered, and what gives way --------------------------------------------
 */

struct origin_key process_key(const struct proc_id *id);
struct origin_key file_key(const struct inode_id *inode);

struct process *process_find(const struct trail_graph *g, struct origin_key id);
/* The entry of this image; a new one if it is another image of the process. NULL: no memory, or a
 * later image of this process is known. `cut`: the cgroup's beginning is missing. */
struct process *process_of(struct trail_graph *g, const struct subject *subject, struct span exe,
			   struct span cgroup, bool cut, uint64_t time);
struct process *process_add(struct trail_graph *g, struct origin_key id, uint64_t time);
void process_forget(struct trail_graph *g, struct process *p);

struct file *file_find(const struct trail_graph *g, struct origin_key id);
struct file *file_of(struct trail_graph *g, const struct inode_id *inode, uint64_t object,
		     struct span path, uint64_t time);
void file_forget(struct trail_graph *g, struct file *f);
void file_forget_readers(struct trail_graph *g, struct file *f);
void file_set_path(struct file *f, struct span path);

struct slot *slot_find(struct slots *slots, const char *key);
/* NULL: there is no room for another key. *out_new: it was not there. */
struct slot *slot_add(struct slots *slots, const char *key, bool *out_new);
void slot_remove(struct slots *slots, struct slot *slot);

/* --- tell.c: nodes and edges, named and escaped
 * -------------------------------------------------- */

uint64_t graph_wall(const struct trail_graph *g, uint64_t time);
void process_name(const struct trail_graph *g, struct origin_key id, uint64_t exec_id,
		  char out[static TRAIL_NAME_MAX]);
void file_name(const struct trail_graph *g, struct origin_key id, char out[static TRAIL_NAME_MAX]);
void tell_key(struct trail_graph *g, const char *name, const struct key_identity *key);
void tell_file(struct trail_graph *g, struct file *f);
/* ended: CLOCK_BOOTTIME ns, 0 = it runs. */
void tell_process(struct trail_graph *g, struct process *p, uint64_t ended);
void tell_edge(struct trail_graph *g, enum trail_edge_kind kind, enum trail_evidence evidence,
	       const char *key, const char *from, const char *to, const char *rule,
	       const char *detail, uint64_t time);
void tell_gap(struct trail_graph *g, struct span cause, uint64_t from, uint64_t to, uint64_t count);
/* What the process has only inherited is told now, with how it came by it. */
void tell_inheritance(struct trail_graph *g, struct process *p, uint64_t time);

/* --- graph-dump.c --------------------------------------------------------------------------------
 */

void graph_dump(struct trail_graph *g, const struct event *ev);
void graph_written(struct trail_graph *g, const struct event *ev);
void graph_scan_key(struct trail_graph *g, const struct event_scan_key *key);
void graph_scan(struct trail_graph *g, const struct event *ev);

/* --- graph-first.c -------------------------------------------------------------------------------
 */

/* Before it is told. */
void graph_first_note(const struct trail_graph *g, struct file *f, const struct event_access *a);

/* --- graph.c -------------------------------------------------------------------------------------
 */

/* A process has come by a key of a file; tells the edge, and makes it a holder. */
void graph_came_by(struct trail_graph *g, struct process *p, struct file *f, struct slot *of_file,
		   enum trail_edge_kind kind, const char *detail, uint64_t time);

bool graph_wrote(const struct file *f, const struct proc_id *who, const char *key);

/* The watched object as a file with its key, as far as the caller knows it. NULL: not known. */
struct file *graph_object(struct trail_graph *g, uint64_t number, uint64_t time);

/* What `held` says that this process has read, if that was not seen. */
void graph_held(struct trail_graph *g, struct process *p, const uint64_t *objects, uint32_t nr,
		uint64_t time);
