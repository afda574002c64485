/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the store share; nobody else includes this. */
#pragma once

#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

#include "db/db.h"
#include "trail/store.h"

enum statement {
	STMT_NODE,
	STMT_STUB,
	STMT_RAISE,
	STMT_EDGE,
	STMT_GAP,
	STMT_GAP_PURGE,
	STMT_USER,
	STMT_ALERT,
	STMT_FIND,
	STMT_REKEY,
	STMT_REKEY_HOLDS,
	STMT_REKEY_REST,
	STMT_PURGE_INFERRED,
	STMT_PURGE_SEEN,
	STMT_PURGE_ABOUT,
	STMT_PURGE_AGE,
	STMT_ORPHAN,
	STMT_ORPHAN_ALERTS,
	STMT_DIGESTS_DROP,
	STMT_DIGEST,
	STMT_VERIFIED,
	STMT_NOT_VERIFIED,
	STMT_VERIFIED_DROP,
	STMT_NEXT_NODES,
	STMT_WAS_READ,
	STMT_POSITION,
	STMT_NR
};

struct key_count { /* edges of a key: who has most gives way */
	int64_t id;
	uint64_t edges;
	/* Of those; the rest were seen. */
	uint64_t about; /* where the key is kept and was found, however that is known */
	uint64_t inferred;
	size_t at; /* its place in the heap */
	UT_hash_handle hh;
};

struct trail_store {
	char *path;
	sqlite3 *db; /* NULL: not open */
	sqlite3_stmt *stmt[STMT_NR];
	uint64_t max_edges, max_age_ns, edges;
	struct key_count *keys, *next_aged; /* of those that have edges */
	struct key_count **heap; /* the same; the one that has most edges comes first */
	size_t heap_room;
	int64_t swept; /* up to this node it was looked for what no edge names */
	uint64_t written, lost, lost_from_ns, latest_ns;
	uint64_t gap; /* of what was lost: what no gap tells of yet */
	unsigned damaged, pending; /* statements since BEGIN */
	unsigned rows; /* of those that are in, and go if it is rolled back */
	bool newer;
	bool indexed; /* it was tried, and nobody's lock stood against it */
	int failed; /* why it could not be opened; until the next flush it is not tried again */
	char error[DB_FAULT_MAX];
};

extern const struct db_schema trail_schema;

/* --- store-schema.c ------------------------------------------------------------------------------
 */

extern const char trail_later_tables[], trail_later_indexes[];
/* Of each key. */
extern const char trail_count_edges[], trail_count_inferred[], trail_count_about[];
extern const char *const trail_statements[STMT_NR];

/* --- store.c -------------------------------------------------------------------------------------
 */

/* Opens it if it is not open, once from flush to flush; negative errno. */
int store_ready(struct trail_store *s);
/* Opens what is to be written into, and a transaction. If it cannot, that is counted as lost. */
bool store_begin(struct trail_store *s);
int store_run(struct trail_store *s, enum statement which); /* to its end; of SQLite's codes */
void store_done(struct trail_store *s, int rc); /* a row is in, or it failed with `rc` */
void store_commit(struct trail_store *s);
/* A row could not be written, for r, and with it goes what SQLite has rolled back for that. */
void store_lose(struct trail_store *s, int r);

/* --- store-write.c -------------------------------------------------------------------------------
 */

void store_put_gap(void *ctx, const struct trail_gap *gap);

/* --- store-evict.c -------------------------------------------------------------------------------
 */

int store_count_all(struct trail_store *s); /* as the database has it */
/* An edge came or went: inferred and about as key_count counts them. */
void store_count_more(struct trail_store *s, int64_t id, bool inferred, bool about);
void store_count_less(struct trail_store *s, int64_t id, bool inferred, bool about);
void store_count_seen(struct trail_store *s, int64_t id); /* one was inferred, and is no more */
void store_count_free(struct trail_store *s);
void store_keep_count(struct trail_store *s);
void store_keep_age(struct trail_store *s, uint64_t now_ns); /* of one key at a time, in turn */
/* The next nodes, for what no edge names. */
void store_sweep_nodes(struct trail_store *s);
