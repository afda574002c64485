// SPDX-License-Identifier: GPL-2.0-or-later
/* The alert store: what `keytrail alerts` reads, in SQLite. */
#include "sinks/store.h"

#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "db/db.h"
#include "sinks/outbox.h"

#define APPLICATION_ID 0x4b547261 /* "KTra" */
#define FLUSH_BURST    64
/* Rows deleted in one go when over a bound: often enough to be cheap, seldom enough not to be felt.
 */
#define PURGE_BATCH 512

enum statement {
	STMT_INSERT,
	STMT_CROWD,
	STMT_LEAST,
	STMT_PURGE,
	STMT_SINCE,
	STMT_NEWEST,
	STMT_READ,
	STMT_NR
};

/* Answered out of the index alone: rows are large, and who asks for what is rare has all of them
 * looked at while the daemon does nothing else. */
#define MATCH                                  \
	" FROM alerts INDEXED BY alerts_match" \
	" WHERE number > ?1 AND time_ns >= ?2 AND (?3 = 0 OR type = ?3) AND severity >= ?4"

static const char *const statement_sql[STMT_NR] = {
	[STMT_INSERT] = "INSERT OR IGNORE INTO alerts (id, time_ns, type, severity, json, user)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	/* Who has more than so many: the least of his. */
	[STMT_CROWD] = "SELECT user, min(severity) FROM alerts GROUP BY user HAVING count(*) > ?1",
	/* The least of all, and who has most of it. */
	[STMT_LEAST] = "SELECT user, severity FROM alerts GROUP BY user, severity"
		       " ORDER BY severity, count(*) DESC LIMIT 1",
	[STMT_PURGE] = "DELETE FROM alerts WHERE number IN (SELECT number FROM alerts"
		       " WHERE user = ?2 AND severity = ?3 ORDER BY number LIMIT ?1)",
	[STMT_SINCE] = "SELECT min(number) FROM alerts INDEXED BY alerts_time WHERE time_ns >= ?1",
	[STMT_READ] = "SELECT number, json FROM alerts WHERE number IN"
		      " (SELECT number" MATCH " ORDER BY number LIMIT ?5) ORDER BY number",
	[STMT_NEWEST] = "SELECT number" MATCH " ORDER BY number DESC LIMIT 1 OFFSET ?5",
};
static const char schema[] =
	"BEGIN;"
	"CREATE TABLE alerts ("
	" number INTEGER PRIMARY KEY AUTOINCREMENT," /* never used twice: readers page by it */
	" id TEXT NOT NULL UNIQUE,"
	" time_ns INTEGER NOT NULL,"
	" type INTEGER NOT NULL,"
	" severity INTEGER NOT NULL,"
	" json TEXT NOT NULL,"
	" user INTEGER NOT NULL DEFAULT -1);" /* who caused it: login, or uid; -1 = nobody */
	"CREATE INDEX alerts_time ON alerts (time_ns);"
	"CREATE INDEX alerts_share ON alerts (user, severity);"
	"CREATE INDEX alerts_match ON alerts (number, time_ns, type, severity);"
	"PRAGMA application_id = 1263825505;"
	"PRAGMA user_version = 3;"
	"COMMIT;";
_Static_assert(APPLICATION_ID == 1263825505 && STORE_SCHEMA == 3, "written out in `schema`");

static const char from_1_to_2[] = "BEGIN;"
				  "ALTER TABLE alerts ADD COLUMN user INTEGER NOT NULL DEFAULT -1;"
				  "DROP INDEX alerts_minor;"
				  "CREATE INDEX alerts_share ON alerts (user, severity);"
				  "PRAGMA user_version = 2;"
				  "COMMIT;";
static const char from_2_to_3[] =
	"BEGIN;"
	"CREATE INDEX alerts_match ON alerts (number, time_ns, type, severity);"
	"PRAGMA user_version = 3;"
	"COMMIT;";

static const struct db_schema store_schema = {
	.application_id = APPLICATION_ID,
	.version = STORE_SCHEMA,
	.create = schema,
	.upgrade = (const char *const[STORE_SCHEMA]){[1] = from_1_to_2, [2] = from_2_to_3},
};

/* What waits in the queue: the columns, then the JSON. */
struct row_head {
	char id[33];
	uint32_t type, severity;
	uint64_t time_ns;
	int64_t user; /* -1: nobody */
};

struct store_sink {
	struct sink sink;
	struct outbox outbox;
	char *path;
	sqlite3 *db; /* NULL: not open */
	sqlite3_stmt *stmt[STMT_NR];
	uint64_t max_rows, max_bytes, rows;
	uint64_t written;
	unsigned damaged; /* databases moved aside since start */
	bool newer; /* the file is of a newer version: never touched */
	char error[DB_FAULT_MAX]; /* why it is not open or the last write failed; "" = fine */
};

static struct store_sink *self(const struct sink *sink)
{
	return (struct store_sink *)((char *)sink - offsetof(struct store_sink, sink));
}

static int open_db(struct store_sink *s)
{
	int r;

	if (s->newer)
		return -EPROTONOSUPPORT;
	r = db_open(s->path, &s->db);
	if (r == 0)
		r = db_check(s->db, &store_schema, true);
	s->newer = r == -EPROTONOSUPPORT;
	if (r == 0)
		r = db_get_u64(s->db, "SELECT count(*) FROM alerts", &s->rows);
	if (r == 0)
		r = db_prepare(s->db, statement_sql, s->stmt, STMT_NR);
	if (r < 0)
		db_close(&s->db, s->stmt, STMT_NR);
	return r;
}

static int move_aside(struct store_sink *s)
{
	int r;

	db_close(&s->db, s->stmt, STMT_NR);
	r = db_move_aside(s->path);
	if (r == 0)
		s->damaged++;
	return r;
}

/* Sees to it that there is an open database. */
static int ready(struct store_sink *s)
{
	int r;

	if (s->db)
		return 0;
	r = open_db(s);
	if (r == -EBADMSG) {
		r = move_aside(s);
		if (r == 0)
			r = open_db(s);
	}
	db_fault(r, s->error);
	return r;
}

/* A statement said that the file is damaged: begin anew. The failed work is tried again by the
 * caller. */
static int failed(struct store_sink *s, int rc)
{
	int r = db_errno(rc);

	if (r == -EBADMSG && move_aside(s) == 0)
		(void)ready(s);
	db_fault(r, s->error);
	return r;
}

static int run(struct store_sink *s, enum statement which)
{
	int rc = sqlite3_step(s->stmt[which]);

	sqlite3_reset(s->stmt[which]);
	sqlite3_clear_bindings(s->stmt[which]);
	return rc;
}

static uint64_t db_bytes(struct store_sink *s)
{
	uint64_t pages = 0, spare = 0, size = 4096;

	(void)db_get_u64(s->db, "PRAGMA page_count", &pages);
	(void)db_get_u64(s->db, "PRAGMA freelist_count", &spare);
	(void)db_get_u64(s->db, "PRAGMA page_size", &size);
	return (pages - (spare < pages ? spare : pages)) * size;
}

/* SQLITE_ROW: *out_user and *out_severity name the rows that give way. */
static int find_least(struct store_sink *s, enum statement which, int64_t *out_user,
		      int *out_severity)
{
	sqlite3_stmt *stmt = s->stmt[which];
	int rc;

	if (which == STMT_CROWD)
		sqlite3_bind_int64(stmt, 1, s->rows / 2);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*out_user = sqlite3_column_int64(stmt, 0);
		*out_severity = sqlite3_column_int(stmt, 1);
	}
	sqlite3_reset(stmt);
	return rc;
}

static int purge(struct store_sink *s, uint64_t nr)
{
	uint64_t gone;
	int64_t user;
	int severity, rc;

	/* Who fills the store gives way himself, before anybody's alerts of less weight do. */
	rc = find_least(s, STMT_CROWD, &user, &severity);
	if (rc == SQLITE_DONE)
		rc = find_least(s, STMT_LEAST, &user, &severity);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	sqlite3_bind_int64(s->stmt[STMT_PURGE], 1, nr);
	sqlite3_bind_int64(s->stmt[STMT_PURGE], 2, user);
	sqlite3_bind_int(s->stmt[STMT_PURGE], 3, severity);
	rc = run(s, STMT_PURGE);
	if (rc != SQLITE_DONE)
		return rc;
	gone = sqlite3_changes(s->db);
	s->rows -= gone < s->rows ? gone : s->rows;
	return SQLITE_OK;
}

static int keep_bounds(struct store_sink *s)
{
	/* Small stores (tests, tiny hosts) are cut in smaller bites, or one would empty them. */
	uint64_t bite = s->max_rows / 8 < PURGE_BATCH ? s->max_rows / 8 + 1 : PURGE_BATCH;

	if (s->rows <= s->max_rows && (s->written % 64 != 0 || db_bytes(s) <= s->max_bytes))
		return SQLITE_OK;
	return purge(s, bite);
}

static int insert(struct store_sink *s, const struct row_head *head, const char *json, size_t len)
{
	sqlite3_stmt *stmt = s->stmt[STMT_INSERT];
	int rc;

	sqlite3_bind_text(stmt, 1, head->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, head->time_ns);
	sqlite3_bind_int(stmt, 3, head->type);
	sqlite3_bind_int(stmt, 4, head->severity);
	sqlite3_bind_text(stmt, 5, json, len, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, head->user);
	rc = run(s, STMT_INSERT);
	if (rc != SQLITE_DONE)
		return rc;
	s->rows += sqlite3_changes(s->db);
	s->written++;
	return keep_bounds(s);
}

static long format_row(const struct sink *sink, const struct alert *alert, char **out_record)
{
	_cleanup_free_ char *json = alert_json(alert);
	struct row_head head = {.type = alert->type,
				.severity = alert->severity,
				.time_ns = alert->time_ns,
				.user = -1};
	size_t len;
	char *row;

	(void)sink;
	if (!json)
		return -ENOMEM;
	len = strlen(json);
	row = malloc(sizeof(head) + len);
	if (!row)
		return -ENOMEM;
	if (alert->nr_processes)
		head.user =
			alert->loginuid != UID_UNSET ? alert->loginuid : alert->processes[0].uid;
	memcpy(head.id, alert->id, sizeof(head.id));
	head.id[sizeof(head.id) - 1] = '\0';
	memcpy(row, &head, sizeof(head));
	memcpy(row + sizeof(head), json, len);
	*out_record = row;
	return (long)(sizeof(head) + len);
}

static void drain(struct store_sink *s)
{
	const char *row;
	size_t len;

	outbox_tell_lost(&s->outbox);
	for (int i = 0; i < FLUSH_BURST && queue_peek(s->outbox.queue, &row, &len) == 0; i++) {
		struct row_head head;
		int rc;

		if (ready(s) < 0)
			return;
		memcpy(&head, row, sizeof(head));
		rc = insert(s, &head, row + sizeof(head), len - sizeof(head));
		if (rc != SQLITE_OK) {
			if (failed(s, rc) == -EBADMSG && s->db)
				continue; /* into the new one */
			return;
		}
		db_fault(0, s->error);
		queue_pop(s->outbox.queue);
		outbox_tell_lost(&s->outbox);
	}
}

static void store_flush(struct sink *sink)
{
	struct store_sink *s = self(sink);

	drain(s);
	if (s->db)
		db_shrink(s->db);
}

static int store_write(struct sink *sink, const struct alert *alert)
{
	int r = outbox_add(&self(sink)->outbox, alert);

	drain(self(sink));
	return r;
}

static void store_stats(const struct sink *sink, struct sink_stats *out_stats)
{
	const struct store_sink *s = self(sink);
	struct sink_stats stats = {
		.written = s->written,
		.queued = queue_in_memory(s->outbox.queue),
		.dropped = queue_dropped(s->outbox.queue),
	};
	int n = snprintf(stats.state, sizeof(stats.state), "%s%llu alerts in %.64s",
			 s->db ? "" : "not open, ", (unsigned long long)s->rows, s->path);

	if (s->error[0] && n > 0 && (size_t)n < sizeof(stats.state))
		n += snprintf(stats.state + n, sizeof(stats.state) - n, ": %s", s->error);
	if (s->damaged && n > 0 && (size_t)n < sizeof(stats.state))
		snprintf(stats.state + n, sizeof(stats.state) - n,
			 "; was damaged, the old one is beside it as .damaged");
	*out_stats = stats;
}

static void store_free(struct sink *sink)
{
	struct store_sink *s = self(sink);

	if (s->outbox.queue)
		drain(s);
	db_close(&s->db, s->stmt, STMT_NR);
	outbox_done(&s->outbox);
	free(s->path);
	free(s);
}

static const struct sink_ops store_ops = {
	.name = "store",
	.write = store_write,
	.flush = store_flush,
	.stats = store_stats,
	.free = store_free,
};

int store_sink_new(const struct store_options *options, struct sink **out_sink)
{
	struct queue_options queue = {.memory_max = options->memory_max};
	struct store_sink *s;
	int r;

	if (!options->path || options->path[0] != '/')
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->sink.ops = &store_ops;
	s->max_rows = options->max_rows ? options->max_rows : STORE_ROWS_DEFAULT;
	s->max_bytes = options->max_bytes ? options->max_bytes : STORE_BYTES_DEFAULT;
	s->path = strdup(options->path);
	r = s->path ? outbox_init(&s->outbox, &s->sink, format_row, &queue) : -ENOMEM;
	if (r < 0) {
		free(s->path);
		free(s);
		return r;
	}
	(void)ready(s); /* told by stats, tried again by every flush */
	*out_sink = &s->sink;
	return 0;
}

static void bind_u64(sqlite3_stmt *stmt, int i, uint64_t value)
{
	sqlite3_bind_int64(stmt, i, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void bind_query(sqlite3_stmt *stmt, const struct store_query *query, uint64_t last)
{
	sqlite3_bind_int64(stmt, 1, query->after);
	bind_u64(stmt, 2, query->since_ns);
	sqlite3_bind_int(stmt, 3, query->type);
	sqlite3_bind_int(stmt, 4, query->min_severity);
	bind_u64(stmt, 5, last);
}

int store_newest(struct sink *sink, const struct store_query *query, uint64_t nr,
		 int64_t *out_after)
{
	struct store_sink *s = self(sink);
	sqlite3_stmt *stmt;
	struct store_query from = *query;
	int64_t after;
	int rc;

	if (ready(s) < 0)
		return -ENODATA;
	if (query->since_ns > 0) {
		/* An index finds where to begin, so that old rows need not be walked over. */
		stmt = s->stmt[STMT_SINCE];
		bind_u64(stmt, 1, query->since_ns);
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			after = sqlite3_column_type(stmt, 0) == SQLITE_NULL
					? INT64_MAX
					: sqlite3_column_int64(stmt, 0) - 1;
		sqlite3_reset(stmt);
		if (rc != SQLITE_ROW)
			return failed(s, rc);
		if (after > from.after)
			from.after = after;
	}
	if (nr >= s->rows) { /* all there are: no need to walk over them */
		*out_after = from.after;
		return 0;
	}
	stmt = s->stmt[STMT_NEWEST];
	bind_query(stmt, &from, nr);
	rc = sqlite3_step(stmt);
	/* The first that is not among the newest `nr`; none: all are. */
	after = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : from.after;
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return failed(s, rc);
	*out_after = after;
	return 0;
}

long store_read(struct sink *sink, const struct store_query *query, uint64_t max, store_row row,
		void *userdata)
{
	struct store_sink *s = self(sink);
	sqlite3_stmt *stmt;
	long nr = 0;
	int rc, r = 0;

	if (ready(s) < 0)
		return -ENODATA;
	stmt = s->stmt[STMT_READ];
	bind_query(stmt, query, max);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *json = (const char *)sqlite3_column_text(stmt, 1);

		if (!json) {
			rc = SQLITE_NOMEM;
			break;
		}
		r = row(userdata, sqlite3_column_int64(stmt, 0), json,
			sqlite3_column_bytes(stmt, 1));
		if (r != 0)
			break;
		nr++;
	}
	sqlite3_reset(stmt);
	if (r != 0)
		return r;
	return rc == SQLITE_DONE ? nr : failed(s, rc);
}
