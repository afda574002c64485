// SPDX-License-Identifier: GPL-2.0-or-later
/* The schema of zones: where a key may live, and who lives there. */
#include <string.h>

#include "policy/schema-internal.h"

#define ZONES_MAX 256

static struct zone *this_zone(struct reader *r)
{
	return &r->policy->zones[r->policy->nr_zones - 1];
}

static void read_zone_name(struct reader *r, const struct yaml_node *value,
			   const struct field *field)
{
	const char *name = schema_read_name(r, value, "name");

	for (size_t i = 0; name && i + 1 < r->policy->nr_zones; i++) {
		const struct zone *other = &r->policy->zones[i];

		if (!other->name || strcmp(other->name, name))
			continue;
		schema_wrong(r, value, "zone '%s' is there already: %s:%u:%u", name,
			     other->place.file, other->place.line, other->place.column);
		return;
	}
	this_zone(r)->name = name;
}

static void no_homes(struct reader *r, struct pattern **patterns, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (patterns[i]->start != PATTERN_ROOT)
			schema_wrong(r,
				     &(struct yaml_node){.line = patterns[i]->line,
							 .column = patterns[i]->column},
				     "zone path '%.128s': a zone is no matter of homes, name the "
				     "directory",
				     patterns[i]->text);
}

static void read_zone_paths(struct reader *r, const struct yaml_node *value,
			    const struct field *field)
{
	struct zone *zone = this_zone(r);

	schema_read_patterns(r, value, "paths", false, SCHEMA_ITEMS_MAX, &zone->paths,
			     &zone->nr_paths);
	no_homes(r, zone->paths, zone->nr_paths);
}

/* A mount point stands for all that is below it. */
static void read_zone_mounts(struct reader *r, const struct yaml_node *value,
			     const struct field *field)
{
	struct zone *zone = this_zone(r);
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "mounts"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		const char *s = schema_read_string(r, node, "a mount point"), *fault, *why;
		struct pattern *pattern;
		char text[4200];
		int err;

		if (!s)
			continue;
		fault = schema_path_fault(s);
		if (!fault && strpbrk(s, "*?["))
			fault = "has a wildcard: a mount point is named exactly";
		if (!fault && node->len > 4096)
			fault = "is longer than any path";
		if (!fault && zone->nr_mounts == SCHEMA_ITEMS_MAX)
			fault = "is one too many";
		if (fault) {
			schema_wrong(r, node, "mount '%.128s' %s", s, fault);
			continue;
		}
		snprintf(text, sizeof(text), "%s/**", s);
		err = pattern_new(text, strlen(text), false, &pattern, &why);
		if (err == -EINVAL)
			schema_wrong(r, node, "mount '%.128s' %s", s, why);
		if (err == -ENOMEM)
			r->no_memory = true;
		if (err < 0)
			continue;
		if (policy_grow(&zone->mounts, zone->nr_mounts, sizeof(*zone->mounts)) < 0) {
			pattern_free(pattern);
			r->no_memory = true;
			return;
		}
		pattern->file = r->file;
		pattern->line = node->line;
		pattern->column = node->column;
		zone->mounts[zone->nr_mounts++] = pattern;
	}
}

#define ZONE_LIST(list_)                                                                    \
	static void read_zone_##list_(struct reader *r, const struct yaml_node *value,      \
				      const struct field *field)                            \
	{                                                                                   \
		struct zone *zone = this_zone(r);                                           \
                                                                                            \
		schema_read_wanted_list(r, value, #list_, &zone->list_, &zone->nr_##list_); \
		if (value->kind == YAML_TREE_LIST && !value->first)                         \
			schema_wrong(r, value, "%s is an empty list", #list_);              \
	}
ZONE_LIST(units)
ZONE_LIST(containers)
ZONE_LIST(users)
ZONE_LIST(hosts)

static const struct field zone_fields[] = {
	{.key = "name", .required = true, .read = read_zone_name},
	{.key = "paths", .read = read_zone_paths},
	{.key = "mounts", .read = read_zone_mounts},
	{.key = "units", .read = read_zone_units},
	{.key = "containers", .read = read_zone_containers},
	{.key = "users", .read = read_zone_users},
	{.key = "hosts", .read = read_zone_hosts},
	{0},
};

void schema_read_zones(struct reader *r, const struct yaml_node *list, const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, "zones"))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		bool before = r->wrong;
		struct zone *zone;

		if (policy->nr_zones == ZONES_MAX) {
			schema_wrong(r, node, "more than %d zones", ZONES_MAX);
			return;
		}
		if (policy_grow(&policy->zones, policy->nr_zones, sizeof(*policy->zones)) < 0) {
			r->no_memory = true;
			return;
		}
		policy->zones[policy->nr_zones++] =
			(struct zone){.place = {r->file, node->line, node->column}};
		r->wrong = false;
		schema_read_map(r, node, zone_fields, "a zone");
		zone = this_zone(r);
		if (!zone->nr_paths && !zone->nr_mounts && !zone->nr_units &&
		    !zone->nr_containers && !zone->nr_users && !zone->nr_hosts && !r->wrong)
			schema_wrong(r, node,
				     "the zone has nothing in it: it needs `paths`, "
				     "`mounts`, `units`, `containers`, `users` or `hosts`");
		r->wrong |= before;
	}
}
