/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the trail is kept: nodes, edges and gaps in SQLite.
 *
 * The daemon writes (WAL, synchronous NORMAL; one transaction from flush to flush), `keytrail
 * trail` reads the same file by itself. The same way of the same key is one edge, with how often
 * and when first and last. Bounded: at most max_edges, and no key of which nothing was seen for
 * max_age; when there are more, edges of that key go which has most, so that no flood about one
 * key costs another its trail: of inferred ones, of those that were seen, and of places where the
 * key was found or is kept the oldest of whatever are most. Nodes go with their last edge, so that
 * there are at most three for each, and alerts with their node.
 *
 * A damaged database is moved aside to NAME.damaged (replacing an earlier one) and a new one is
 * begun; one of a newer version is left alone. What cannot be written is lost and counted, and
 * stands as a gap in the trail as soon as it can be. Not thread safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "trail/trail.h"

#define DAY_NS		     (86400ULL * 1000000000)
#define TRAIL_SCHEMA	     1
#define TRAIL_EDGES_DEFAULT  1000000
#define TRAIL_AGE_DEFAULT_NS (730 * DAY_NS)
#define TRAIL_GAPS_MAX	     10000

struct trail_store;

struct trail_store_options {
	const char *path; /* absolute, or ":memory:" */
	uint64_t max_edges; /* 0 = TRAIL_EDGES_DEFAULT */
	uint64_t max_age_ns; /* so long after the last edge of a key; 0 = TRAIL_AGE_DEFAULT_NS */
};

/* A database that cannot be opened is no error here: stats tell why, and each flush tries again.
 * -ENOMEM, -EINVAL (path not absolute). */
int trail_store_new(const struct trail_store_options *options, struct trail_store **out_store);
void trail_store_free(struct trail_store *store); /* writes what is pending */

/* max_age_ns from now on, in days; 0 = nothing goes for its age. */
void trail_store_keep(struct trail_store *store, uint32_t days);

/* For trail_graph_set_sink(); valid as long as the store. */
struct trail_sink trail_store_sink(struct trail_store *store);

/* Commits, and keeps the bounds. now_ns: CLOCK_REALTIME. Once a second. */
void trail_store_flush(struct trail_store *store, uint64_t now_ns);

struct trail_store_stats {
	uint64_t edges, max_edges, keys;
	uint64_t written, lost; /* since start */
	unsigned damaged; /* databases moved aside since start */
	char error[96]; /* why it is not open or the last write failed; "" = fine */
};
void trail_store_stats(const struct trail_store *store, struct trail_store_stats *out_stats);

/* --- reading ------------------------------------------------------------------------------------
 */

/*
 * For reading only; nothing is created or changed. -ENOENT, -EACCES, -EBADMSG (not one of ours, or
 * damaged), -EPROTONOSUPPORT (of a newer version), -ENOMEM, -EIO.
 */
int trail_store_open(const char *path, struct trail_store **out_store);
/* The same from bytes, which are copied: for tests and fuzzing. */
int trail_store_open_bytes(const void *bytes, size_t len, struct trail_store **out_store);

struct trail_view_node {
	int64_t id;
	enum trail_node_kind kind;
	char *name, *host, *label, *about, *unit, *container, *user, *login; /* never NULL */
	uint32_t pid, uid, loginuid;
	uint64_t ended_ns;
	enum trail_state state;
	struct digests digests;
	char *alerts; /* "isolation-breach 12ab34cd, ...", "" = none */
};

struct trail_view_edge {
	enum trail_edge_kind kind;
	enum trail_evidence evidence;
	size_t key, from, to; /* of `nodes` */
	char *rule, *detail; /* never NULL */
	uint64_t first_ns, last_ns, count;
};

struct trail_view_gap {
	char *host, *cause;
	uint64_t from_ns, to_ns, count;
};

struct trail_view {
	struct trail_view_node *nodes;
	struct trail_view_edge *edges; /* by first_ns */
	struct trail_view_gap *gaps;
	size_t nr_nodes, nr_edges, nr_gaps;
	size_t *keys, nr_keys; /* of `nodes` */
	bool more; /* there are older edges than are shown */
};

#define TRAIL_VIEW_EDGES 2000

/*
 * The trails of all keys that `what` leads to: a fingerprint (SHA256:..., the hex of the SPKI), a
 * name of a key's node, a path of a key file or dump, a process id, or an alert's id (its first
 * eight digits or more). The newest max_edges of each key (0 = TRAIL_VIEW_EDGES). -ENOENT: nothing
 * is known of it; -EINVAL: it is none of these; -EBADMSG, -ENOMEM, -EIO.
 */
int trail_store_view(struct trail_store *store, const char *what, uint64_t max_edges,
		     struct trail_view *out_view);
void trail_view_fini(struct trail_view *view);
void trail_view_sort(struct trail_view *view); /* edges by time */

/* Does the trail tell of this host, of late? */
bool trail_store_knows_host(struct trail_store *store, const char *host);

/* Who read a file last, as far as the trail knows. */
struct trail_last_read {
	uint64_t time_ns; /* CLOCK_REALTIME */
	char *exe, *user, *login; /* escaped; user, login: names, "" = not known; never NULL */
	uint32_t pid, uid, loginuid; /* UINT32_MAX = unset */
};

/*
 * The last read of the key or dump that is known by this path (raw bytes), by another program than
 * those of `but_exes` (escaped paths, NULL ends them). One of those is what has such a path and was
 * verified as the file there when it read, which root alone can change (TRAIL_VERIFIED); another
 * file that is called so counts as anybody. -ENOENT: there is no record of any.
 */
int trail_store_last_read(struct trail_store *store, const char *path, const char *const *but_exes,
			  struct trail_last_read *out_read);
void trail_last_read_fini(struct trail_last_read *read);

/* When the oldest record was made, CLOCK_REALTIME ns. -ENOENT: there is none. */
int trail_store_since(struct trail_store *store, uint64_t *out_ns);
