// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the trails of a key out of the database. The file can be anybody's: what it says is checked
 * as it is taken. */
#include "trail/store-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"

#define KEYS_SHOWN   16 /* of a file or process, at most */
#define TEXT_SHOWN   4096
#define ALERTS_SHOWN 8 /* of a node */
#define PATH_TEXT    (4 * 4096 + 1)

struct reader {
	sqlite3 *db;
	sqlite3_stmt *digests; /* NULL: a database that has none */
	sqlite3_stmt *node, *alerts; /* prepared once: a view has a thousand nodes */
	struct trail_view *view;
	size_t room_nodes, room_edges, room_gaps;
	uint64_t first_ns, last_ns;
};

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out_stmt)
{
	return db_errno(sqlite3_prepare_v2(db, sql, -1, out_stmt, NULL));
}

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}
#define _cleanup_stmt_ _cleanup_(finalize)

/* Escaped once more if it is no text of ours. */
static char *text(sqlite3_stmt *stmt, int column)
{
	const char *p = (const char *)sqlite3_column_text(stmt, column);
	const int n = sqlite3_column_bytes(stmt, column);
	size_t len = p && n > 0 ? (size_t)n : 0;
	char raw[TEXT_SHOWN], out[TEXT_SHOWN];
	long undone;

	if (len >= TEXT_SHOWN)
		len = TEXT_SHOWN - 1;
	if (!len)
		return strdup("");
	undone = escape_undo(p, len, raw, sizeof(raw));
	if (undone >= 0)
		escape_bytes(raw, (size_t)undone, out, sizeof(out), NULL);
	else
		escape_bytes(p, len, out, sizeof(out), NULL);
	return strdup(out);
}

static uint32_t id_of(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		       ? UINT32_MAX
		       : (uint32_t)sqlite3_column_int64(stmt, column);
}

static void *grow(void *items, size_t nr, size_t *room, size_t size)
{
	void *more;

	if (nr < *room)
		return items;
	more = reallocarray(items, *room ? 2 * *room : 64, size);
	if (more)
		*room = *room ? 2 * *room : 64;
	return more;
}

/* --- which keys ----------------------------------------------------------------------------------
 */

static int add_keys(sqlite3 *db, const char *sql, const char *what, int64_t number, int64_t *keys,
		    size_t *nr)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int r = prepare(db, sql, &stmt), rc;

	if (r < 0)
		return r;
	if (what)
		sqlite3_bind_text(stmt, 1, what, -1, SQLITE_STATIC);
	else
		sqlite3_bind_int64(stmt, 1, number);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && *nr < KEYS_SHOWN) {
		int64_t key = sqlite3_column_int64(stmt, 0);
		bool known = false;

		for (size_t i = 0; i < *nr; i++)
			known |= keys[i] == key;
		if (!known)
			keys[(*nr)++] = key;
	}
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_errno(rc);
}

#define KEYS_OF(nodes)                                                                        \
	"SELECT DISTINCT key FROM edges WHERE a IN (SELECT id FROM nodes WHERE " nodes ")"    \
	" UNION SELECT DISTINCT key FROM edges WHERE b IN (SELECT id FROM nodes WHERE " nodes \
	") LIMIT 16"

static bool is_hex(const char *s)
{
	return strspn(s, "0123456789abcdef") == strlen(s);
}

static int find_keys(sqlite3 *db, const char *what, int64_t *keys, size_t *nr)
{
	const size_t len = strlen(what);
	char path[PATH_TEXT], name[TRAIL_NAME_MAX];
	int r;

	if (!strncmp(what, "SHA256:", 7))
		return add_keys(db, "SELECT id FROM nodes WHERE label = ?1 AND kind = 1 LIMIT 16",
				what, 0, keys, nr);
	if (!strncmp(what, "key/", 4))
		return add_keys(db, "SELECT id FROM nodes WHERE name = ?1 AND kind = 1", what, 0,
				keys, nr);
	if (strchr(what, '/')) {
		escape_bytes(what, len, path, sizeof(path), NULL);
		return add_keys(db, KEYS_OF("label = ?1 AND kind IN (2, 3)"), path, 0, keys, nr);
	}
	if (len && len <= 7 && strspn(what, "0123456789") == len)
		return add_keys(db, KEYS_OF("pid > 0 AND pid = ?1"), NULL, strtol(what, NULL, 10),
				keys, nr);
	if (is_hex(what) && (len == 64 || len == 40)) {
		snprintf(name, sizeof(name), "key/%s/%s", len == 64 ? "spki" : "grip", what);
		return add_keys(db, "SELECT id FROM nodes WHERE name = ?1", name, 0, keys, nr);
	}
	if (is_hex(what) && len >= 8 && len <= 32) {
		/* 'g' comes after all hex digits. */
		r = add_keys(
			db,
			"SELECT key FROM edges WHERE a IN (SELECT node FROM alerts WHERE id >= ?1"
			" AND id < ?1 || 'g') UNION SELECT key FROM edges WHERE b IN (SELECT"
			" node FROM alerts WHERE id >= ?1 AND id < ?1 || 'g') LIMIT 16",
			what, 0, keys, nr);
		return r;
	}
	return -EINVAL;
}

static const char node_sql[] =
	"SELECT n.name, n.kind, n.host, n.label, n.about, n.unit, n.container, n.pid, n.uid,"
	" n.loginuid, n.ended, n.state, u.name, l.name FROM nodes n"
	" LEFT JOIN users u ON u.host = n.host AND u.uid = n.uid"
	" LEFT JOIN users l ON l.host = n.host AND l.uid = n.loginuid WHERE n.id = ?1";
static const char alerts_sql[] =
	"SELECT type, substr(id, 1, 8) FROM alerts WHERE node = ?1 LIMIT 9";

static const char digests_sql[] =
	"SELECT nr, sha256 FROM digests WHERE node = ?1 ORDER BY nr LIMIT 5";

/* --- nodes, edges, gaps --------------------------------------------------------------------------
 */

static int take_alerts(struct reader *r, struct trail_view_node *node)
{
	sqlite3_stmt *stmt = r->alerts;
	char list[512] = "";
	size_t n = 0;
	int rc;

	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, node->id);
	for (int i = 0; (rc = sqlite3_step(stmt)) == SQLITE_ROW && i < ALERTS_SHOWN; i++) {
		_cleanup_free_ char *type = text(stmt, 0), *id = text(stmt, 1);

		if (!type || !id)
			return -ENOMEM;
		if (n < sizeof(list) - 1)
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.40s %.8s",
					      i ? ", " : "", type, id);
	}
	node->alerts = strdup(list);
	if (!node->alerts)
		return -ENOMEM;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_errno(rc);
}

static int take_digests(struct reader *r, struct trail_view_node *node)
{
	struct digests *to = &node->digests;
	int rc;

	if (!r->digests)
		return 0;
	sqlite3_reset(r->digests);
	sqlite3_bind_int64(r->digests, 1, node->id);
	while ((rc = sqlite3_step(r->digests)) == SQLITE_ROW) {
		const bool content = sqlite3_column_int64(r->digests, 0) != 0;
		const struct span text = span_of((const char *)sqlite3_column_text(r->digests, 1));

		if (!digest_is(text))
			continue;
		if (!content)
			memcpy(to->file, text.p, DIGEST_HEX);
		else if (to->file[0] && to->nr_content < DIGESTS_CONTENT_MAX)
			memcpy(to->content[to->nr_content++], text.p, DIGEST_HEX);
	}
	return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

static int take_node(struct reader *r, int64_t id, size_t *out_index)
{
	sqlite3_stmt *stmt = r->node;
	struct trail_view *view = r->view;
	struct trail_view_node *node, *nodes;
	int rc;

	nodes = grow(view->nodes, view->nr_nodes, &r->room_nodes, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	view->nodes = nodes;
	sqlite3_reset(stmt);
	sqlite3_bind_int64(stmt, 1, id);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -EBADMSG : db_errno(rc);
	node = &nodes[view->nr_nodes];
	*node = (struct trail_view_node){
		.id = id,
		.name = text(stmt, 0),
		.kind = (enum trail_node_kind)sqlite3_column_int(stmt, 1),
		.host = text(stmt, 2),
		.label = text(stmt, 3),
		.about = text(stmt, 4),
		.unit = text(stmt, 5),
		.container = text(stmt, 6),
		.pid = (uint32_t)sqlite3_column_int64(stmt, 7),
		.uid = id_of(stmt, 8),
		.loginuid = id_of(stmt, 9),
		.ended_ns = (uint64_t)sqlite3_column_int64(stmt, 10),
		.state = (enum trail_state)sqlite3_column_int(stmt, 11),
		.user = text(stmt, 12),
		.login = text(stmt, 13),
	};
	*out_index = view->nr_nodes++;
	if (!node->name || !node->host || !node->label || !node->about || !node->unit ||
	    !node->container || !node->user || !node->login)
		return -ENOMEM;
	rc = node->kind == TRAIL_DUMP || node->kind == TRAIL_FILE ? take_digests(r, node) : 0;
	return rc < 0 ? rc : take_alerts(r, node);
}

/* The nodes of the view in a table of their own, by the numbers of their rows. */
struct seen {
	int64_t id;
	size_t index;
	UT_hash_handle hh;
};

static int node_index(struct reader *r, struct seen **seen, int64_t id, size_t *out_index)
{
	struct seen *s;
	int e;

	HASH_FIND(hh, *seen, &id, sizeof(id), s);
	if (s) {
		*out_index = s->index;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->id = id;
	e = take_node(r, id, &s->index);
	if (e < 0) {
		free(s);
		return e;
	}
	HASH_ADD(hh, *seen, id, sizeof(s->id), s);
	if (!s->hh.tbl) {
		free(s);
		return -ENOMEM;
	}
	*out_index = s->index;
	return 0;
}

static void forget_seen(struct seen **seen)
{
	struct seen *s, *next;

	HASH_ITER(hh, *seen, s, next)
	{
		HASH_DEL(*seen, s);
		free(s);
	}
}

static int take_edge(struct reader *r, struct seen **seen, sqlite3_stmt *stmt, size_t key)
{
	struct trail_view *view = r->view;
	struct trail_view_edge *edges, *edge;
	size_t from, to;
	int e = node_index(r, seen, sqlite3_column_int64(stmt, 0), &from);

	if (e == 0)
		e = node_index(r, seen, sqlite3_column_int64(stmt, 1), &to);
	if (e < 0)
		return e;
	edges = grow(view->edges, view->nr_edges, &r->room_edges, sizeof(*edges));
	if (!edges)
		return -ENOMEM;
	view->edges = edges;
	edge = &edges[view->nr_edges++];
	*edge = (struct trail_view_edge){
		.key = key,
		.from = from,
		.to = to,
		.kind = (enum trail_edge_kind)sqlite3_column_int(stmt, 2),
		.evidence = (enum trail_evidence)sqlite3_column_int(stmt, 3),
		.rule = text(stmt, 4),
		.detail = text(stmt, 5),
		.first_ns = (uint64_t)sqlite3_column_int64(stmt, 6),
		.last_ns = (uint64_t)sqlite3_column_int64(stmt, 7),
		.count = (uint64_t)sqlite3_column_int64(stmt, 8),
	};
	if (!r->first_ns || edge->first_ns < r->first_ns)
		r->first_ns = edge->first_ns;
	if (edge->last_ns > r->last_ns)
		r->last_ns = edge->last_ns;
	return edge->rule && edge->detail ? 0 : -ENOMEM;
}

static int take_key(struct reader *r, struct seen **seen, int64_t id, uint64_t max)
{
	/* What it is kept and was found in is always shown: all else hangs on that. */
	static const char sql[] =
		"SELECT a, b, kind, evidence, rule, detail, first, last, count FROM edges"
		" WHERE key = ?1 ORDER BY last DESC LIMIT ?2";
	struct trail_view *view = r->view;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	uint64_t nr = 0;
	size_t key, *keys;
	int e = node_index(r, seen, id, &key), rc;

	if (e < 0)
		return e;
	keys = reallocarray(view->keys, view->nr_keys + 1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	view->keys = keys;
	keys[view->nr_keys++] = key;
	e = prepare(r->db, sql, &stmt);
	if (e < 0)
		return e;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)(max + 1));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (nr++ == max) {
			view->more = true;
			break;
		}
		e = take_edge(r, seen, stmt, key);
		if (e < 0)
			return e;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_errno(rc);
	if (!view->more)
		return 0;
	finalize(&stmt);
	stmt = NULL;
	/* The same for the roots of the older ones, as far as they are few. */
	e = prepare(r->db,
		    "SELECT a, b, kind, evidence, rule, detail, first, last, count FROM edges"
		    " WHERE key = ?1 AND a = ?1 ORDER BY last DESC LIMIT 64",
		    &stmt);
	if (e < 0)
		return e;
	sqlite3_bind_int64(stmt, 1, id);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		bool known = false;
		const enum trail_edge_kind kind = (enum trail_edge_kind)sqlite3_column_int(stmt, 2);
		const int64_t to = sqlite3_column_int64(stmt, 1);

		for (size_t i = 0; i < view->nr_edges && !known; i++)
			known = view->edges[i].from == key && view->edges[i].kind == kind &&
				view->nodes[view->edges[i].to].id == to;
		e = known ? 0 : take_edge(r, seen, stmt, key);
		if (e < 0)
			return e;
	}
	return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

static int take_gaps(struct reader *r)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct trail_view *view = r->view;
	int e = prepare(r->db,
			"SELECT host, cause, began, ended, count FROM gaps"
			" WHERE ended >= ?1 AND began <= ?2 ORDER BY ended LIMIT 256",
			&stmt),
	    rc;

	if (e < 0)
		return e;
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)r->first_ns);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)r->last_ns);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct trail_view_gap *gaps =
			grow(view->gaps, view->nr_gaps, &r->room_gaps, sizeof(*gaps));
		struct trail_view_gap *gap;

		if (!gaps)
			return -ENOMEM;
		view->gaps = gaps;
		gap = &gaps[view->nr_gaps++];
		*gap = (struct trail_view_gap){
			.host = text(stmt, 0),
			.cause = text(stmt, 1),
			.from_ns = (uint64_t)sqlite3_column_int64(stmt, 2),
			.to_ns = (uint64_t)sqlite3_column_int64(stmt, 3),
			.count = (uint64_t)sqlite3_column_int64(stmt, 4),
		};
		if (!gap->host || !gap->cause)
			return -ENOMEM;
	}
	return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

static int by_time(const void *a, const void *b)
{
	const struct trail_view_edge *x = a, *y = b;

	if (x->first_ns != y->first_ns)
		return x->first_ns < y->first_ns ? -1 : 1;
	/* Where two things happened at once: as the bytes went. */
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

int trail_store_view(struct trail_store *store, const char *what, uint64_t max_edges,
		     struct trail_view *out_view)
{
	struct trail_view view = {0};
	struct reader r = {.db = store->db, .view = &view};
	struct seen *seen = NULL;
	int64_t keys[KEYS_SHOWN];
	size_t nr = 0;
	int e;

	if (!store->db)
		return -EIO;
	e = find_keys(store->db, what, keys, &nr);
	if (e == 0 && !nr)
		e = -ENOENT;
	if (e == 0)
		e = prepare(r.db, node_sql, &r.node);
	if (e == 0)
		e = prepare(r.db, alerts_sql, &r.alerts);
	if (e == 0 && prepare(r.db, digests_sql, &r.digests) < 0)
		r.digests = NULL;
	for (size_t i = 0; i < nr && e == 0; i++)
		e = take_key(&r, &seen, keys[i], max_edges ? max_edges : TRAIL_VIEW_EDGES);
	if (e == 0)
		e = take_gaps(&r);
	forget_seen(&seen);
	sqlite3_finalize(r.node);
	sqlite3_finalize(r.alerts);
	sqlite3_finalize(r.digests);
	if (e < 0) {
		trail_view_fini(&view);
		return e;
	}
	trail_view_sort(&view);
	*out_view = view;
	return 0;
}

void trail_view_sort(struct trail_view *view)
{
	if (view->nr_edges)
		qsort(view->edges, view->nr_edges, sizeof(*view->edges), by_time);
}

bool trail_store_knows_host(struct trail_store *store, const char *host)
{
	/* There is no index by host, and few hosts: the newest nodes say which. */
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	if (!store->db || prepare(store->db,
				  "SELECT 1 FROM (SELECT host FROM nodes WHERE host IS NOT NULL"
				  " ORDER BY id DESC LIMIT 10000) WHERE host = ?1 LIMIT 1",
				  &stmt) < 0)
		return false;
	sqlite3_bind_text(stmt, 1, host, -1, SQLITE_STATIC);
	return sqlite3_step(stmt) == SQLITE_ROW;
}

void trail_view_fini(struct trail_view *view)
{
	for (size_t i = 0; i < view->nr_nodes; i++) {
		struct trail_view_node *n = &view->nodes[i];

		free(n->name);
		free(n->host);
		free(n->label);
		free(n->about);
		free(n->unit);
		free(n->container);
		free(n->user);
		free(n->login);
		free(n->alerts);
	}
	for (size_t i = 0; i < view->nr_edges; i++) {
		free(view->edges[i].rule);
		free(view->edges[i].detail);
	}
	for (size_t i = 0; i < view->nr_gaps; i++) {
		free(view->gaps[i].host);
		free(view->gaps[i].cause);
	}
	free(view->nodes);
	free(view->edges);
	free(view->gaps);
	free(view->keys);
	*view = (struct trail_view){0};
}

/* --- opening -------------------------------------------------------------------------------------
 */

static int opened(struct trail_store *s, int rc)
{
	int r = db_errno(rc);

	if (r == 0)
		r = db_errno(sqlite3_exec(s->db,
					  "PRAGMA trusted_schema = OFF;"
					  "PRAGMA cell_size_check = ON; PRAGMA query_only = ON;",
					  NULL, NULL, NULL));
	if (r == 0) {
		sqlite3_busy_timeout(s->db, 2000);
		r = db_check(s->db, &trail_schema, false);
	}
	return r;
}

int trail_store_open(const char *path, struct trail_store **out_store)
{
	struct trail_store *s;
	int r;

	/* SQLite says of all of these that it cannot open the file. */
	if (access(path, R_OK) < 0)
		return -errno;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = opened(s, sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY, NULL));
	if (r < 0) {
		trail_store_free(s);
		return r;
	}
	*out_store = s;
	return 0;
}

int trail_store_open_bytes(const void *bytes, size_t len, struct trail_store **out_store)
{
	struct trail_store *s = calloc(1, sizeof(*s));
	unsigned char *copy = len ? sqlite3_malloc64(len) : NULL;
	int rc = s && copy ? sqlite3_open_v2(":memory:", &s->db,
					     SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL)
			   : SQLITE_NOMEM;
	int r;

	if (rc == SQLITE_OK) {
		memcpy(copy, bytes, len);
		/* Freed by SQLite, also where it fails. */
		rc = sqlite3_deserialize(s->db, "main", copy, (sqlite3_int64)len,
					 (sqlite3_int64)len,
					 SQLITE_DESERIALIZE_FREEONCLOSE |
						 SQLITE_DESERIALIZE_READONLY);
	} else {
		sqlite3_free(copy);
	}
	r = len ? rc == SQLITE_OK ? opened(s, rc) : db_errno(rc) : -EBADMSG;
	if (r < 0) {
		trail_store_free(s);
		return r;
	}
	*out_store = s;
	return 0;
}
