// SPDX-License-Identifier: GPL-2.0-or-later
/* An alert as a JSON object. Each name in here stands in docs/alerts.md; a test holds them
 * together. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "alert/alert.h"
#include "base/cleanup.h"

#define SCHEMA 1

static const char *str(const char *s)
{
	return s ? s : "";
}

/* json_object_set_new() takes a NULL value for an error of its own, so one check at the end is
 * enough: an object that lost a member must not pass for a whole one. */
struct object {
	json_t *json;
	bool failed;
};

static void put(struct object *o, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(o->json, name, value))
		o->failed = true;
}

/* Escaped strings are valid UTF-8. One that is not (a bug) must not cost the alert. */
static json_t *text(const char *s)
{
	json_t *value = json_string(str(s));

	return value ? value : json_string("(invalid text)");
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Unset ids are null: 4294967295 is no user. */
static json_t *id_or_null(uint32_t id)
{
	return id == UID_UNSET ? json_null() : number(id);
}

/* RFC 3339 with nanoseconds, UTC. */
static json_t *timestamp(uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char date[32], full[64];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		return json_null();
	snprintf(full, sizeof(full), "%s.%09uZ", date, (unsigned)(ns % 1000000000));
	return json_string(full);
}

static void put_process(struct object *o, const struct alert_process *process)
{
	put(o, "pid", number(process->pid));
	put(o, "start_ns", number(process->start));
	put(o, "exe", text(process->exe));
	put(o, "args", text(process->args));
	put(o, "uid", id_or_null(process->uid));
	put(o, "user", text(process->user));
}

/* The words of the bits that are set. */
static json_t *untrusted(uint32_t reasons)
{
	json_t *list = json_array();

	for (uint32_t bit = 1; list && bit & UNTRUSTED_ALL; bit <<= 1) {
		if (reasons & bit &&
		    json_array_append_new(list, text(untrusted_str((enum untrusted)bit)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *subject(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put_process(&o, &alert->processes[0]);
	put(&o, "euid", number(alert->euid));
	put(&o, "loginuid", id_or_null(alert->loginuid));
	put(&o, "login_user", text(alert->login_user));
	put(&o, "session", id_or_null(alert->session));
	if (alert->session_type != SESSION_UNKNOWN)
		put(&o, "session_type", text(session_type_str(alert->session_type)));
	if (alert->remote && alert->remote[0])
		put(&o, "remote", text(alert->remote));
	put(&o, "unit", text(alert->unit));
	put(&o, "container", text(alert->container));
	if (alert->image && alert->image[0])
		put(&o, "image", text(alert->image));
	if (alert->image_id && alert->image_id[0])
		put(&o, "image_id", text(alert->image_id));
	if (alert->image_container && alert->image_container[0])
		put(&o, "image_container", text(alert->image_container));
	put(&o, "exe_trust", text(exe_trust_str(alert->exe_trust)));
	if (alert->untrusted)
		put(&o, "untrusted", untrusted(alert->untrusted));
	if (alert->script && alert->script[0]) {
		put(&o, "script", text(alert->script));
		put(&o, "script_evidence", text(alert->script_evidence));
		put(&o, "script_trust", text(exe_trust_str(alert->script_trust)));
	}
	if (alert->package_state != PACKAGE_UNKNOWN) {
		put(&o, "package", text(alert->package));
		put(&o, "package_state", text(package_state_str(alert->package_state)));
	}
	if (alert->exe_digest && alert->exe_digest[0])
		put(&o, "exe_digest", text(alert->exe_digest));
	if (alert->exe_verity && alert->exe_verity[0])
		put(&o, "exe_verity", text(alert->exe_verity));
	*failed |= o.failed;
	return o.json;
}

static json_t *ancestry(const struct alert *alert, bool *failed)
{
	json_t *list = json_array();

	for (uint32_t i = 1; i < alert->nr_processes; i++) {
		struct object o = {json_object(), false};

		put_process(&o, &alert->processes[i]);
		*failed |= o.failed;
		if (json_array_append_new(list, o.json))
			*failed = true;
	}
	return list;
}

static const char *key_source_str(enum key_source source)
{
	switch (source) {
	case KEYSRC_FILE:
		return "file";
	case KEYSRC_SIBLING:
		return "sibling";
	case KEYSRC_STATED:
		return "stated";
	default:
		return "none";
	}
}

static json_t *key(const struct key_identity *k, bool *failed)
{
	struct object o = {json_object(), false};
	char hex[2 * sizeof(k->spki) + 1] = "";

	for (size_t i = 0; k->has_spki && i < sizeof(k->spki); i++)
		snprintf(hex + 2 * i, 3, "%02x", k->spki[i]);
	put(&o, "type", text(key_kind_str(k->kind)));
	put(&o, "bits", number(k->bits));
	put(&o, "curve", text(k->curve));
	put(&o, "fingerprint", text(k->ssh_fp));
	put(&o, "spki_sha256", text(hex));
	put(&o, "keygrip", text(k->keygrip));
	put(&o, "comment", text(k->comment));
	put(&o, "format", text(key_format_str(k->format)));
	put(&o, "encrypted", json_boolean(k->encrypted));
	put(&o, "source", text(key_source_str(k->source)));
	*failed |= o.failed;
	return o.json;
}

static json_t *object(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "path", text(alert->path));
	put(&o, "via", text(alert->via));
	put(&o, "watch", text(alert->watch));
	put(&o, "class", text(alert->object_class));
	put(&o, "owner", id_or_null(alert->owner));
	put(&o, "owner_user", text(alert->owner_user));
	/* null: not known; its type "NONE" would be: looked, and no key */
	put(&o, "key", alert->key_known ? key(&alert->key, failed) : json_null());
	*failed |= o.failed;
	return o.json;
}

static json_t *words(uint32_t bits, const char *const *names, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		if (bits & 1U << i)
			json_array_append_new(list, json_string(names[i]));
	return list;
}

static json_t *how(const struct alert *alert, bool *failed)
{
	static const char *const modes[] = {"read", "write", "exec", "created"};
	static const char *const flags[] = {"path",	   "exe",     "cgroup",	   "args",
					    "path-failed", "fd-scan", "generation"};
	struct object o = {json_object(), false};

	put(&o, "how", text(access_how_str(alert->how)));
	put(&o, "mode", words(alert->mode, modes, ARRAY_SIZE(modes)));
	if (alert->refused)
		put(&o, "refused", text(alert->refused));
	if (alert->new_path)
		put(&o, "new_path", text(alert->new_path));
	put(&o, "incomplete", words(alert->event_flags, flags, ARRAY_SIZE(flags)));
	*failed |= o.failed;
	return o.json;
}

static json_t *target(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put_process(&o, &alert->target);
	*failed |= o.failed;
	return o.json;
}

static json_t *list_keys(const struct alert_key *keys, uint32_t nr, bool *failed)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < nr; i++) {
		const struct alert_key *k = &keys[i];
		struct object o = {json_object(), false};

		put(&o, "path", text(k->path));
		put(&o, "class", text(k->object_class));
		put(&o, "key", k->key_known ? key(&k->key, failed) : json_null());
		*failed |= o.failed;
		if (json_array_append_new(list, o.json))
			*failed = true;
	}
	return list;
}

static json_t *memory(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "how", text(memory_how_str(alert->memory_how)));
	put(&o, "keys_read", number(alert->keys_read));
	put(&o, "keys", list_keys(alert->keys, alert->nr_keys, failed));
	*failed |= o.failed;
	return o.json;
}

static json_t *gap(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "from", timestamp(alert->gap_from_ns));
	put(&o, "to", timestamp(alert->gap_to_ns));
	put(&o, "cause", text(alert->cause));
	if (alert->login_user && alert->login_user[0])
		put(&o, "user", text(alert->login_user));
	*failed |= o.failed;
	return o.json;
}

static json_t *dump(const struct alert_dump *d, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "how", text(d->how));
	put(&o, "path", text(d->path));
	put(&o, "kind", text(d->kind));
	put(&o, "signal", d->signal ? number(d->signal) : json_null());
	put(&o, "dumpable", number(d->dumpable));
	put(&o, "limit", d->limit == UINT64_MAX ? json_null() : number(d->limit));
	put(&o, "size", d->size ? number(d->size) : json_null());
	put(&o, "listener", d->listener ? number(d->listener) : json_null());
	*failed |= o.failed;
	return o.json;
}

static json_t *contents(const struct digests *digests, bool *failed)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < digests->nr_content; i++)
		*failed |= json_array_append_new(list, text(digests->content[i])) != 0;
	return list;
}

/* Of a dump that was read only what is known of keys in it: the rest stands in `object`. */
static json_t *scan(const struct alert_scan *s, bool *failed)
{
	struct object o = {json_object(), false};
	json_t *keys = json_array();

	for (uint32_t i = 0; i < s->nr; i++) {
		const struct alert_scan_key *k = &s->items[i];
		struct object one = {json_object(), false};

		put(&one, "severity", text(severity_str(k->severity)));
		put(&one, "class", text(k->class));
		put(&one, "what", text(k->what));
		put(&one, "bits", number(k->bits));
		put(&one, "label", text(k->label));
		put(&one, "zone", text(k->zone));
		put(&one, "expired", json_boolean(k->expired));
		put(&one, "places", number(k->places));
		put(&one, "offset", number(k->offset));
		put(&one, "key", k->key.kind != KEY_NONE ? key(&k->key, failed) : json_null());
		*failed |= one.failed || json_array_append_new(keys, one.json);
	}
	put(&o, "state", text(s->state));
	put(&o, "cause", text(s->cause));
	put(&o, "keys_nr", number(s->keys));
	put(&o, "keys", keys);
	if (s->digests.file[0])
		put(&o, "sha256", text(s->digests.file));
	if (s->digests.nr_content)
		put(&o, "content_sha256", contents(&s->digests, failed));
	if (s->path) {
		put(&o, "path", text(s->path));
		put(&o, "container", text(s->container));
		put(&o, "unseen", text(s->unseen));
		put(&o, "size", number(s->size));
		put(&o, "bytes", number(s->bytes));
		put(&o, "took_ms", number(s->took_ms));
		put(&o, "pid", s->pid ? number(s->pid) : json_null());
		put(&o, "signal", s->signal ? number(s->signal) : json_null());
		put(&o, "command", text(s->command));
		put(&o, "exe", text(s->exe));
		put(&o, "holder_pid", s->holder_pid ? number(s->holder_pid) : json_null());
		put(&o, "holder_exe", text(s->holder_exe));
		put(&o, "holder_unit", text(s->holder_unit));
	}
	*failed |= o.failed;
	return o.json;
}

static json_t *setting(const struct alert_setting *s, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "name", text(s->name));
	put(&o, "old", text(s->old_value));
	put(&o, "new", text(s->value));
	put(&o, "pid", s->pid ? number(s->pid) : json_null());
	*failed |= o.failed;
	return o.json;
}

static json_t *chain(const struct alert *alert, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "seq", number(alert->chain_seq));
	put(&o, "head", text(alert->chain_head));
	*failed |= o.failed;
	return o.json;
}

static json_t *sent(const struct alert_sent *s, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "how", text(s->how));
	put(&o, "to", text(s->to));
	put(&o, "port", number(s->port));
	*failed |= o.failed;
	return o.json;
}

static json_t *breach(const struct alert_breach *b, bool *failed)
{
	struct object o = {json_object(), false};

	put(&o, "zone", text(b->zone));
	put(&o, "link", text(b->link));
	put(&o, "way", text(b->way));
	put(&o, "rotate", b->key_known ? key(&b->key, failed) : json_null());
	*failed |= o.failed;
	return o.json;
}

char *alert_json(const struct alert *alert)
{
	struct object o = {json_object(), false};
	char *line = NULL;

	put(&o, "schema", number(SCHEMA));
	put(&o, "id", text(alert->id));
	put(&o, "type", text(alert_type_str(alert->type)));
	put(&o, "severity", text(severity_str(alert->severity)));
	put(&o, "time", timestamp(alert->time_ns));
	put(&o, "host", text(alert->host));
	put(&o, "text", text(alert->text));
	put(&o, "attack", text(alert->attack));
	put(&o, "evidence", text(alert->evidence));
	put(&o, "count", number(alert->count));
	put(&o, "first", timestamp(alert->first_ns));
	put(&o, "last", timestamp(alert->last_ns));
	put(&o, "summary", json_boolean(alert->summary));
	put(&o, "summary_of", text(alert->of));
	if (alert->nr_processes) {
		put(&o, "subject", subject(alert, &o.failed));
		put(&o, "ancestry", ancestry(alert, &o.failed));
		put(&o, "ancestry_complete", json_boolean(alert->ancestry_complete));
	}
	if (alert->object) {
		put(&o, "object", object(alert, &o.failed));
		if (alert->how)
			put(&o, "access", how(alert, &o.failed));
	}
	if (alert->sent.how)
		put(&o, "sent", sent(&alert->sent, &o.failed));
	if (alert->breach.zone)
		put(&o, "breach", breach(&alert->breach, &o.failed));
	if (alert->dump.how)
		put(&o, "dump", dump(&alert->dump, &o.failed));
	if (alert->setting.name)
		put(&o, "setting", setting(&alert->setting, &o.failed));
	if (alert->scan.state)
		put(&o, "scan", scan(&alert->scan, &o.failed));
	if (alert->nr_held_all) {
		put(&o, "holds", list_keys(alert->held, alert->nr_held, &o.failed));
		put(&o, "holds_nr", number(alert->nr_held_all));
	}
	if (alert->target.pid)
		put(&o, "target", target(alert, &o.failed));
	if (alert->memory_how)
		put(&o, "memory", memory(alert, &o.failed));
	if (alert->type == ALERT_EVENTS_LOST)
		put(&o, "gap", gap(alert, &o.failed));
	put(&o, "rule", text(alert->rule));
	if (alert->type != ALERT_EVENTS_LOST)
		put(&o, "cause", text(alert->cause));
	if (alert->chain_seq)
		put(&o, "chain", chain(alert, &o.failed));
	if (o.json && !o.failed)
		line = json_dumps(o.json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(o.json);
	return line;
}
