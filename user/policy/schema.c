// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema of a policy file and of its watch entries: which keys there are, and what their values
 * may be.
 */
#include <string.h>

#include "policy/schema-internal.h"

#define WATCHES_MAX  4096
#define PATHS_MAX    1024
#define EXCLUDES_MAX 256

/* --- watch entries -----------------------------------------------------------------------------
 */

static struct place place_of(const struct reader *r, const struct yaml_node *node)
{
	return (struct place){r->file, node->line, node->column};
}

/* Is what is being read an override? */
static bool is_override(const struct reader *r)
{
	return r->policy->nr_overrides &&
	       r->watch == &r->policy->overrides[r->policy->nr_overrides - 1];
}

/* What its rules call it: overrides find their entry later. */
static uint32_t watch_number(const struct reader *r)
{
	return is_override(r) ? OVERRIDE_BIT | (uint32_t)r->policy->nr_overrides
			      : (uint32_t)r->policy->nr_watches;
}

static void read_name(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	/* An override may be for all entries. */
	const bool all = is_override(r) && value->kind == YAML_TREE_SCALAR && value->len == 1 &&
			 value->text[0] == '*';
	const char *s = all ? schema_keep(r, value) : schema_read_name(r, value, "name");

	r->watch->name_place = place_of(r, value);
	for (size_t i = 0; s && !is_override(r) && i + 1 < r->policy->nr_watches; i++) {
		const struct watch_rule *other = &r->policy->watches[i];

		if (!other->entry.name || strcmp(other->entry.name, s))
			continue;
		schema_wrong(r, value, "watch entry '%s' is there already: %s:%u:%u", s,
			     other->place.file, other->place.line, other->place.column);
		return;
	}
	r->watch->entry.name = s;
}

static const char *class_word(int i)
{
	return object_class_str((enum object_class)i);
}

static void read_class(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "class", class_word, 1, CLASS_NR);

	if (word > 0)
		r->watch->entry.object_class = (enum object_class)word;
}

static const char *severity_word(int i)
{
	return severity_str((enum severity)i);
}

static void read_severity(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	int word = schema_read_word(r, value, "severity", severity_word, 1, SEV_NR);

	if (word <= 0)
		return;
	r->watch->entry.severity = (enum severity)word;
	r->watch->severity_place = place_of(r, value);
	r->watch->given |= GIVEN_SEVERITY;
}

static void read_on(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	uint32_t on = schema_read_on(r, value);

	if (!on)
		return;
	r->watch->entry.on = on;
	r->watch->on_place = place_of(r, value);
	r->watch->given |= GIVEN_ON;
}

static const char *mode_word(int i)
{
	return policy_mode_str((enum policy_mode)i);
}

static void read_mode(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "mode", mode_word, MODE_RECORD, MODE_DENY + 1);

	if (word < 0)
		return;
	r->watch->entry.mode = (enum policy_mode)word;
	r->watch->mode_place = place_of(r, value);
	r->watch->given |= GIVEN_MODE;
}

static void read_zone(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	r->watch->zone_name = schema_read_name(r, value, "zone");
	r->watch->zone_place = place_of(r, value);
	r->watch->given |= GIVEN_ZONE;
}

/* `clean: record` beside `key: critical`. */
static const char *verdict_severity_word(int i)
{
	return i == SEV_NR ? "record" : severity_str((enum severity)i);
}

static void read_verdict_severity(struct reader *r, const struct yaml_node *value,
				  const struct field *field)
{
	int word = schema_read_word(r, value, field->key, verdict_severity_word, 1, SEV_NR + 1);

	if (word > 0)
		r->watch->entry.verdict[field->offset] =
			(uint8_t)(word == SEV_NR ? SEV_RECORD : word);
}

static const struct field verdict_fields[] = {
	{.key = "unscanned", .read = read_verdict_severity, .offset = SCANSTATE_UNSCANNED},
	{.key = "scanning", .read = read_verdict_severity, .offset = SCANSTATE_SCANNING},
	{.key = "clean", .read = read_verdict_severity, .offset = SCANSTATE_CLEAN},
	{.key = "key", .read = read_verdict_severity, .offset = SCANSTATE_KEY},
	{.key = "incomplete", .read = read_verdict_severity, .offset = SCANSTATE_INCOMPLETE},
	{0},
};

static void read_verdict(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_map(r, value, verdict_fields, "verdict");
}

void schema_read_patterns(struct reader *r, const struct yaml_node *list, const char *what,
			  bool is_exclude, size_t max, struct pattern ***patterns, size_t *nr)
{
	const struct yaml_node *node;

	if (!schema_is_kind(r, list, YAML_TREE_LIST, what))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		struct pattern *pattern;
		const char *why;
		int err;

		if (!schema_is_kind(r, node, YAML_TREE_SCALAR,
				    is_exclude ? "an exclusion" : "a path"))
			continue;
		if (*nr == max) {
			schema_wrong(r, node, "%s has more than %zu patterns", what, max);
			return;
		}
		err = pattern_new(node->text, node->len, is_exclude, &pattern, &why);
		if (err == -EINVAL)
			schema_wrong(r, node, "%s '%.128s': %s", is_exclude ? "exclusion" : "path",
				     node->text, why);
		if (err == -ENOMEM ||
		    (err == 0 && policy_grow(patterns, *nr, sizeof(**patterns)))) {
			r->no_memory = true;
			if (err == 0)
				pattern_free(pattern);
			return;
		}
		if (err < 0)
			continue;
		pattern->file = r->file;
		pattern->line = node->line;
		pattern->column = node->column;
		(*patterns)[(*nr)++] = pattern;
	}
}

static void read_paths(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct watch_rule *watch = r->watch;

	schema_read_patterns(r, value, "paths", false, PATHS_MAX, &watch->paths, &watch->nr_paths);
	if (value->kind == YAML_TREE_LIST && !value->first)
		schema_wrong(r, value, "paths is an empty list: the entry would watch nothing");
}

static void read_exclude(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct watch_rule *watch = r->watch;

	schema_read_patterns(r, value, "exclude", true, EXCLUDES_MAX, &watch->excludes,
			     &watch->nr_excludes);
}

static void read_allow(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_rules(r, value, RULE_ALLOW, watch_number(r));
}

static void read_expect(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_rules(r, value, RULE_EXPECT, watch_number(r));
}

#define ENTRY_FIELDS                                                                            \
	{.key = "verdict", .read = read_verdict}, /* dumps: see check_paths() */                \
		{.key = "severity", .read = read_severity}, {.key = "on", .read = read_on},     \
		{.key = "mode", .read = read_mode}, {.key = "zone", .read = read_zone},         \
		{.key = "paths", .read = read_paths}, /* needed: see check_paths() */           \
		{.key = "exclude", .read = read_exclude}, {.key = "allow", .read = read_allow}, \
	{                                                                                       \
		.key = "expect", .read = read_expect                                            \
	}

static const struct field watch_fields[] = {
	{.key = "name", .required = true, .read = read_name},
	{.key = "class", .required = true, .read = read_class},
	ENTRY_FIELDS,
	{0},
};

/* Entries of some classes are about no files, and everything else is named. */
static void check_paths(struct reader *r, const struct yaml_node *node)
{
	const struct watch_rule *watch = r->watch, *first;
	const enum object_class object_class = watch->entry.object_class;
	const struct yaml_node *key = NULL;
	bool named = false, verdict = false;

	if (node->kind != YAML_TREE_MAP)
		return;
	for (key = yaml_node(r->tree, node->first); key;
	     key = yaml_node(r->tree, yaml_node(r->tree, key->next)->next)) {
		named |= !strcmp(key->text, "paths");
		verdict |= !strcmp(key->text, "verdict");
	}
	if (verdict && object_class != CLASS_DUMP)
		schema_wrong(r, node,
			     "a watch entry of class '%s' has no verdict: only dumps are "
			     "scanned",
			     object_class_str(object_class));
	if (object_class_has_paths(object_class)) {
		if (!named)
			schema_wrong(r, node, "a watch entry needs the key 'paths'");
		return;
	}
	if (named || watch->nr_excludes)
		schema_wrong(r, node, "a watch entry of class '%s' has no paths: %s",
			     object_class_str(object_class),
			     object_class == CLASS_DEVICE
				     ? "it stands for the block devices under the file systems of "
				       "all other entries"
			     : object_class_has_files(object_class)
				     ? "it is about files that are found by what they are"
				     : "it is about no files");
	first = &r->policy->watches[policy_find_class(r->policy, object_class) - 1];
	if (first != watch)
		schema_wrong(r, node, "a second watch entry of class '%s': the first is %s:%u:%u",
			     object_class_str(object_class), first->place.file, first->place.line,
			     first->place.column);
}

/* Appends an empty one; NULL if out of memory or there are too many, which is told. */
static struct watch_rule *add_watch(struct reader *r, struct watch_rule **list, size_t *nr,
				    const struct yaml_node *node)
{
	if (*nr == WATCHES_MAX) {
		schema_wrong(r, node, "more than %d watch entries", WATCHES_MAX);
		return NULL;
	}
	if (policy_grow(list, *nr, sizeof(**list)) < 0) {
		r->no_memory = true;
		return NULL;
	}
	(*list)[*nr] = (struct watch_rule){
		.entry.severity = SEV_HIGH,
		.entry.on = 1U << ACTION_READ | 1U << ACTION_DUMP,
		.entry.mode = MODE_ALERT,
		.place = place_of(r, node),
	};
	return &(*list)[(*nr)++];
}

/* Who touches a canary is an intruder until it is known better, also if he writes it. */
static void default_canary(struct watch_rule *watch)
{
	if (!(watch->given & GIVEN_SEVERITY))
		watch->entry.severity = SEV_CRITICAL;
	if (!(watch->given & GIVEN_ON))
		watch->entry.on |= 1U << ACTION_WRITE;
}

static void read_watch(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "watch"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		r->watch = add_watch(r, &policy->watches, &policy->nr_watches, node);
		if (!r->watch)
			return;
		schema_read_map(r, node, watch_fields, "a watch entry");
		if (r->watch->entry.object_class == CLASS_CANARY_KEY)
			default_canary(r->watch);
		check_paths(r, node);
	}
}

/* --- overrides ---------------------------------------------------------------------------------
 */

static const char *list_word(int i)
{
	static const char *const words[] = {"paths", "exclude", "allow", "expect"};

	return words[i];
}

static void read_begin(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "replace"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		int word = schema_read_word(r, node, "replace", list_word, 0, 4);

		if (word >= 0)
			r->watch->begin |= 1U << word;
	}
}

static const char *bool_word(int i)
{
	return i ? "true" : "false";
}

bool schema_read_bool(struct reader *r, const struct yaml_node *node, const char *what)
{
	return schema_read_word(r, node, what, bool_word, 0, 2) == 1;
}

static void read_off(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	r->watch->off = schema_read_bool(r, value, "off");
	r->watch->given |= GIVEN_OFF;
}

static const struct field override_fields[] = {
	{.key = "name", .required = true, .read = read_name},
	ENTRY_FIELDS,
	{.key = "replace", .read = read_begin},
	{.key = "off", .read = read_off},
	{0},
};

static void read_override(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "override"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		r->watch = add_watch(r, &policy->overrides, &policy->nr_overrides, node);
		if (!r->watch)
			return;
		schema_read_map(r, node, override_fields, "an override");
	}
}

/* --- file --------------------------------------------------------------------------------------
 */

/* A file with another version, or none, is none of ours: that is all that is said of it. */
static bool is_ours(struct reader *r)
{
	const struct yaml_node *root = yaml_node(r->tree, 1), *version;

	if (!schema_is_kind(r, root, YAML_TREE_MAP, "a policy"))
		return false;
	version = schema_value_of(r, root, "version");
	if (!version) {
		schema_wrong(r, root, "a policy needs the key 'version'");
		return false;
	}
	if (!schema_is_kind(r, version, YAML_TREE_SCALAR, "version"))
		return false;
	if (version->plain && version->len == 1 && version->text[0] == '1')
		return true;
	schema_wrong(r, version, "version%s is not known: this keytrail reads version 1",
		     schema_word(version).text);
	return false;
}

/* Read before all else of the file, see is_ours() and read_includes(). */
static void pass_over(struct reader *r, const struct yaml_node *value, const struct field *field)
{
}

static const struct field file_fields[] = {
	{.key = "version", .read = pass_over},
	{.key = "include", .read = pass_over},
	{.key = "settings", .read = schema_read_settings},
	{.key = "watch", .read = read_watch},
	{.key = "override", .read = read_override},
	{.key = "exceptions", .read = schema_read_exceptions},
	{.key = "zones", .read = schema_read_zones},
	{0},
};

/* What a file includes comes before it, so that the file has the last word. */
static int read_includes(struct reader *r)
{
	const struct yaml_node *root = yaml_node(r->tree, 1), *key, *value, *node;

	for (key = yaml_node(r->tree, root->first); key; key = yaml_node(r->tree, value->next)) {
		value = yaml_node(r->tree, key->next);
		if (strcmp(key->text, "include") ||
		    !schema_is_kind(r, value, YAML_TREE_LIST, "include"))
			continue;
		for (node = yaml_node(r->tree, value->first); node;
		     node = yaml_node(r->tree, node->next)) {
			const char *which = schema_read_string(r, node, "include");
			int err;

			if (!which)
				continue;
			if (!r->include || !*which) {
				schema_wrong(r, node, "'%.128s' cannot be included %s", which,
					     *which ? "here" : "anywhere");
				continue;
			}
			err = r->include(r->include_ctx, r->policy, r->file, which, node, r->diags);
			if (err == -ENOMEM)
				return err;
			r->wrong |= err < 0;
		}
	}
	return 0;
}

int schema_read(struct policy *policy, const char *name, const char *text, size_t len,
		include_fn include, void *ctx, struct diag_list *diags)
{
	struct yaml_tree tree = {0};
	struct reader r = {
		.policy = policy,
		.tree = &tree,
		.diags = diags,
		.include = include,
		.include_ctx = ctx,
	};
	int err;

	r.file = policy_keep(policy, name, strlen(name));
	if (!r.file)
		return -ENOMEM;
	err = yaml_tree_parse(name, text, len, diags, &tree);
	if (err < 0)
		return err;
	if (is_ours(&r)) {
		err = read_includes(&r);
		if (err == 0)
			schema_read_map(&r, yaml_node(&tree, 1), file_fields, "a policy");
	}
	yaml_tree_fini(&tree);
	if (err < 0 || r.no_memory)
		return -ENOMEM;
	return r.wrong ? -EINVAL : 0;
}
