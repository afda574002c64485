// SPDX-License-Identifier: GPL-2.0-or-later
/* Bodies of records: each name in here stands in docs/journal.md. */
#include "journal/body.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/text.h"
#include "policy/policy.h"

/* Longest text of a member, in bytes as escaped. The sum of all that a record has stays below
 * LINE_BODY_MAX, so that nothing but texts is ever cut. */
#define TEXT_MAX 2048
#define CUT	 "\"cut\":true,"

void body_init(struct body *body)
{
	body->len = 0;
	body->cut = false;
}

static void put(struct body *body, const char *p, size_t len)
{
	memcpy(body->p + body->len, p, len);
	body->len += len;
}

/* Begins a member that takes `len` bytes at most beside its name; false: there is no room. Room for
 * CUT is always kept. */
static bool begin(struct body *body, const char *name, size_t len)
{
	size_t name_len = strlen(name);

	if (name_len + len + 4 + sizeof(CUT) > LINE_BODY_MAX - body->len) {
		if (!body->cut)
			put(body, CUT, sizeof(CUT) - 1);
		body->cut = true;
		return false;
	}
	if (body->cut)
		return false;
	put(body, "\"", 1);
	put(body, name, name_len);
	put(body, "\":", 2);
	return true;
}

void body_number(struct body *body, const char *name, uint64_t value)
{
	if (begin(body, name, 24))
		body->len += (size_t)snprintf(body->p + body->len, 24, "%" PRIu64 ",", value);
}

void body_bool(struct body *body, const char *name, bool value)
{
	if (begin(body, name, 8))
		put(body, value ? "true," : "false,", value ? 5 : 6);
}

static void put_quoted(struct body *body, const char *p, size_t len)
{
	put(body, "\"", 1);
	put(body, p, len);
	put(body, "\",", 2);
}

void body_time(struct body *body, const char *name, uint64_t ns)
{
	char time[LINE_TIME + 1];

	line_time(ns, time);
	if (begin(body, name, LINE_TIME + 3))
		put_quoted(body, time, LINE_TIME);
}

void body_hash(struct body *body, const char *name, const uint8_t hash[LINE_HASH])
{
	char hex[LINE_HEX + 1];

	line_hex(hash, hex);
	if (begin(body, name, LINE_HEX + 3))
		put_quoted(body, hex, LINE_HEX);
}

/* One unit of text as it stands in JSON; at most 8 bytes. */
static size_t encode(const char *p, size_t len, enum text_kind kind, char out[8])
{
	char raw[5];
	size_t n = 0;

	if (kind == TEXT_RAW && *p != '\\') {
		snprintf(raw, sizeof(raw), "\\x%02x", (unsigned char)*p);
		p = raw;
		len = 4;
	}
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '"' || p[i] == '\\')
			out[n++] = '\\';
		out[n++] = p[i];
	}
	return n;
}

static void put_text(struct body *body, const char *name, const char *text, size_t len)
{
	char unit[8];
	size_t size = 0;

	if (!len || !begin(body, name, TEXT_MAX + 16))
		return;
	put(body, "\"", 1);
	for (size_t i = 0; i < len;) {
		enum text_kind kind;
		size_t n = text_unit(text + i, len - i, &kind), bytes;

		bytes = encode(text + i, n, kind, unit);
		if (size + bytes > TEXT_MAX) {
			put(body, "...", 3);
			break;
		}
		put(body, unit, bytes);
		size += bytes;
		i += n;
	}
	put(body, "\",", 2);
}

void body_text(struct body *body, const char *name, const char *text)
{
	if (text)
		put_text(body, name, text, strlen(text));
}

void body_bytes(struct body *body, const char *name, struct span bytes)
{
	char text[TEXT_MAX + 64];
	size_t len = escape_bytes(bytes.p, bytes.len, text, sizeof(text), NULL);

	put_text(body, name, text, len);
}

/* A key by the names that its owners know it by. */
static void put_key(struct body *body, const struct key_identity *key)
{
	body_text(body, "key_type", key_kind_str(key->kind));
	body_text(body, "key", key->ssh_fp);
	if (key->has_spki)
		body_hash(body, "spki_sha256", key->spki);
	body_text(body, "keygrip", key->keygrip);
}

static void put_untrusted(struct body *body, uint32_t reasons)
{
	char words[64] = "";
	size_t n = 0;

	for (uint32_t bit = 1; bit & UNTRUSTED_ALL; bit <<= 1)
		if (reasons & bit && n < sizeof(words))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "," : "",
					      untrusted_str((enum untrusted)bit));
	body_text(body, "untrusted", words);
}

static void put_id(struct body *body, const char *name, uint32_t id)
{
	if (id != UID_UNSET)
		body_number(body, name, id);
}

void body_access(struct body *body, const struct evidence *e)
{
	body_init(body);
	body_text(body, "action", policy_action_str(e->action));
	body_text(body, "how", e->how);
	body_text(body, "verdict", verdict_str(e->verdict));
	body_number(body, "count", e->count);
	body_time(body, "first", e->first_ns);
	body_time(body, "last", e->last_ns);
	if (e->repeat)
		body_bool(body, "repeat", true);
	if (e->memory) {
		body_number(body, "target_pid", e->target.tgid);
		body_number(body, "target_start_ns", e->target.start);
	} else {
		body_bytes(body, "path", e->path);
		body_number(body, "dev", e->inode.dev);
		body_number(body, "ino", e->inode.ino);
	}
	body_text(body, "class", e->object_class);
	body_text(body, "watch", e->watch);
	if (e->key)
		put_key(body, e->key);
	body_number(body, "pid", e->process.tgid);
	body_number(body, "start_ns", e->process.start);
	body_bytes(body, "exe", e->exe);
	body_text(body, "exe_trust", exe_trust_str(e->exe_trust));
	put_untrusted(body, e->untrusted);
	body_text(body, "args", e->args);
	if (e->script.len) {
		body_bytes(body, "script", e->script);
		body_text(body, "script_evidence", e->script_evidence);
		if (!strcmp(e->script_evidence, "observed"))
			body_text(body, "script_trust", exe_trust_str(e->script_trust));
	}
	body_number(body, "uid", e->uid);
	body_text(body, "user", e->user);
	if (e->euid != e->uid)
		body_number(body, "euid", e->euid);
	put_id(body, "loginuid", e->loginuid);
	body_text(body, "login_user", e->login_user);
	put_id(body, "session", e->session);
	if (e->session_type != SESSION_UNKNOWN)
		body_text(body, "session_type", session_type_str(e->session_type));
	if (e->remote)
		body_bytes(body, "remote", span_of(e->remote));
	body_text(body, "unit", e->unit);
	body_text(body, "container", e->container);
	body_bytes(body, "image", e->image);
	body_bytes(body, "image_id", e->image_id);
	body_text(body, "image_container", e->image_container);
	body_text(body, "rule", e->why);
	if (e->file) {
		body_bytes(body, "rule_file", span_of(e->file));
		body_number(body, "rule_line", e->line);
	}
}

void body_alert(struct body *body, const struct alert *alert)
{
	body_init(body);
	body_text(body, "id", alert->id);
	body_text(body, "type", alert_type_str(alert->type));
	body_text(body, "severity", severity_str(alert->severity));
	body_time(body, "at", alert->time_ns);
	body_text(body, "text", alert->text);
	body_text(body, "evidence", alert->evidence);
	body_number(body, "count", alert->count);
	if (alert->summary)
		body_text(body, "summary_of", alert->of);
	if (alert->nr_processes) {
		const struct alert_process *self = &alert->processes[0];

		body_number(body, "pid", self->pid);
		body_number(body, "start_ns", self->start);
		body_text(body, "exe", self->exe);
		body_text(body, "user", self->user);
		body_text(body, "login_user", alert->login_user);
		body_text(body, "unit", alert->unit);
	}
	if (alert->object)
		body_text(body, "path", alert->path);
	if (alert->object && alert->key_known)
		put_key(body, &alert->key);
	for (uint32_t i = 0; i < alert->nr_held; i++)
		if (alert->held[i].key_known)
			body_text(body, "holds", alert->held[i].key.ssh_fp);
	body_text(body, "dump", alert->dump.how ? alert->dump.path : alert->scan.path);
	for (uint32_t i = 0; i < alert->scan.nr; i++)
		body_text(body, "found", alert->scan.items[i].key.ssh_fp);
	body_text(body, "dump_sha256", alert->scan.digests.file);
	for (uint32_t i = 0; i < alert->scan.digests.nr_content; i++)
		body_text(body, "content_sha256", alert->scan.digests.content[i]);
	body_text(body, "cause", alert->cause);
}

void body_gap(struct body *body, const struct evidence_gap *gap)
{
	body_init(body);
	body_bytes(body, "cause", gap->cause);
	body_time(body, "from", gap->from_ns);
	body_time(body, "to", gap->to_ns);
	if (gap->count)
		body_number(body, "count", gap->count);
	body_text(body, "user", gap->user);
}
