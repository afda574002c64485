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
	STMT_EDGE,
	STMT_GAP,
	STMT_GAP_PURGE,
	STMT_USER,
	STMT_ALERT,
	STMT_FIND,
	STMT_REKEY,
	STMT_REKEY_HOLDS,
	STMT_REKEY_REST,
	STMT_PURGE,
	STMT_PURGE_ALL,
	STMT_PURGE_AGE,
	STMT_ORPHAN,
	STMT_ORPHAN_ALERTS,
	STMT_DIGESTS_DROP,
	STMT_DIGEST,
	STMT_VERIFIED,
	STMT_NOT_VERIFIED,
	STMT_VERIFIED_DROP,
	STMT_NEXT_NODES,
	STMT_NR
};

struct key_count { /* edges of a key: who has most gives way */
	int64_t id;
	uint64_t edges;
	UT_hash_handle hh;
};

struct trail_store {
	char *path;
	sqlite3 *db; /* NULL: not open */
	sqlite3_stmt *stmt[STMT_NR];
	uint64_t max_edges, max_age_ns, edges;
	struct key_count *keys, *next_aged;
	int64_t swept; /* up to this node it was looked for what no edge names */
	uint64_t written, lost, lost_from_ns, latest_ns;
	uint64_t gap; /* of what was lost: what no gap tells of yet */
	unsigned damaged, pending; /* statements since BEGIN */
	unsigned rows; /* of those that are in, and go if it is rolled back */
	bool newer;
	char error[DB_FAULT_MAX];
};

extern const struct db_schema trail_schema;
