// SPDX-License-Identifier: GPL-2.0-or-later
/* An alert as one RFC 5424 line with STRUCTURED-DATA. */
#include "sinks/rfc5424.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"

/*
 * How long things may be, in bytes of the line. The first row under which the line fits is taken;
 * the last one always fits (tests/unit/test_rfc5424.c holds it against the worst alert there can
 * be). What an investigator can still find elsewhere by pid and id goes first.
 */
struct limits {
	size_t parent_args; /* args of each ancestor */
	size_t args; /* of the subject */
	size_t path; /* path, via, exe: the middle is cut */
	size_t text; /* the sentence: the middle is cut */
	uint32_t parents; /* how many, the nearest ones */
	size_t parent_exe; /* the middle is cut */
	size_t other; /* any other value */
};

static const struct limits limits[] = {
	{SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX, ALERT_ANCESTRY_MAX, SIZE_MAX, SIZE_MAX},
	{128, SIZE_MAX, SIZE_MAX, SIZE_MAX, ALERT_ANCESTRY_MAX, SIZE_MAX, SIZE_MAX},
	{0, SIZE_MAX, SIZE_MAX, SIZE_MAX, ALERT_ANCESTRY_MAX, SIZE_MAX, SIZE_MAX},
	{0, 1024, SIZE_MAX, SIZE_MAX, ALERT_ANCESTRY_MAX, SIZE_MAX, SIZE_MAX},
	{0, 256, SIZE_MAX, 2048, ALERT_ANCESTRY_MAX, 512, SIZE_MAX},
	{0, 256, 1024, 1024, 16, 256, 256},
	{0, 128, 512, 1024, 8, 128, 128},
	{0, 0, 256, 512, 4, 64, 64},
};

/* Counts on beyond the end, so that the caller learns what was needed. */
struct line {
	char *p;
	size_t len;
	bool cut; /* a value was shortened */
	const struct limits *max;
};

static void put(struct line *line, const char *p, size_t len)
{
	if (line->len < SYSLOG_LINE_MAX)
		memcpy(line->p + line->len, p,
		       len < SYSLOG_LINE_MAX - line->len ? len : SYSLOG_LINE_MAX - line->len);
	line->len += len;
}

static void put_str(struct line *line, const char *s)
{
	put(line, s, strlen(s));
}

static void putf(struct line *line, const char *fmt, ...) _printf_(2, 3);
static void putf(struct line *line, const char *fmt, ...)
{
	char tmp[128]; /* numbers and our own words only */
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap);
	va_end(ap);
	if (n > 0)
		put(line, tmp, (size_t)n < sizeof(tmp) ? (size_t)n : sizeof(tmp) - 1);
}

/*
 * One unit of text as it stands in the line: a PARAM-VALUE escapes `"`, `\` and `]` with a
 * backslash (RFC 5424, 6.3.3); a byte that has no business in a line becomes \xHH. At most 8 bytes.
 */
static size_t encode(const char *p, size_t len, enum text_kind kind, bool param, char *out)
{
	char raw[5];
	size_t n = 0;

	if (kind == TEXT_RAW && *p != '\\') {
		snprintf(raw, sizeof(raw), "\\x%02x", (unsigned char)*p);
		p = raw;
		len = 4;
	}
	for (size_t i = 0; i < len; i++) {
		if (param && (p[i] == '"' || p[i] == '\\' || p[i] == ']'))
			out[n++] = '\\';
		out[n++] = p[i];
	}
	return n;
}

static size_t encoded_size(const char *s, size_t len, bool param)
{
	size_t total = 0;
	char unit[8];

	for (size_t i = 0; i < len;) {
		enum text_kind kind;
		size_t n = text_unit(s + i, len - i, &kind);

		total += encode(s + i, n, kind, param, unit);
		i += n;
	}
	return total;
}

/* Text of any content within `max` bytes: whole, or its head and tail with "..." between them. */
static void put_text(struct line *line, const char *s, bool param, size_t max)
{
	size_t len = strlen(s), total = encoded_size(s, len, param), done = 0, head = SIZE_MAX;
	size_t tail = 0;
	bool skipping = false;
	char unit[8];

	if (total > max) {
		line->cut = true;
		if (max < 16)
			return;
		head = (max - 3) / 2;
		tail = max - 3 - head;
	}
	for (size_t i = 0; i < len;) {
		enum text_kind kind;
		size_t n = text_unit(s + i, len - i, &kind);
		size_t size = encode(s + i, n, kind, param, unit);

		if (!skipping && done + size > head) {
			skipping = true;
			put_str(line, "...");
		}
		if (!skipping || total - done <= tail)
			put(line, unit, size);
		done += size;
		i += n;
	}
}

/* Absent and empty values are left out, so that nobody has to tell them apart. */
static void param(struct line *line, const char *name, const char *value, size_t max)
{
	if (!value || !*value)
		return;
	if (max == 0) {
		line->cut = true;
		return;
	}
	put(line, " ", 1);
	put_str(line, name);
	put(line, "=\"", 2);
	put_text(line, value, true, max);
	put(line, "\"", 1);
}

static void param_u(struct line *line, const char *name, uint64_t value)
{
	putf(line, " %s=\"%" PRIu64 "\"", name, value);
}

/* Time with microseconds and offset, as RFC 5424 and RFC 3339 have it. */
static void format_time(uint64_t ns, char out[40])
{
	time_t s = ns / 1000000000;
	struct tm tm;
	char day[24];
	long off;

	if (!localtime_r(&s, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
		s = 0;
		gmtime_r(&s, &tm);
	}
	off = tm.tm_gmtoff / 60;
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, 40, "%s.%06u%c%02ld:%02ld", day, (unsigned)(ns % 1000000000 / 1000),
		 off < 0 ? '-' : '+', labs(off) / 60 % 24, labs(off) % 60);
}

static void param_time(struct line *line, const char *name, uint64_t ns)
{
	char time[40];

	format_time(ns, time);
	param(line, name, time, SIZE_MAX);
}

/* "mapped,traced"; left out if there is nothing to say. */
static void param_untrusted(struct line *line, uint32_t reasons)
{
	char words[64] = "";
	size_t n = 0;

	for (uint32_t bit = 1; bit & UNTRUSTED_ALL; bit <<= 1)
		if (reasons & bit && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "," : "",
					      untrusted_str((enum untrusted)bit));
	param(line, "untrusted", words, SIZE_MAX);
}

static void put_subject(struct line *line, const struct alert *alert)
{
	const struct alert_process *self = &alert->processes[0];
	const struct limits *max = line->max;

	param_u(line, "pid", self->pid);
	param(line, "exe", self->exe, max->path);
	param(line, "exe_trust", exe_trust_str(alert->exe_trust), max->other);
	param(line, "script", alert->script, max->path);
	if (alert->script && alert->script[0])
		param(line, "script_evidence", alert->script_evidence, SIZE_MAX);
	param_untrusted(line, alert->untrusted);
	param(line, "package", alert->package, max->other);
	if (alert->package_state == PACKAGE_MODIFIED)
		param(line, "package_state", package_state_str(alert->package_state), SIZE_MAX);
	param(line, "exe_digest", alert->exe_digest, max->other);
	param(line, "exe_verity", alert->exe_verity, max->other);
	param_u(line, "uid", self->uid);
	param(line, "user", self->user, max->other);
	if (alert->euid != self->uid)
		param_u(line, "euid", alert->euid);
	if (alert->loginuid != UID_UNSET)
		param_u(line, "loginuid", alert->loginuid);
	param(line, "login_user", alert->login_user, max->other);
	if (alert->session != UID_UNSET)
		param_u(line, "session", alert->session);
	if (alert->session_type != SESSION_UNKNOWN)
		param(line, "session_type", session_type_str(alert->session_type), SIZE_MAX);
	param(line, "remote", alert->remote, max->other);
	param(line, "unit", alert->unit, max->other);
	param(line, "container", alert->container, max->other);
	param(line, "image", alert->image, max->other);
	param(line, "image_id", alert->image_id, max->other);
	param(line, "image_container", alert->image_container, max->other);
	param(line, "args", self->args, max->args);
}

static const char *key_source_str(enum key_source source)
{
	static const char *const words[KEYSRC_NR] = {"none", "file", "sibling", "stated"};

	return source < KEYSRC_NR ? words[source] : "none";
}

static void param_spki(struct line *line, const char *name, const struct key_identity *key)
{
	static const char hex[] = "0123456789abcdef";
	char id[sizeof(key->spki) * 2 + 1];

	for (size_t i = 0; i < sizeof(key->spki); i++) {
		id[2 * i] = hex[key->spki[i] >> 4];
		id[2 * i + 1] = hex[key->spki[i] & 15];
	}
	id[sizeof(id) - 1] = '\0';
	param(line, name, id, SIZE_MAX);
}

static void put_key(struct line *line, const struct key_identity *key, size_t other)
{
	param(line, "key_type", key_kind_str(key->kind), other);
	if (key->kind == KEY_NONE)
		return;
	if (key->bits)
		param_u(line, "key_bits", key->bits);
	param(line, "key_format", key_format_str(key->format), other);
	param_u(line, "key_encrypted", key->encrypted);
	param(line, "key_source", key_source_str(key->source), other);
	param(line, "key_fingerprint", key->ssh_fp, SIZE_MAX);
	if (key->has_spki)
		param_spki(line, "key_spki_sha256", key);
	param(line, "key_keygrip", key->keygrip, SIZE_MAX);
	param(line, "key_comment", key->comment, other);
}

/* The words of the bits that are set, as alert_json() names them. */
static void param_words(struct line *line, const char *name, uint32_t bits,
			const char *const *words, size_t nr)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		if (!(bits & 1U << i))
			continue;
		if (!any) {
			put(line, " ", 1);
			put_str(line, name);
		}
		put_str(line, any ? "," : "=\"");
		put_str(line, words[i]);
		any = true;
	}
	if (any)
		put(line, "\"", 1);
}

static void put_object(struct line *line, const struct alert *alert)
{
	static const char *const modes[] = {"read", "write", "exec", "created"};
	const struct limits *max = line->max;

	param(line, "path", alert->path, max->path);
	param(line, "via", alert->via, max->path);
	param(line, "class", alert->object_class, max->other);
	param(line, "watch", alert->watch, max->other);
	if (alert->owner != UID_UNSET)
		param_u(line, "owner", alert->owner);
	param(line, "owner_user", alert->owner_user, max->other);
	if (alert->how) {
		param(line, "how", access_how_str(alert->how), max->other);
		param_words(line, "mode", alert->mode, modes, ARRAY_SIZE(modes));
	}
	if (alert->sent.how) {
		param(line, "how", alert->sent.how, max->other);
		param(line, "sent_to", alert->sent.to, max->other);
		param_u(line, "sent_port", alert->sent.port);
	}
	if (alert->refused)
		param(line, "refused", alert->refused, max->other);
	if (alert->new_path)
		param(line, "new_path", alert->new_path, max->path);
	if (alert->key_known)
		put_key(line, &alert->key, max->other);
}

/* The first key in full; of the others the names by which a receiver knows them. */
static void put_held(struct line *line, const struct alert *alert)
{
	const struct limits *max = line->max;

	for (uint32_t i = 0; i < alert->nr_held; i++) {
		const struct alert_key *h = &alert->held[i];
		char name[32], prefix[12];

		snprintf(prefix, sizeof(prefix), "k%" PRIu32, i + 1);
		snprintf(name, sizeof(name), "%s_path", prefix);
		param(line, name, h->path, max->path);
		snprintf(name, sizeof(name), "%s_class", prefix);
		param(line, name, h->object_class, max->other);
		if (!h->key_known)
			continue;
		snprintf(name, sizeof(name), "%s_type", prefix);
		param(line, name, key_kind_str(h->key.kind), max->other);
		snprintf(name, sizeof(name), "%s_fingerprint", prefix);
		param(line, name, h->key.ssh_fp, SIZE_MAX);
		if (!h->key.has_spki)
			continue;
		snprintf(name, sizeof(name), "%s_spki_sha256", prefix);
		param_spki(line, name, &h->key);
	}
	if (alert->nr_held_all)
		param_u(line, "keys_held", alert->nr_held_all);
}

static void put_dump(struct line *line, const struct alert_dump *dump)
{
	const struct limits *max = line->max;

	param(line, "dump_how", dump->how, max->other);
	param(line, "dump_path", dump->path, max->path);
	param(line, "dump_kind", dump->kind, max->other);
	if (dump->signal)
		param_u(line, "signal", dump->signal);
	param_u(line, "dumpable", dump->dumpable);
	if (dump->limit != UINT64_MAX)
		param_u(line, "core_limit", dump->limit);
	if (dump->size)
		param_u(line, "dump_size", dump->size);
	if (dump->listener)
		param_u(line, "listener_pid", dump->listener);
}

/* The keys by the names by which a receiver knows them; x1 is the worst. */
static void put_scan(struct line *line, const struct alert_scan *scan)
{
	const struct limits *max = line->max;
	char name[32];

	param(line, "scan", scan->state, max->other);
	param(line, "scan_cause", scan->cause, max->other);
	if (scan->path) {
		param(line, "dump_path", scan->path, max->path);
		param(line, "dump_kind", scan->container, max->other);
		param_u(line, "dump_size", scan->size);
		param(line, "scan_unseen", scan->unseen, max->other);
		if (scan->pid)
			param_u(line, "dump_pid", scan->pid);
		param(line, "dump_command", scan->command, max->other);
		param(line, "dump_exe", scan->exe, max->parent_exe);
		if (scan->holder_pid)
			param_u(line, "holder_pid", scan->holder_pid);
		param(line, "holder_exe", scan->holder_exe, max->parent_exe);
		param(line, "holder_unit", scan->holder_unit, max->other);
	}
	for (uint32_t i = 0; i < scan->nr; i++) {
		const struct alert_scan_key *k = &scan->items[i];

		snprintf(name, sizeof(name), "x%" PRIu32 "_class", i + 1);
		param(line, name, k->class, max->other);
		snprintf(name, sizeof(name), "x%" PRIu32 "_what", i + 1);
		param(line, name, k->what, max->other);
		snprintf(name, sizeof(name), "x%" PRIu32 "_label", i + 1);
		param(line, name, k->label, max->other);
		if (k->key.kind == KEY_NONE)
			continue;
		snprintf(name, sizeof(name), "x%" PRIu32 "_type", i + 1);
		param(line, name, key_kind_str(k->key.kind), max->other);
		snprintf(name, sizeof(name), "x%" PRIu32 "_fingerprint", i + 1);
		param(line, name, k->key.ssh_fp, SIZE_MAX);
		snprintf(name, sizeof(name), "x%" PRIu32 "_spki_sha256", i + 1);
		if (k->key.has_spki)
			param_spki(line, name, &k->key);
	}
	param_u(line, "keys_found", scan->keys);
	/* Never cut: a part of a digest says nothing. */
	param(line, "dump_sha256", scan->digests.file, SIZE_MAX);
	for (uint32_t i = 0; i < scan->digests.nr_content; i++) {
		snprintf(name, sizeof(name), "content%" PRIu32 "_sha256", i + 1);
		param(line, name, scan->digests.content[i], SIZE_MAX);
	}
}

static void put_breach(struct line *line, const struct alert_breach *breach)
{
	param(line, "zone", breach->zone, line->max->other);
	param(line, "link", breach->link, line->max->path);
	param(line, "way", breach->way, line->max->path);
	if (!breach->key_known)
		return;
	param(line, "rotate_type", key_kind_str(breach->key.kind), line->max->other);
	param(line, "rotate_fingerprint", breach->key.ssh_fp, SIZE_MAX);
	if (breach->key.has_spki)
		param_spki(line, "rotate_spki_sha256", &breach->key);
}

static void put_setting(struct line *line, const struct alert_setting *setting)
{
	param(line, "setting", setting->name, line->max->other);
	param(line, "old", setting->old_value, line->max->path);
	param(line, "new", setting->value, line->max->path);
	if (setting->pid)
		param_u(line, "target_pid", setting->pid);
}

/* Of a key that the target has read only what names it. */
static void put_memory(struct line *line, const struct alert *alert)
{
	const struct limits *max = line->max;
	char name[32];

	param(line, "how", memory_how_str(alert->memory_how), max->other);
	if (alert->target.pid) {
		param_u(line, "target_pid", alert->target.pid);
		param(line, "target_exe", alert->target.exe, max->path);
		param(line, "target_user", alert->target.user, max->other);
		param(line, "target_args", alert->target.args, max->parent_args);
		param_u(line, "keys_read", alert->keys_read);
	}
	for (uint32_t i = 0; i < alert->nr_keys; i++) {
		const struct alert_key *k = &alert->keys[i];

		snprintf(name, sizeof(name), "key%" PRIu32 "_path", i + 1);
		param(line, name, k->path, max->parent_exe);
		snprintf(name, sizeof(name), "key%" PRIu32 "_class", i + 1);
		param(line, name, k->object_class, max->other);
		if (!k->key_known)
			continue;
		snprintf(name, sizeof(name), "key%" PRIu32 "_fingerprint", i + 1);
		param(line, name, k->key.ssh_fp, SIZE_MAX);
		snprintf(name, sizeof(name), "key%" PRIu32 "_spki_sha256", i + 1);
		if (k->key.has_spki)
			param_spki(line, name, &k->key);
	}
}

/* What the kernel side could not tell whole. */
static void put_incomplete(struct line *line, uint32_t flags)
{
	static const char *const words[] = {"path",	   "exe",     "cgroup",	   "args",
					    "path-failed", "fd-scan", "generation"};

	param_words(line, "incomplete", flags, words, ARRAY_SIZE(words));
}

static void put_ancestry(struct line *line, const struct alert *alert)
{
	const struct limits *max = line->max;

	param_u(line, "ancestors", alert->nr_processes - 1);
	param_u(line, "ancestry_complete", alert->ancestry_complete);
	for (uint32_t i = 1; i < alert->nr_processes; i++) {
		const struct alert_process *p = &alert->processes[i];
		char name[24];

		if (i > max->parents) {
			line->cut = true;
			break;
		}
		snprintf(name, sizeof(name), "p%" PRIu32 "_pid", i);
		param_u(line, name, p->pid);
		snprintf(name, sizeof(name), "p%" PRIu32 "_exe", i);
		param(line, name, p->exe, max->parent_exe);
		snprintf(name, sizeof(name), "p%" PRIu32 "_user", i);
		param(line, name, p->user, max->other);
		snprintf(name, sizeof(name), "p%" PRIu32 "_args", i);
		param(line, name, p->args, max->parent_args);
	}
}

static void put_element(struct line *line, const struct alert *alert, const char *sd_id)
{
	const struct limits *max = line->max;

	put(line, "[", 1);
	put_str(line, sd_id);
	param(line, "id", alert->id, SIZE_MAX);
	param(line, "type", alert_type_str(alert->type), max->other);
	param(line, "severity", severity_str(alert->severity), max->other);
	param_time(line, "time", alert->time_ns);
	param(line, "evidence", alert->evidence, max->other);
	param(line, "attack", alert->attack, max->other);
	if (alert->summary || alert->count > 1) {
		param_u(line, "count", alert->count);
		param_time(line, "first", alert->first_ns);
		param_time(line, "last", alert->last_ns);
	}
	if (alert->summary)
		param(line, "summary_of", alert->of, SIZE_MAX);
	if (alert->nr_processes > 0)
		put_subject(line, alert);
	if (alert->object)
		put_object(line, alert);
	if (alert->breach.zone)
		put_breach(line, &alert->breach);
	if (alert->dump.how)
		put_dump(line, &alert->dump);
	if (alert->scan.state)
		put_scan(line, &alert->scan);
	if (alert->setting.name)
		put_setting(line, &alert->setting);
	put_held(line, alert);
	if (alert->memory_how)
		put_memory(line, alert);
	param(line, "rule", alert->rule, max->other);
	if (alert->type == ALERT_EVENTS_LOST) {
		param_time(line, "gap_from", alert->gap_from_ns);
		param_time(line, "gap_to", alert->gap_to_ns);
		param(line, "gap_user", alert->login_user, max->other);
	}
	param(line, "cause", alert->cause, max->other);
	put_incomplete(line, alert->event_flags);
	if (alert->chain_seq) {
		param_u(line, "chain_seq", alert->chain_seq);
		param(line, "chain_head", alert->chain_head, SIZE_MAX);
	}
	if (alert->nr_processes > 0)
		put_ancestry(line, alert);
	/* Last, because only now it is known; a receiver finds it by name. */
	if (line->cut)
		put_str(line, " truncated=\"1\"");
	put(line, "]", 1);
}

/* HOSTNAME: printable ASCII, at most 255 bytes, "-" if there is none. */
static void put_host(struct line *line, const char *host)
{
	size_t len = host ? strnlen(host, 255) : 0;

	if (len == 0)
		put(line, "-", 1);
	for (size_t i = 0; i < len; i++)
		put(line, host[i] > 32 && host[i] < 127 ? host + i : "_", 1);
}

static bool ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static size_t format_within(const struct alert *alert, const struct syslog_ident *ident,
			    const struct limits *max, char *out)
{
	struct line text, line;
	char time[40];

	/* Whether the sentence will be cut must be known before the element that says so is
	 * written. */
	text = (struct line){.p = out, .max = max};
	put_text(&text, alert->text ? alert->text : "", false, max->text);

	line = (struct line){.p = out, .max = max, .cut = text.cut};
	format_time(alert->time_ns, time);
	putf(&line, "<%u>1 %s ", SYSLOG_FACILITY * 8 + syslog_severity(alert->severity), time);
	put_host(&line, alert->host);
	putf(&line, " " SYSLOG_APP " %" PRIu32 " ", ident->pid);
	put_str(&line, alert_type_str(alert->type));
	put(&line, " ", 1);
	put_element(&line, alert, ident->sd_id);
	put(&line, " ", 1);
	/* MSG that is UTF-8 begins with a BOM (RFC 5424, 6.4); plain ASCII needs none, and almost
	 * all is. */
	if (alert->text && !ascii(alert->text))
		put(&line, "\xef\xbb\xbf", 3);
	put_text(&line, alert->text ? alert->text : "", false, max->text);
	return line.len;
}

unsigned syslog_severity(enum severity severity)
{
	switch (severity) {
	case SEV_CRITICAL:
		return 2; /* crit */
	case SEV_HIGH:
		return 3; /* err */
	case SEV_MEDIUM:
		return 4; /* warning */
	case SEV_LOW:
		return 5; /* notice */
	default:
		return 6; /* info */
	}
}

bool syslog_sd_id_valid(const char *sd_id)
{
	size_t len = sd_id ? strlen(sd_id) : 0;

	if (len == 0 || len > 32)
		return false;
	for (size_t i = 0; i < len; i++)
		if (sd_id[i] <= 32 || sd_id[i] >= 127 || strchr("=\"]", sd_id[i]))
			return false;
	return true;
}

long rfc5424_format(const struct alert *alert, const struct syslog_ident *ident, char *out)
{
	size_t len = 0;

	if (!syslog_sd_id_valid(ident->sd_id))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		len = format_within(alert, ident, &limits[i], out);
		if (len <= SYSLOG_LINE_MAX)
			return (long)len;
	}
	return -EMSGSIZE;
}

long rfc5424_heartbeat(const struct heartbeat *heartbeat, const struct syslog_ident *ident,
		       char *out)
{
	struct line line = {.p = out, .max = &limits[0]};
	char time[40];

	if (!syslog_sd_id_valid(ident->sd_id))
		return -EINVAL;
	format_time(heartbeat->time_ns, time);
	putf(&line, "<%u>1 %s ", SYSLOG_FACILITY * 8 + syslog_severity(SEV_INFO), time);
	put_host(&line, heartbeat->host);
	putf(&line, " " SYSLOG_APP " %" PRIu32 " heartbeat [", ident->pid);
	put_str(&line, ident->sd_id);
	param(&line, "type", "heartbeat", SIZE_MAX);
	param_time(&line, "time", heartbeat->time_ns);
	param_u(&line, "alerts", heartbeat->alerts);
	if (heartbeat->chain_seq) {
		param_u(&line, "chain_seq", heartbeat->chain_seq);
		param(&line, "chain_head", heartbeat->chain_head, SIZE_MAX);
	}
	param(&line, "fault", heartbeat->fault, 512);
	put_str(&line, "] keytraild watches");
	if (heartbeat->chain_seq)
		putf(&line, "; its evidence log ends with record %" PRIu64, heartbeat->chain_seq);
	else
		put_str(&line, "; it has no evidence log");
	return (long)line.len;
}
