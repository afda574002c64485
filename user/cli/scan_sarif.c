// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verdicts of scans as SARIF 2.1.0 (OASIS), for code-scanning services: a rule for each kind of
 * finding, a result for each key, a location for each place.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/scan_json.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *rule_text(enum finding_what what)
{
	switch (what) {
	case FINDING_RSA:
		return "An RSA private key stands in memory as bare numbers";
	case FINDING_STRUCTURE:
		return "A private key stands in memory in a written form";
	case FINDING_AES:
		return "An AES key stands in memory with its schedule";
	case FINDING_KNOWN:
		return "A private key that the site watches stands in memory";
	case FINDING_TOKEN:
		return "An API key or access token stands in memory";
	default:
		return "Key material stands in memory";
	}
}

static json_t *rules(void)
{
	json_auto_t *rules = json_array();

	for (int what = FINDING_END + 1; what < FINDING_UNTRIED; what++) {
		json_t *rule = json_pack("{s:s, s:{s:s}}", "id", finding_what_str(what),
					 "shortDescription", "text", rule_text(what));

		if (json_array_append_new(rules, rule) < 0)
			return NULL;
	}
	return json_incref(rules);
}

int sarif_init(struct sarif *sarif)
{
	json_t *results = json_array(), *notifications = json_array();
	json_t *log = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o*}}, s:[{s:b, s:o*}], s:o*}]}",
				"$schema", SCHEMA, "version", "2.1.0", "runs", "tool", "driver",
				"name", "keytrail", "semanticVersion", KEYTRAIL_VERSION, "rules",
				rules(), "invocations", "executionSuccessful", 1,
				"toolExecutionNotifications", notifications, "results", results);

	if (!log)
		return -ENOMEM;
	*sarif = (struct sarif){.log = log, .results = results, .notifications = notifications};
	return 0;
}

void sarif_fini(struct sarif *sarif)
{
	json_decref(sarif->log);
	sarif->log = NULL;
}

/* A path as a URI reference (RFC 3986): relative ones stay so. */
static char *uri_of(const char *path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	const char *scheme = *path == '/' ? "file://" : "";
	size_t size = 3 * strlen(path) + strlen(scheme) + 1;
	char *uri = malloc(size), *to = uri;

	if (!uri)
		return NULL;
	to += snprintf(to, size, "%s", scheme);
	for (; *path; path++)
		to += snprintf(to, (size_t)(uri + size - to),
			       strchr(plain, *path) ? "%c" : "%%%02X", (unsigned char)*path);
	return uri;
}

static const char *level(enum severity severity)
{
	return severity >= SEV_HIGH ? "error" : severity == SEV_MEDIUM ? "warning" : "note";
}

static json_t *location(const char *uri, const struct scan_about *about, const struct place *place)
{
	json_auto_t *location =
		json_pack("{s:{s:{s:s}, s:{s:I}}}", "physicalLocation", "artifactLocation", "uri",
			  uri, "region", "byteOffset", (json_int_t)place->offset);
	json_t *physical = json_object_get(location, "physicalLocation");
	const char *name = about->member[0] ? about->member
			   : about->exe[0]  ? about->exe
					    : about->command;
	int err = 0;

	if (!location)
		return NULL;
	/* An address of more than 63 bits cannot be said there. */
	if (place->has_vaddr && place->vaddr <= INT64_MAX)
		err |= json_object_set_new(physical, "address",
					   json_pack("{s:I}", "absoluteAddress",
						     (json_int_t)place->vaddr));
	if (*name)
		err |= json_object_set_new(location, "logicalLocations",
					   json_pack("[{s:s, s:s}]", "name", name, "kind",
						     about->member[0] ? "member" : "module"));
	return err ? NULL : json_incref(location);
}

static void message(const struct found_key *key, char out[512])
{
	const struct finding *f = &key->finding;
	const char *kind = f->id.kind ? key_kind_str(f->id.kind) : finding_what_str(f->what);

	snprintf(out, 512, "%s %s %u%s%s%s%s%s at %" PRIu64 " place%s", finding_class_str(f->class),
		 kind, f->bits, f->id.ssh_fp[0] ? ", " : "", f->id.ssh_fp,
		 key->label ? ", known as \"" : "", key->label ? key->label : "",
		 key->label ? "\"," : ",", key->nr_places + key->places_left_out,
		 key->nr_places + key->places_left_out == 1 ? "" : "s");
}

static json_t *result(const char *uri, const struct scan_verdict *v, const struct found_key *key)
{
	const struct finding *f = &key->finding;
	json_auto_t *result = NULL;
	json_t *locations = json_array();
	char text[512], spki[65];
	int err = 0;

	message(key, text);
	result = json_pack("{s:s, s:s, s:{s:s}, s:o, s:{s:s, s:s, s:i}}", "ruleId",
			   finding_what_str(f->what), "level", level(found_key_severity(key)),
			   "message", "text", text, "locations", locations, "properties", "class",
			   finding_class_str(f->class), "severity",
			   severity_str(found_key_severity(key)), "bits", f->bits);
	if (!result)
		return NULL;
	for (size_t i = 0; i < key->nr_places; i++)
		err |= json_array_append_new(locations, location(uri, &v->about, &key->places[i]));
	if (f->id.has_spki) {
		for (size_t i = 0; i < sizeof(f->id.spki); i++)
			snprintf(spki + 2 * i, 3, "%02x", f->id.spki[i]);
		err |= json_object_set_new(result, "partialFingerprints",
					   json_pack("{s:s}", "spkiSha256/v1", spki));
	}
	return err ? NULL : json_incref(result);
}

static void add_failure(struct sarif *sarif, const char *uri, const char *error)
{
	json_t *runs = json_object_get(sarif->log, "runs");
	json_t *invocations = json_object_get(json_array_get(runs, 0), "invocations");
	json_t *notification =
		json_pack("{s:s, s:{s:s}, s:[{s:{s:{s:s}}}]}", "level", "error", "message", "text",
			  error, "locations", "physicalLocation", "artifactLocation", "uri", uri);

	if (json_object_set_new(json_array_get(invocations, 0), "executionSuccessful",
				json_false()) < 0 ||
	    json_array_append_new(sarif->notifications, notification) < 0)
		sarif->failed = true;
}

void sarif_add(struct sarif *sarif, const char *path, const struct scan_verdict *verdict,
	       const char *error, bool all)
{
	_cleanup_free_ char *uri = uri_of(path);

	if (!uri) {
		sarif->failed = true;
		return;
	}
	if (error)
		add_failure(sarif, uri, error);
	else if (scan_verdict_outcome(verdict) == OUTCOME_PARTIAL)
		add_failure(sarif, uri, "nothing found, but not all was seen");
	for (size_t i = 0; verdict && i < verdict->nr_keys; i++)
		if ((all || found_key_counts(&verdict->keys[i])) &&
		    json_array_append_new(sarif->results, result(uri, verdict, &verdict->keys[i])) <
			    0)
			sarif->failed = true;
}

int sarif_write(struct sarif *sarif, FILE *f)
{
	if (sarif->failed)
		return -ENOMEM;
	if (json_dumpf(sarif->log, f, JSON_INDENT(1) | JSON_PRESERVE_ORDER) < 0 ||
	    fputc('\n', f) == EOF || fflush(f))
		return -EIO;
	return 0;
}
