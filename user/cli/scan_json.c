// SPDX-License-Identifier: GPL-2.0-or-later
/* A scan's verdict as a JSON object. */
#include "cli/scan_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"

/* Both take NULL for a value that is not there, and tell at the end whether memory sufficed. */
static int put(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value);
}

static int put_text(json_t *object, const char *name, const char *text)
{
	return text && *text ? put(object, name, json_string(text)) : 0;
}

/* As text: JSON numbers do not reach 64 bits everywhere. */
static int put_address(json_t *object, const char *name, uint64_t address)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	return put(object, name, json_string(text));
}

static int put_hex(json_t *object, const char *name, const uint8_t *p, size_t len)
{
	char text[65];

	for (size_t i = 0; i < len && i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return put(object, name, json_string(text));
}

static json_t *place_json(const struct place *place)
{
	json_t *object = json_pack("{s:I, s:s, s:s}", "offset", (json_int_t)place->offset, "what",
				   finding_what_str(place->what), "layout",
				   finding_layout_str(place->layout));

	if (object && place->has_vaddr && put_address(object, "address", place->vaddr) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static json_t *key_json(const struct found_key *key)
{
	const struct finding *f = &key->finding;
	json_auto_t *object =
		json_pack("{s:s, s:s, s:s, s:i}", "severity", severity_str(found_key_severity(key)),
			  "class", finding_class_str(f->class), "what", finding_what_str(f->what),
			  "bits", f->bits);
	json_t *places = json_array();
	int err = 0;

	if (!object || put(object, "places", places) < 0)
		return NULL;
	if (f->id.kind)
		err |= put(object, "kind", json_string(key_kind_str(f->id.kind)));
	err |= put_text(object, "curve", f->id.curve);
	err |= put_text(object, "fingerprint", f->id.ssh_fp);
	if (f->id.has_spki)
		err |= put_hex(object, "spki_sha256", f->id.spki, sizeof(f->id.spki));
	err |= put_text(object, "keygrip", f->id.keygrip);
	err |= put_text(object, "comment", f->id.comment);
	err |= put_text(object, f->what == FINDING_TOKEN ? "token" : "label", key->label);
	if (f->what == FINDING_TOKEN)
		err |= put(object, "length", json_integer(f->length));
	err |= put_text(object, "zone", key->zone);
	if (key->expired)
		err |= put(object, "expired", json_true());
	for (size_t i = 0; i < key->nr_places; i++)
		err |= json_array_append_new(places, place_json(&key->places[i]));
	if (key->places_left_out)
		err |= put(object, "places_left_out",
			   json_integer((json_int_t)key->places_left_out));
	return err ? NULL : json_incref(object);
}

static int put_process(json_t *object, const struct scan_about *about)
{
	json_t *process;
	int err = 0;

	if (!about->pid && !about->command[0] && !about->exe[0])
		return 0;
	process = json_object();
	if (put(object, "process", process) < 0)
		return -1;
	if (about->pid)
		err |= put(process, "pid", json_integer(about->pid));
	err |= put_text(process, "command", about->command);
	err |= put_text(process, "exe", about->exe);
	err |= put_text(process, "build_id", about->build_id);
	if (about->signal)
		err |= put(process, "signal", json_integer(about->signal));
	if (about->threads)
		err |= put(process, "threads", json_integer(about->threads));
	return err;
}

static int put_untried(json_t *object, const struct scan_verdict *verdict)
{
	json_t *untried = NULL;
	int err = 0;

	for (unsigned i = 0; i < UNTRIED_NR; i++) {
		if (!verdict->untried[i])
			continue;
		if (!untried) {
			untried = json_object();
			err |= put(object, "untried", untried);
		}
		err |= err ? -1
			   : put(untried, untried_str(i),
				 json_integer((json_int_t)verdict->untried[i]));
	}
	return err;
}

static int put_verdict(json_t *object, const struct scan_verdict *verdict)
{
	json_t *keys = json_array(), *flags = json_array();
	int err = put_text(object, "member", verdict->about.member);

	err |= put(object, "container", json_string(scan_container_str(verdict->about.container)));
	err |= put_process(object, &verdict->about);
	err |= put(object, "bytes", json_integer((json_int_t)verdict->bytes));
	if (put(object, "flags", flags) < 0 || put(object, "keys", keys) < 0)
		return -1;
	for (unsigned flag = 1; flag <= SCAN_FLAGS_ALL; flag <<= 1)
		if (verdict->flags & flag & SCAN_FLAGS_ALL & ~SCAN_CORE)
			err |= json_array_append_new(flags, json_string(scan_flag_str(flag)));
	for (size_t i = 0; i < verdict->nr_keys; i++)
		err |= json_array_append_new(keys, key_json(&verdict->keys[i]));
	err |= put_untried(object, verdict);
	if (verdict->findings_left_out)
		err |= put(object, "findings_left_out",
			   json_integer((json_int_t)verdict->findings_left_out));
	return err;
}

json_t *scan_json(const char *file, const struct scan_verdict *verdict, const char *error)
{
	const char *outcome = error ? "unscanned" : scan_outcome_str(scan_verdict_outcome(verdict));
	json_auto_t *object = json_pack("{s:s, s:s, s:s}", "schema", "keytrail-scan/1", "file",
					file, "verdict", outcome);

	if (!object || put_text(object, "error", error) < 0 ||
	    (verdict && put_verdict(object, verdict) < 0))
		return NULL;
	return json_incref(object);
}
