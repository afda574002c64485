// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy in force as lines with their origin, and what differs between two. */
#include "policy/show.h"

#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "policy/policy-internal.h"
#include "policy/schema-internal.h"
#include "policy/show-internal.h"

#define TEXT_MAX 4096

struct writer {
	policy_line_fn fn;
	void *ctx;
	const char *section;
};

static void _printf_(3, 4)
	tell(const struct writer *w, const struct place *place, const char *fmt, ...)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	struct policy_line line = {
		.section = w->section,
		.text = text,
		.file = place ? place->file : NULL,
		.line = place ? place->line : 0,
		.column = place ? place->column : 0,
	};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape_bytes(raw, strlen(raw), text, sizeof(text), NULL);
	w->fn(w->ctx, &line);
}

/* --- entries -----------------------------------------------------------------------------------
 */

/* The keys of a rule as they would be written. */
static void put_rule(FILE *f, const struct rule *rule)
{
	const char *between = "";
	char on[POLICY_ON_MAX];

#define PUT(key, fmt, value)                                   \
	do {                                                   \
		fprintf(f, "%s" key ": " fmt, between, value); \
		between = ", ";                                \
	} while (0)
	if (rule->exe)
		PUT("exe", "%s", rule->exe);
	if (rule->script)
		PUT("script", "%s", rule->script);
	if (rule->package)
		PUT("package", "%s", rule->package);
	if (rule->digest)
		PUT("digest", "%s", rule->digest);
	if (rule->verity)
		PUT("verity", "%s", rule->verity);
	if (rule->unit.text)
		PUT("unit", "%s", rule->unit.text);
	if (rule->container.text)
		PUT("container", "%s", rule->container.text);
	if (rule->image.text)
		PUT("image", "%s", rule->image.text);
	if (rule->user.text)
		PUT("user", "%s", rule->user.text);
	if (rule->uid != UID_UNSET)
		PUT("user", "%u", rule->uid);
	if (rule->login != LOGIN_ANY)
		PUT("login", "%s", rule->login == LOGIN_NONE ? "none" : "some");
	if (rule->session != SESSION_UNKNOWN)
		PUT("session", "%s", session_type_str(rule->session));
	if (rule->zone_name)
		PUT("zone", "%s", rule->zone_name);
	if (rule->outside)
		PUT("outside", "%s", "true");
	if (rule->on_written) {
		policy_on_text(rule->on, on);
		PUT("on", "[%s]", on);
	}
	if (rule->until)
		PUT("until", "%s", rule->until);
	if (rule->exception)
		PUT("exception", "%s", rule->exception);
#undef PUT
}

void rule_text(const struct rule *rule, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");

	out[0] = '\0';
	if (!f)
		return;
	put_rule(f, rule);
	fclose(f);
	out[size - 1] = '\0';
}

static void tell_patterns(const struct writer *w, const char *key, struct pattern *const *patterns,
			  size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct place place = {patterns[i]->file, patterns[i]->line,
					    patterns[i]->column};

		tell(w, &place, "%s: %s", key, patterns[i]->text);
	}
}

void policy_watch_lines(const struct policy *policy, uint32_t number, policy_line_fn fn, void *ctx)
{
	const struct watch_rule *watch = &policy->watches[number - 1];
	const struct place *none = NULL;
	char section[128], on[POLICY_ON_MAX], text[2048];
	const struct writer w = {fn, ctx, section};

	snprintf(section, sizeof(section), "watch %s", watch->entry.name);
	tell(&w, &watch->place, "%s", "");
	tell(&w, &watch->place, "class: %s", object_class_str(watch->entry.object_class));
	tell(&w, watch->severity_place.file ? &watch->severity_place : none, "severity: %s",
	     severity_str(watch->entry.severity));
	policy_on_text(watch->entry.on, on);
	tell(&w, watch->on_place.file ? &watch->on_place : none, "on: [%s]", on);
	tell(&w, watch->mode_place.file ? &watch->mode_place : none, "mode: %s",
	     policy_mode_str(watch->entry.mode));
	if (watch->zone_name)
		tell(&w, &watch->zone_place, "zone: %s", watch->zone_name);
	tell_patterns(&w, "path", watch->paths, watch->nr_paths);
	tell_patterns(&w, "exclude", watch->excludes, watch->nr_excludes);
	for (size_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];

		if (rule->watch != number)
			continue;
		rule_text(rule, text, sizeof(text));
		tell(&w, &rule->place, "%s: {%s}", rule->kind == RULE_ALLOW ? "allow" : "expect",
		     text);
	}
}

static void tell_wanted(const struct writer *w, const struct place *place, const char *key,
			const struct wanted *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		tell(w, place, "%s: %s", key, list[i].text);
}

static void tell_zone(const struct zone *zone, policy_line_fn fn, void *ctx)
{
	char section[128];
	const struct writer w = {fn, ctx, section};

	snprintf(section, sizeof(section), "zone %s", zone->name);
	tell(&w, &zone->place, "%s", "");
	tell_patterns(&w, "path", zone->paths, zone->nr_paths);
	tell_patterns(&w, "mount", zone->mounts, zone->nr_mounts);
	tell_wanted(&w, &zone->place, "unit", zone->units, zone->nr_units);
	tell_wanted(&w, &zone->place, "container", zone->containers, zone->nr_containers);
	tell_wanted(&w, &zone->place, "user", zone->users, zone->nr_users);
	tell_wanted(&w, &zone->place, "host", zone->hosts, zone->nr_hosts);
}

void policy_lines(const struct policy *policy, policy_line_fn fn, void *ctx)
{
	const struct writer settings = {fn, ctx, "settings"};
	const char *key;

	for (size_t i = 0; (key = schema_setting_key(i)); i++) {
		const struct place *place = &policy->setting_places[i];
		char value[TEXT_MAX / 2];

		if (!strcmp(key, "labels")) {
			tell_wanted(&settings, place, "label", policy->labels, policy->nr_labels);
			continue;
		}
		schema_setting_text(policy, i, value, sizeof(value));
		tell(&settings, place->file ? place : NULL, "%s: %s", key, value);
	}
	for (uint32_t i = 1; i <= policy->nr_watches; i++)
		policy_watch_lines(policy, i, fn, ctx);
	for (size_t i = 0; i < policy->nr_zones; i++)
		tell_zone(&policy->zones[i], fn, ctx);
}

/* --- difference --------------------------------------------------------------------------------
 */

struct collector {
	struct policy_texts texts;
	bool failed;
};

static void collect(void *ctx, const struct policy_line *line)
{
	struct collector *c = ctx;
	struct policy_text item = {NULL};
	int n;

	if (c->failed)
		return;
	n = *line->text ? asprintf(&item.text, "%s: %s", line->section, line->text)
			: asprintf(&item.text, "%s", line->section);
	if (n < 0)
		item.text = NULL;
	n = line->file ? asprintf(&item.origin, "%s:%u", line->file, line->line)
		       : asprintf(&item.origin, "default");
	if (n < 0)
		item.origin = NULL;
	if (!item.text || !item.origin ||
	    policy_grow(&c->texts.items, c->texts.nr, sizeof(item)) < 0) {
		free(item.text);
		free(item.origin);
		c->failed = true;
		return;
	}
	c->texts.items[c->texts.nr++] = item;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct policy_text *)a)->text, ((const struct policy_text *)b)->text);
}

int policy_texts_make(const struct policy *policy, struct policy_texts *out_texts)
{
	struct collector c = {0};

	policy_lines(policy, collect, &c);
	if (c.failed) {
		policy_texts_fini(&c.texts);
		return -ENOMEM;
	}
	if (c.texts.nr)
		qsort(c.texts.items, c.texts.nr, sizeof(*c.texts.items), compare_texts);
	*out_texts = c.texts;
	return 0;
}

void policy_texts_fini(struct policy_texts *texts)
{
	for (size_t i = 0; i < texts->nr; i++) {
		free(texts->items[i].text);
		free(texts->items[i].origin);
	}
	free(texts->items);
	*texts = (struct policy_texts){NULL, 0};
}

int policy_diff(const struct policy *from, const struct policy *to, FILE *out)
{
	struct policy_texts a = {NULL, 0}, b = {NULL, 0};
	size_t i = 0, j = 0;
	int nr = 0;

	if (policy_texts_make(from, &a) < 0 || policy_texts_make(to, &b) < 0)
		nr = -ENOMEM;
	while (nr >= 0 && (i < a.nr || j < b.nr)) {
		int order = i == a.nr	? 1
			    : j == b.nr ? -1
					: compare_texts(&a.items[i], &b.items[j]);

		if (order < 0)
			fprintf(out, "- %s  # %s\n", a.items[i].text, a.items[i].origin);
		if (order > 0)
			fprintf(out, "+ %s  # %s\n", b.items[j].text, b.items[j].origin);
		nr += order != 0;
		i += order <= 0;
		j += order >= 0;
	}
	policy_texts_fini(&a);
	policy_texts_fini(&b);
	return nr;
}
