// SPDX-License-Identifier: GPL-2.0-or-later
/* The trail's database as the daemon has it open: its transactions, what is lost, its life. */
#include "trail/store-internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define PENDING_MAX 4096 /* rows in one transaction */

/* --- open, damaged, anew
 * -------------------------------------------------------------------------- */

static void close_db(struct trail_store *s)
{
	db_close(&s->db, s->stmt, STMT_NR);
	s->pending = s->rows = 0;
}

/* Once: of a large database they take seconds and room, and what they are for works without.
 * Somebody's lock costs nothing, and ends. */
static int make_indexes(struct trail_store *s)
{
	int r;

	if (s->indexed)
		return 0;
	r = db_errno(sqlite3_exec(s->db, trail_later_indexes, NULL, NULL, NULL));
	s->indexed = r != -EBUSY;
	return r == -EBADMSG ? r : 0;
}

static int open_db(struct trail_store *s)
{
	int r;

	if (s->newer)
		return -EPROTONOSUPPORT;
	r = db_open(s->path, &s->db);
	if (r == 0)
		r = db_check(s->db, &trail_schema, true);
	s->newer = r == -EPROTONOSUPPORT;
	if (r == 0)
		r = db_errno(sqlite3_exec(s->db, trail_later_tables, NULL, NULL, NULL));
	if (r == 0)
		r = make_indexes(s);
	if (r == 0)
		r = store_count_all(s);
	if (r == 0)
		r = db_prepare(s->db, trail_statements, s->stmt, STMT_NR);
	if (r < 0)
		close_db(s);
	return r;
}

static int move_aside(struct trail_store *s)
{
	int r;

	close_db(s);
	r = db_move_aside(s->path);
	if (r == 0) {
		s->damaged++;
		s->indexed = false;
		s->failed = 0;
	}
	return r;
}

int store_ready(struct trail_store *s)
{
	int r;

	if (s->db)
		return 0;
	r = s->failed;
	if (r == 0)
		r = open_db(s);
	if (r == -EBADMSG && !s->failed && move_aside(s) == 0)
		r = open_db(s);
	s->failed = r;
	db_fault(r, s->error);
	return r;
}

/* Something could not be written, and with it goes what SQLite has rolled back for that. */
void store_lose(struct trail_store *s, int r)
{
	const bool rolled_back = s->db && s->pending && sqlite3_get_autocommit(s->db);
	uint64_t nr = 1;

	if (rolled_back || r == -EBADMSG) {
		nr += s->rows;
		s->written -= s->rows;
		s->pending = s->rows = 0;
	}
	if (rolled_back && r != -EBADMSG)
		store_count_all(s);
	s->lost += nr;
	s->gap += nr;
	if (!s->lost_from_ns)
		s->lost_from_ns = s->latest_ns;
	if (r == -EBADMSG && s->db && move_aside(s) == 0)
		r = store_ready(s);
	db_fault(r, s->error);
}

/* --- transactions
 * ---------------------------------------------------------------------------------- */

int store_run(struct trail_store *s, enum statement which)
{
	int rc = sqlite3_step(s->stmt[which]);

	sqlite3_reset(s->stmt[which]);
	sqlite3_clear_bindings(s->stmt[which]);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Opens what is to be written into, and a transaction. */
bool store_begin(struct trail_store *s)
{
	int r = store_ready(s);

	if (r == 0 && s->pending == 0)
		r = db_errno(sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r < 0) {
		store_lose(s, r);
		return false;
	}
	s->pending++;
	return true;
}

void store_commit(struct trail_store *s)
{
	int r;

	if (!s->db || !s->pending)
		return;
	r = db_errno(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL));
	if (r == -EBUSY)
		return; /* with the next ones */
	if (r == 0) {
		s->pending = s->rows = 0;
		return;
	}
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	/* The last of the rows is the one that store_lose() counts by itself. */
	s->written -= s->rows > 0;
	s->rows -= s->rows > 0;
	store_lose(s, r);
}

/* A row is in, or it failed with `rc`. */
void store_done(struct trail_store *s, int rc)
{
	int r = db_errno(rc);

	if (r < 0) {
		store_lose(s, r);
		return;
	}
	db_fault(0, s->error);
	s->written++;
	s->rows++;
	if (s->pending >= PENDING_MAX)
		store_commit(s);
}

void trail_store_flush(struct trail_store *s, uint64_t now_ns)
{
	const uint64_t lost_before = s->lost, from_ns = s->lost_from_ns;
	uint64_t told = 0;

	s->failed = 0;
	if (store_ready(s) < 0)
		return;
	if (s->gap) {
		const struct trail_gap gap = {
			.cause = "trail-store",
			.from_ns = s->lost_from_ns,
			.to_ns = now_ns,
			.count = s->gap,
		};

		store_put_gap(s, &gap);
		if (s->lost == lost_before) {
			told = s->gap;
			s->gap = s->lost_from_ns = 0;
		}
	}
	if (s->db)
		store_keep_count(s);
	if (s->db)
		store_keep_age(s, now_ns);
	if (s->db)
		store_sweep_nodes(s);
	store_commit(s);
	if (s->db && !s->pending && make_indexes(s) < 0)
		store_lose(s, -EBADMSG);
	if (s->db && !s->pending)
		db_shrink(s->db);
	if (told && s->lost != lost_before) { /* that gap may have gone with the rest */
		s->gap += told;
		s->lost_from_ns = from_ns;
	}
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

int trail_store_new(const struct trail_store_options *options, struct trail_store **out_store)
{
	struct trail_store *s;

	if (!options->path || (options->path[0] != '/' && strcmp(options->path, ":memory:")))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->max_edges = options->max_edges ? options->max_edges : TRAIL_EDGES_DEFAULT;
	s->max_age_ns = options->max_age_ns ? options->max_age_ns : TRAIL_AGE_DEFAULT_NS;
	s->path = strdup(options->path);
	if (!s->path) {
		free(s);
		return -ENOMEM;
	}
	(void)store_ready(s); /* told by stats, tried again by every flush */
	*out_store = s;
	return 0;
}

void trail_store_keep(struct trail_store *s, uint32_t days)
{
	s->max_age_ns = days ? days * DAY_NS : UINT64_MAX;
}

void trail_store_free(struct trail_store *s)
{
	if (!s)
		return;
	store_commit(s);
	close_db(s);
	store_count_free(s);
	free(s->path);
	free(s);
}

void trail_store_stats(const struct trail_store *s, struct trail_store_stats *out_stats)
{
	struct trail_store_stats stats = {
		.edges = s->edges,
		.max_edges = s->max_edges,
		.keys = HASH_COUNT(s->keys),
		.written = s->written,
		.lost = s->lost,
		.damaged = s->damaged,
	};

	memcpy(stats.error, s->error, sizeof(stats.error));
	*out_stats = stats;
}
