// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema of a policy file and of its watch entries: which keys there are, and what their values
 * may be.
 */
#include <ctype.h>
#include <string.h>

#include "policy/schema-internal.h"

#define WATCHES_MAX    4096
#define PATHS_MAX      1024
#define EXCLUDES_MAX   256
#define NAME_MAX_BYTES 64

/* --- watch entries -----------------------------------------------------------------------------
 */

static struct watch_rule *this_watch(struct reader *r)
{
	return &r->policy->watches[r->policy->nr_watches - 1];
}

static void read_name(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "name");
	size_t i;

	if (!s)
		return;
	for (i = 0; s[i] && (isalnum((unsigned char)s[i]) || (i && strchr("._-", s[i]))); i++)
		;
	if (s[i] || i == 0 || i > NAME_MAX_BYTES) {
		schema_wrong(r, value,
			     "name '%.64s' is not 1 to %d of a-z, A-Z, 0-9, '.', '_', '-', a "
			     "letter or digit first",
			     s, NAME_MAX_BYTES);
		return;
	}
	for (i = 0; i + 1 < r->policy->nr_watches; i++) {
		const struct watch_rule *other = &r->policy->watches[i];

		if (!other->entry.name || strcmp(other->entry.name, s))
			continue;
		schema_wrong(r, value, "watch entry '%s' is there already: %s:%u:%u", s,
			     other->place.file, other->place.line, other->place.column);
		return;
	}
	this_watch(r)->entry.name = schema_keep(r, value);
}

static const char *class_word(int i)
{
	return object_class_str((enum object_class)i);
}

static void read_class(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, "class", class_word, 1, CLASS_NR);

	if (word > 0)
		this_watch(r)->entry.object_class = (enum object_class)word;
}

static const char *severity_word(int i)
{
	return severity_str((enum severity)i);
}

static void read_severity(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	int word = schema_read_word(r, value, "severity", severity_word, 1, SEV_NR);

	if (word > 0)
		this_watch(r)->entry.severity = (enum severity)word;
}

static void read_patterns(struct reader *r, const struct yaml_node *list, const char *what,
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
		pattern->line = node->line;
		pattern->column = node->column;
		(*patterns)[(*nr)++] = pattern;
	}
}

static void read_paths(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct watch_rule *watch = this_watch(r);

	read_patterns(r, value, "paths", false, PATHS_MAX, &watch->paths, &watch->nr_paths);
	if (value->kind == YAML_TREE_LIST && !value->first)
		schema_wrong(r, value, "paths is an empty list: the entry would watch nothing");
}

static void read_exclude(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct watch_rule *watch = this_watch(r);

	read_patterns(r, value, "exclude", true, EXCLUDES_MAX, &watch->excludes,
		      &watch->nr_excludes);
}

static void read_exe(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = schema_read_string(r, value, "exe"), *fault;
	struct policy *policy = r->policy;

	if (!s)
		return;
	fault = schema_path_fault(s);
	if (!fault && strpbrk(s, "*?["))
		fault = "has a wildcard: an allowed program is named exactly";
	if (!fault && value->len >= WIRE_EXE_MAX)
		fault = "is longer than any path that can be told";
	if (fault) {
		schema_wrong(r, value, "exe '%.128s' %s", s, fault);
		return;
	}
	if (policy_grow(&policy->rules, policy->nr_rules, sizeof(*policy->rules)) < 0) {
		r->no_memory = true;
		return;
	}
	policy->rules[policy->nr_rules++] = (struct allow_rule){
		.watch = (uint32_t)policy->nr_watches,
		.exe = schema_keep(r, value),
		.exe_len = value->len,
		.place = {r->file, value->line, value->column},
	};
}

static const struct field allow_fields[] = {
	{.key = "exe", .required = true, .read = read_exe},
	{0},
};

static void read_allow(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "allow"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		if (node->kind == YAML_TREE_SCALAR && !yaml_node_is_null(node))
			schema_wrong(r, node, "an allow rule is a map: write `exe: %.128s`",
				     node->text);
		else
			schema_read_map(r, node, allow_fields, "an allow rule");
	}
}

static const struct field watch_fields[] = {
	{.key = "name", .required = true, .read = read_name},
	{.key = "class", .required = true, .read = read_class},
	{.key = "severity", .read = read_severity},
	{.key = "paths", .read = read_paths}, /* required: see check_paths() */
	{.key = "exclude", .read = read_exclude},
	{.key = "allow", .read = read_allow},
	{0},
};

/* Entries of some classes are about no files, and everything else is named. */
static void check_paths(struct reader *r, const struct yaml_node *node)
{
	const struct watch_rule *watch = this_watch(r), *first;
	const enum object_class object_class = watch->entry.object_class;
	const struct yaml_node *key = NULL;
	bool named = false;

	if (node->kind != YAML_TREE_MAP)
		return;
	for (key = yaml_node(r->tree, node->first); key;
	     key = yaml_node(r->tree, yaml_node(r->tree, key->next)->next))
		named |= !strcmp(key->text, "paths");
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
				     : "it is about no files");
	first = &r->policy->watches[policy_find_class(r->policy, object_class) - 1];
	if (first != watch)
		schema_wrong(r, node, "a second watch entry of class '%s': the first is %s:%u:%u",
			     object_class_str(object_class), first->place.file, first->place.line,
			     first->place.column);
}

static void read_watch(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, "watch"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		if (policy->nr_watches == WATCHES_MAX) {
			schema_wrong(r, node, "more than %d watch entries", WATCHES_MAX);
			return;
		}
		if (policy_grow(&policy->watches, policy->nr_watches, sizeof(*policy->watches)) <
		    0) {
			r->no_memory = true;
			return;
		}
		policy->watches[policy->nr_watches++] = (struct watch_rule){
			.entry.severity = SEV_HIGH,
			.place = {r->file, node->line, node->column},
		};
		schema_read_map(r, node, watch_fields, "a watch entry");
		check_paths(r, node);
	}
}

/* --- file --------------------------------------------------------------------------------------
 */

static void read_version(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	if (!schema_is_kind(r, value, YAML_TREE_SCALAR, "version"))
		return;
	if (!value->plain || strcmp(value->text, "1"))
		schema_wrong(r, value,
			     "version '%.32s' is not known: this keytrail reads version 1",
			     value->text);
}

static const struct field file_fields[] = {
	{.key = "version", .required = true, .read = read_version},
	{.key = "settings", .read = schema_read_settings},
	{.key = "watch", .read = read_watch},
	{0},
};

int schema_read(struct policy *policy, const char *name, const char *text, size_t len,
		struct diag_list *diags)
{
	struct yaml_tree tree = {0};
	struct reader r = {.policy = policy, .tree = &tree, .diags = diags};
	int err;

	r.file = policy_keep(policy, name, strlen(name));
	if (!r.file)
		return -ENOMEM;
	err = yaml_tree_parse(name, text, len, diags, &tree);
	if (err < 0)
		return err;
	schema_read_map(&r, yaml_node(&tree, 1), file_fields, "a policy");
	yaml_tree_fini(&tree);
	if (r.no_memory)
		return -ENOMEM;
	return r.wrong ? -EINVAL : 0;
}
