// SPDX-License-Identifier: GPL-2.0-or-later
/* From an alert in a log, by the names of its parameters in syslog (docs/syslog.md), to edges. */
#include "trail/claims.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/syslogline.h"
#include "model/event.h"

#define LINE_MAX_K 65536
#define VALUE_MAX  4200
#define HOST_MAX   256
#define NAME_MAX_K (HOST_MAX + 16 + 4 * VALUE_MAX)
#define KEYS_MAX   4

struct trail_claims {
	struct trail_sink sink;
	bool (*skip)(void *ctx, const char *host);
	void *ctx;
	struct trail_claims_stats stats;
};

/* An alert, of either kind. */
struct claim {
	const struct trail_sink *sink;
	const struct syslog_line *line; /* or: */
	json_t *json;
	char host[HOST_MAX], type[64], id[33];
	uint64_t time_ns;
};

struct claimed_key {
	char name[TRAIL_NAME_MAX], label[96], about[192];
};

/* --- values --------------------------------------------------------------------------------------
 */

/* Names as in syslog, and where the same stands in the JSON form; `#` is a number from 1. */
static const struct {
	const char *name, *path;
} json_paths[] = {
	{"id", "id"},
	{"type", "type"},
	{"time", "time"},
	{"pid", "subject.pid"},
	{"exe", "subject.exe"},
	{"uid", "subject.uid"},
	{"user", "subject.user"},
	{"loginuid", "subject.loginuid"},
	{"login_user", "subject.login_user"},
	{"unit", "subject.unit"},
	{"container", "subject.container"},
	{"path", "object.path"},
	{"class", "object.class"},
	{"watch", "object.watch"},
	{"how", "access.how"},
	{"key_type", "object.key.type"},
	{"key_bits", "object.key.bits"},
	{"key_source", "object.key.source"},
	{"key_fingerprint", "object.key.fingerprint"},
	{"key_spki_sha256", "object.key.spki_sha256"},
	{"key_comment", "object.key.comment"},
	{"scan", "scan.state"},
	{"dump_sha256", "scan.sha256"},
	{"content#_sha256", "scan.content_sha256.#"},
	{"holder_pid", "scan.holder_pid"},
	{"holder_exe", "scan.holder_exe"},
	{"holder_unit", "scan.holder_unit"},
	{"x#_type", "scan.keys.#.key.type"},
	{"x#_fingerprint", "scan.keys.#.key.fingerprint"},
	{"x#_spki_sha256", "scan.keys.#.key.spki_sha256"},
	{"k#_path", "holds.#.path"},
	{"k#_type", "holds.#.key.type"},
	{"k#_fingerprint", "holds.#.key.fingerprint"},
	{"k#_spki_sha256", "holds.#.key.spki_sha256"},
	{"key#_fingerprint", "memory.keys.#.key.fingerprint"},
	{"key#_spki_sha256", "memory.keys.#.key.spki_sha256"},
	{"target_pid", "target.pid"},
	{"target_exe", "target.exe"},
	{"target_user", "target.user"},
	{"rotate_type", "breach.rotate.type"},
	{"rotate_fingerprint", "breach.rotate.fingerprint"},
	{"rotate_spki_sha256", "breach.rotate.spki_sha256"},
	{"gap_from", "gap.from"},
	{"gap_to", "gap.to"},
};

static json_t *json_at(json_t *node, const char *path, unsigned number)
{
	char step[32];

	for (size_t len; node && *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		if (*path == '#') {
			node = json_array_get(node, number - 1);
			continue;
		}
		snprintf(step, sizeof(step), "%.*s", (int)len, path);
		node = json_object_get(node, step);
	}
	return node;
}

static bool json_value(const struct claim *c, const char *name, unsigned number, char *out,
		       size_t size)
{
	json_t *value = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(json_paths); i++)
		if (!strcmp(json_paths[i].name, name))
			value = json_at(c->json, json_paths[i].path, number);
	/* A core of a process and a file that was scanned have their path in different places. */
	if (!strcmp(name, "dump_path")) {
		value = json_at(c->json, "scan.path", 0);
		value = value ? value : json_at(c->json, "dump.path", 0);
	} else if (!strcmp(name, "dump_how")) {
		value = json_at(c->json, "dump.how", 0);
	} else if (!strcmp(name, "cause")) {
		value = json_at(c->json, "gap.cause", 0);
		value = value ? value : json_at(c->json, "cause", 0);
	}
	out[0] = '\0';
	if (json_is_string(value) && json_string_length(value) < size &&
	    strlen(json_string_value(value)) == json_string_length(value))
		snprintf(out, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return out[0];
}

/* False: not there. number: of names with a `#`. */
static bool get_nr(const struct claim *c, const char *name, unsigned number, char *out, size_t size)
{
	const char *mark = strchr(name, '#');
	char full[48];

	if (c->json)
		return json_value(c, name, number, out, size);
	snprintf(full, sizeof(full), "%s", name);
	if (mark)
		snprintf(full, sizeof(full), "%.*s%u%s", (int)(mark - name), name, number,
			 mark + 1);
	return syslog_line_param(c->line, full, out, size);
}

static bool get(const struct claim *c, const char *name, char *out, size_t size)
{
	return get_nr(c, name, 0, out, size);
}

/* Text that should be escaped already, and is once more if it is not. */
static void get_text_nr(const struct claim *c, const char *name, unsigned number, char *out,
			size_t size)
{
	char told[VALUE_MAX], raw[VALUE_MAX];
	long len;

	out[0] = '\0';
	if (!get_nr(c, name, number, told, sizeof(told)))
		return;
	len = escape_undo(told, strlen(told), raw, sizeof(raw));
	escape_bytes(len < 0 ? told : raw, len < 0 ? strlen(told) : (size_t)len, out, size, NULL);
}

static void get_text(const struct claim *c, const char *name, char *out, size_t size)
{
	get_text_nr(c, name, 0, out, size);
}

static uint32_t get_number(const struct claim *c, const char *name, uint32_t otherwise)
{
	char told[16];
	size_t digits;

	if (!get(c, name, told, sizeof(told)))
		return otherwise;
	digits = strspn(told, "0123456789");
	if (!digits || digits > 10 || told[digits] || strtoull(told, NULL, 10) > UINT32_MAX)
		return otherwise;
	return (uint32_t)strtoull(told, NULL, 10);
}

/* "2025-01-09T12:34:56.123456+01:00", with up to nine digits behind the point, or Z. */
static uint64_t time_of(const char *text)
{
	const char *rest, *point;
	struct tm tm = {0};
	long offset = 0, part = 0, unit = 100000000;
	time_t seconds;

	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	if (*rest == '.')
		for (point = ++rest; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			part += rest - point < 9 ? (*rest - '0') * unit : 0;
	if (*rest == '+' || *rest == '-') {
		if (strspn(rest + 1, "0123456789:") < 5 || rest[3] != ':')
			return 0;
		offset = strtol(rest + 1, NULL, 10) * 3600 + strtol(rest + 4, NULL, 10) * 60;
		offset = *rest == '-' ? -offset : offset;
	} else if (*rest != 'Z') {
		return 0;
	}
	seconds = timegm(&tm) - offset;
	return seconds <= 0 || seconds > INT64_MAX / 1000000000
		       ? 0
		       : (uint64_t)seconds * 1000000000 + (uint64_t)part;
}

static bool is_fingerprint(const char *text)
{
	const char *of = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return !strncmp(text, "SHA256:", 7) && strlen(text) == 50 && strspn(text + 7, of) == 43;
}

/* A key by the names of its parameters: PREFIX and "type", "fingerprint", "spki_sha256". */
static bool get_key(const struct claim *c, const char *prefix, unsigned number,
		    struct claimed_key *out)
{
	char spki[96], print[96], type[32], bits[8], comment[96], name[48];

#define VALUE(suffix, to) \
	(snprintf(name, sizeof(name), "%s" suffix, prefix), get_nr(c, name, number, to, sizeof(to)))
	if (!VALUE("spki_sha256", spki) || !digest_is(span_of(spki)))
		spki[0] = '\0';
	if (!VALUE("fingerprint", print) || !is_fingerprint(print))
		print[0] = '\0';
	if (!spki[0] && !print[0])
		return false;
#undef VALUE
	snprintf(name, sizeof(name), "%stype", prefix);
	get_text_nr(c, name, number, type, sizeof(type));
	snprintf(name, sizeof(name), "%sbits", prefix);
	get_text_nr(c, name, number, bits, sizeof(bits));
	snprintf(name, sizeof(name), "%scomment", prefix);
	get_text_nr(c, name, number, comment, sizeof(comment));
	if (spki[0])
		snprintf(out->name, sizeof(out->name), "key/spki/%s", spki);
	else
		snprintf(out->name, sizeof(out->name), "key/ssh/%s", print);
	snprintf(out->label, sizeof(out->label), "%s", print[0] ? print : spki);
	snprintf(out->about, sizeof(out->about), "%s%s%s%s%s", type, bits[0] ? " " : "", bits,
		 comment[0] ? " " : "", comment);
	/* The same key may be told by its fingerprint alone elsewhere. */
	if (spki[0] && print[0] && c->sink->rekey) {
		char other[TRAIL_NAME_MAX];

		snprintf(other, sizeof(other), "key/ssh/%s", print);
		c->sink->rekey(c->sink->ctx, other, out->name);
	}
	return true;
}

/* --- nodes and edges -----------------------------------------------------------------------------
 */

static void tell_key(const struct claim *c, const struct claimed_key *key)
{
	const struct trail_node node = {
		.name = key->name,
		.kind = TRAIL_KEY,
		.label = key->label,
		.about = key->about,
		.uid = UID_UNSET,
		.loginuid = UID_UNSET,
	};

	c->sink->node(c->sink->ctx, &node);
}

static void tell_edge(const struct claim *c, enum trail_edge_kind kind,
		      enum trail_evidence evidence, const struct claimed_key *key, const char *from,
		      const char *to, const char *rule, const char *detail)
{
	const struct trail_edge edge = {
		.kind = kind,
		.evidence = evidence,
		.key = key->name,
		.from = from,
		.to = to,
		.rule = rule,
		.detail = detail && *detail ? detail : NULL,
		.time_ns = c->time_ns,
	};

	c->sink->edge(c->sink->ctx, &edge);
}

/* Alerts name no inodes: a file is known by its path. */
static bool tell_file(const struct claim *c, enum trail_node_kind kind, const char *param,
		      const struct digests *digests, bool with_key, char out[static NAME_MAX_K])
{
	char path[VALUE_MAX], watch[96];
	const struct trail_node node = {
		.name = out,
		.kind = kind,
		.host = c->host,
		.label = path,
		.about = watch,
		.state = with_key ? TRAIL_WITH_KEY : TRAIL_UNSCANNED,
		.digests = digests && digests->file[0] ? digests : NULL,
		.uid = UID_UNSET,
		.loginuid = UID_UNSET,
	};

	get_text(c, param, path, sizeof(path));
	get_text(c, "watch", watch, sizeof(watch));
	if (path[0] != '/')
		return false;
	snprintf(out, NAME_MAX_K, "%s/file/log%s", c->host, path);
	c->sink->node(c->sink->ctx, &node);
	return true;
}

/* Neither a start nor an image: a process is known by its number and program. */
static bool tell_process(const struct claim *c, const char *pid_param, const char *exe_param,
			 const char *unit_param, bool subject, char out[static NAME_MAX_K])
{
	char exe[VALUE_MAX], unit[256], container[256], user[96];
	struct trail_node node = {
		.name = out,
		.kind = TRAIL_PROCESS,
		.host = c->host,
		.label = exe,
		.unit = unit,
		.container = container,
		.pid = get_number(c, pid_param, 0),
		.uid = UID_UNSET,
		.loginuid = UID_UNSET,
	};

	get_text(c, exe_param, exe, sizeof(exe));
	get_text(c, unit_param, unit, sizeof(unit));
	container[0] = '\0';
	if (!node.pid)
		return false;
	if (subject) {
		get_text(c, "container", container, sizeof(container));
		node.uid = get_number(c, "uid", UID_UNSET);
		node.loginuid = get_number(c, "loginuid", UID_UNSET);
		get_text(c, "user", user, sizeof(user));
		if (user[0] && node.uid != UID_UNSET && c->sink->user)
			c->sink->user(c->sink->ctx, c->host, node.uid, user);
		get_text(c, "login_user", user, sizeof(user));
		if (user[0] && node.loginuid != UID_UNSET && c->sink->user)
			c->sink->user(c->sink->ctx, c->host, node.loginuid, user);
	}
	snprintf(out, NAME_MAX_K, "%s/process/log/%" PRIu32 ".%s", c->host, node.pid, exe);
	c->sink->node(c->sink->ctx, &node);
	return true;
}

static bool tell_subject(const struct claim *c, char out[static NAME_MAX_K])
{
	return tell_process(c, "pid", "exe", "unit", true, out);
}

static void mark(const struct claim *c, const char *node)
{
	if (c->id[0] && c->sink->alert)
		c->sink->alert(c->sink->ctx, c->id, c->type, node);
}

/* --- alerts --------------------------------------------------------------------------------------
 */

static void get_digests(const struct claim *c, struct digests *out)
{
	char file[DIGEST_HEX], content[DIGEST_HEX];

	*out = (struct digests){.nr_content = 0};
	if (!get(c, "dump_sha256", file, sizeof(file)) || !digest_is(span_of(file)))
		return;
	memcpy(out->file, file, DIGEST_HEX);
	for (unsigned i = 1; i <= DIGESTS_CONTENT_MAX; i++)
		if (get_nr(c, "content#_sha256", i, content, sizeof(content)) &&
		    digest_is(span_of(content)))
			memcpy(out->content[out->nr_content++], content, DIGEST_HEX);
}

/* A key's own file was read. */
static void on_key_read(const struct claim *c)
{
	char file[NAME_MAX_K], process[NAME_MAX_K], source[16], how[32];
	struct claimed_key key;
	bool sure;

	if (!get_key(c, "key_", 0, &key) && !get_key(c, "rotate_", 0, &key))
		return;
	if (!tell_file(c, TRAIL_FILE, "path", NULL, false, file))
		return;
	get(c, "key_source", source, sizeof(source));
	get_text(c, "how", how, sizeof(how));
	sure = !strcmp(source, "file");
	tell_key(c, &key);
	tell_edge(c, TRAIL_HOLDS, sure ? TRAIL_CONFIRMED : TRAIL_INFERRED, &key, key.name, file,
		  sure ? NULL : "names-unverified", NULL);
	if (!tell_subject(c, process))
		return;
	tell_edge(c, TRAIL_READ, TRAIL_OBSERVED, &key, file, process, NULL, how);
	mark(c, process);
}

/* A dump in which keys were found was read, or written. */
static void on_dump(const struct claim *c, bool read)
{
	char file[NAME_MAX_K], process[NAME_MAX_K], holder[NAME_MAX_K], how[32];
	bool has_process, has_holder;
	struct claimed_key key;
	struct digests digests;

	get_digests(c, &digests);
	if (!get_key(c, "x#_", 1, &key) ||
	    !tell_file(c, TRAIL_DUMP, read ? "path" : "dump_path", &digests, true, file))
		return;
	get_text(c, "how", how, sizeof(how));
	has_process = tell_subject(c, process);
	has_holder =
		!read && tell_process(c, "holder_pid", "holder_exe", "holder_unit", false, holder);
	for (unsigned i = 1; i <= KEYS_MAX && get_key(c, "x#_", i, &key); i++) {
		tell_key(c, &key);
		tell_edge(c, TRAIL_FOUND_IN, TRAIL_CONFIRMED, &key, key.name, file, NULL, NULL);
		if (has_holder)
			tell_edge(c, TRAIL_CRASHED_INTO, TRAIL_OBSERVED, &key, holder, file, NULL,
				  NULL);
		if (has_process && read)
			tell_edge(c, TRAIL_DUMP_READ, TRAIL_OBSERVED, &key, file, process, NULL,
				  how);
		else if (has_process && !has_holder)
			tell_edge(c, TRAIL_WROTE, TRAIL_OBSERVED, &key, process, file, NULL, NULL);
	}
	mark(c, read && has_process ? process : file);
}

/* Who had read keys crashed. */
static void on_holder_dumped(const struct claim *c)
{
	char file[NAME_MAX_K], process[NAME_MAX_K], dump[NAME_MAX_K], how[32];
	struct claimed_key key;
	bool to_file;

	if (!get_key(c, "k#_", 1, &key) || !tell_subject(c, process))
		return;
	get(c, "dump_how", how, sizeof(how));
	to_file = (!strcmp(how, "file") || !strcmp(how, "written")) &&
		  tell_file(c, TRAIL_DUMP, "dump_path", NULL, false, dump);
	for (unsigned i = 1; i <= KEYS_MAX && get_key(c, "k#_", i, &key); i++) {
		char path[VALUE_MAX];

		tell_key(c, &key);
		get_text_nr(c, "k#_path", i, path, sizeof(path));
		if (path[0] == '/') {
			const struct trail_node node = {
				.name = file,
				.kind = TRAIL_FILE,
				.host = c->host,
				.label = path,
				.uid = UID_UNSET,
				.loginuid = UID_UNSET,
			};

			snprintf(file, sizeof(file), "%s/file/log%s", c->host, path);
			c->sink->node(c->sink->ctx, &node);
			tell_edge(c, TRAIL_HOLDS, TRAIL_CONFIRMED, &key, key.name, file, NULL,
				  NULL);
			tell_edge(c, TRAIL_READ, TRAIL_OBSERVED, &key, file, process, NULL, "held");
		}
		if (to_file)
			tell_edge(c, strcmp(how, "file") != 0 ? TRAIL_WROTE : TRAIL_CRASHED_INTO,
				  TRAIL_OBSERVED, &key, process, dump, NULL, NULL);
	}
	mark(c, process);
}

static void on_memory_read(const struct claim *c)
{
	char target[NAME_MAX_K], process[NAME_MAX_K], how[32];
	struct claimed_key key;

	if (!get_key(c, "key#_", 1, &key) || !tell_subject(c, process) ||
	    !tell_process(c, "target_pid", "target_exe", "", false, target))
		return;
	get_text(c, "how", how, sizeof(how));
	for (unsigned i = 1; i <= KEYS_MAX && get_key(c, "key#_", i, &key); i++) {
		tell_key(c, &key);
		tell_edge(c, TRAIL_MEMORY_READ, TRAIL_INFERRED, &key, target, process,
			  "memory-can-be-read", how);
	}
	mark(c, process);
}

static void on_gap(const struct claim *c)
{
	char from[40], to[40], cause[64];
	struct trail_gap gap = {
		.host = c->host,
		.cause = cause,
		.count = get_number(c, "count", 0),
	};

	get_text(c, "cause", cause, sizeof(cause));
	get(c, "gap_from", from, sizeof(from));
	get(c, "gap_to", to, sizeof(to));
	gap.from_ns = time_of(from);
	gap.to_ns = time_of(to);
	/* Of an alert share nothing was lost: alerts are only counted. */
	if (gap.from_ns && gap.to_ns >= gap.from_ns && strcmp(cause, "held-back") != 0 &&
	    c->sink->gap)
		c->sink->gap(c->sink->ctx, &gap);
}

static bool take(struct claim *c)
{
	char time[40], scan[24];
	const bool is_dump = get(c, "scan", scan, sizeof(scan));

	if (!get(c, "type", c->type, sizeof(c->type)) || !get(c, "time", time, sizeof(time)))
		return false;
	c->time_ns = time_of(time);
	if (!get(c, "id", c->id, sizeof(c->id)) || strspn(c->id, "0123456789abcdef") != 32)
		c->id[0] = '\0';
	if (!c->time_ns || !c->id[0])
		return false;
	if (!strcmp(c->type, "key-read") || (!strcmp(c->type, "isolation-breach") && !is_dump))
		on_key_read(c);
	else if (!strcmp(c->type, "dump-read") || !strcmp(c->type, "isolation-breach"))
		on_dump(c, true);
	else if (!strcmp(c->type, "dump-with-key"))
		on_dump(c, false);
	else if (!strcmp(c->type, "holder-dumped"))
		on_holder_dumped(c);
	else if (!strcmp(c->type, "memory-read"))
		on_memory_read(c);
	else if (!strcmp(c->type, "events-lost"))
		on_gap(c);
	return true;
}

/* --- lines ---------------------------------------------------------------------------------------
 */

struct trail_claims *trail_claims_new(const struct trail_sink *sink,
				      bool (*skip)(void *ctx, const char *host), void *ctx)
{
	struct trail_claims *claims = calloc(1, sizeof(*claims));

	if (!claims)
		return NULL;
	claims->sink = *sink;
	claims->skip = skip;
	claims->ctx = ctx;
	return claims;
}

void trail_claims_free(struct trail_claims *claims)
{
	free(claims);
}

void trail_claims_line(struct trail_claims *claims, const char *text)
{
	struct claim c = {.sink = &claims->sink};
	json_auto_t *json = NULL;
	struct syslog_line line;
	char host[HOST_MAX];

	claims->stats.lines++;
	if (*text == '{') {
		json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		c.json = json;
		if (json_is_object(json) && json_is_string(json_object_get(json, "host")))
			snprintf(host, sizeof(host), "%s",
				 json_string_value(json_object_get(json, "host")));
		else
			c.json = NULL;
	} else if (syslog_line_parse(text, &line)) {
		c.line = &line;
		memcpy(host, line.host, sizeof(host));
	}
	if (!c.json && !c.line) {
		claims->stats.foreign++;
		return;
	}
	escape_bytes(host, strlen(host), c.host, sizeof(c.host), NULL);
	if (!c.host[0] || strchr(c.host, '/') ||
	    (claims->skip && claims->skip(claims->ctx, c.host)))
		claims->stats.skipped++;
	else if (take(&c))
		claims->stats.alerts++;
	else
		claims->stats.foreign++;
}

int trail_claims_file(struct trail_claims *claims, const char *path)
{
	_cleanup_fclose_ FILE *opened = strcmp(path, "-") ? fopen(path, "re") : NULL;
	FILE *f = strcmp(path, "-") ? opened : stdin;
	_cleanup_free_ char *line = malloc(LINE_MAX_K);
	bool skipping = false;

	if (!f)
		return -errno;
	if (!line)
		return -ENOMEM;
	while (fgets(line, LINE_MAX_K, f)) {
		char *end = strchr(line, '\n');
		const bool whole = end || feof(f);

		if (end)
			*end = '\0';
		if (!skipping && whole)
			trail_claims_line(claims, line);
		skipping = !whole;
	}
	return ferror(f) ? -EIO : 0;
}

void trail_claims_stats(const struct trail_claims *claims, struct trail_claims_stats *out_stats)
{
	*out_stats = claims->stats;
}
