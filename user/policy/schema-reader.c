// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads maps by tables of keys, and the kinds of values that they have in common.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "policy/schema-internal.h"
#include "policy/suggest.h"

void schema_wrong(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(r->diags, DIAG_ERROR, r->file, at->line, at->column, "%s", text);
	r->wrong = true;
}

struct schema_word schema_word(const struct yaml_node *node)
{
	struct schema_word word = {""};

	if (!node->len || node->len > SCHEMA_WORD_MAX)
		return word;
	for (size_t i = 0; i < node->len; i++)
		if (!isascii((unsigned char)node->text[i]) ||
		    (!isalnum((unsigned char)node->text[i]) && !memchr("_-.", node->text[i], 3)))
			return word;
	snprintf(word.text, sizeof(word.text), " '%s'", node->text);
	return word;
}

const struct yaml_node *schema_value_of(const struct reader *r, const struct yaml_node *map,
					const char *key)
{
	const struct yaml_node *node, *value;

	for (node = yaml_node(r->tree, map->first); node; node = yaml_node(r->tree, value->next)) {
		value = yaml_node(r->tree, node->next);
		if (strlen(key) == node->len && !strcmp(node->text, key))
			return value;
	}
	return NULL;
}

bool schema_is_kind(struct reader *r, const struct yaml_node *node, enum yaml_kind kind,
		    const char *what)
{
	if (node->kind == kind && !(kind == YAML_TREE_SCALAR && yaml_node_is_null(node)))
		return true;
	if (yaml_node_is_null(node))
		schema_wrong(r, node, "%s has no value: %s is expected", what, yaml_kind_str(kind));
	else
		schema_wrong(r, node, "%s must be %s, not %s", what, yaml_kind_str(kind),
			     yaml_kind_str(node->kind));
	return false;
}

static const struct field *find_field(const struct field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (!strcmp(fields->key, key))
			return fields;
	return NULL;
}

static void unknown_key(struct reader *r, const struct yaml_node *key, const struct field *fields,
			const char *what)
{
	const struct schema_word told = schema_word(key);
	const char *word = *told.text ? told.text : " of this name", *best = NULL;
	unsigned distance = UINT_MAX;

	for (; fields->key; fields++)
		suggest(key->text, key->len, fields->key, &distance, &best);
	if (best)
		schema_wrong(r, key, "%s has no key%s: did you mean '%s'?", what, word, best);
	else
		schema_wrong(r, key, "%s has no key%s", what, word);
}

void schema_read_map(struct reader *r, const struct yaml_node *node, const struct field *fields,
		     const char *what)
{
	const struct yaml_node *seen[32] = {0};
	const struct yaml_node *key, *value;
	const struct field *field;

	if (!schema_is_kind(r, node, YAML_TREE_MAP, what))
		return;
	for (key = yaml_node(r->tree, node->first); key; key = yaml_node(r->tree, value->next)) {
		const struct yaml_node **first;

		value = yaml_node(r->tree, key->next);
		field = strlen(key->text) == key->len ? find_field(fields, key->text) : NULL;
		if (!field) {
			unknown_key(r, key, fields, what);
			continue;
		}
		first = &seen[field - fields];
		if (*first) {
			schema_wrong(r, key, "'%s' stands twice, first at %u:%u", field->key,
				     (*first)->line, (*first)->column);
			continue;
		}
		*first = key;
		field->read(r, value, field);
	}
	for (field = fields; field->key; field++)
		if (field->required && !seen[field - fields])
			schema_wrong(r, node, "%s needs the key '%s'", what, field->key);
}

const char *schema_keep(struct reader *r, const struct yaml_node *node)
{
	const char *s = policy_keep(r->policy, node->text, node->len);

	if (!s)
		r->no_memory = true;
	return s;
}

const char *schema_read_string(struct reader *r, const struct yaml_node *node, const char *what)
{
	if (!schema_is_kind(r, node, YAML_TREE_SCALAR, what))
		return NULL;
	if (strlen(node->text) != node->len) {
		schema_wrong(r, node, "%s has a NUL byte", what);
		return NULL;
	}
	return node->text;
}

int schema_read_word(struct reader *r, const struct yaml_node *node, const char *what,
		     const char *(*word)(int), int from, int nr)
{
	const char *s = schema_read_string(r, node, what), *best = NULL;
	unsigned distance = UINT_MAX;
	char words[256];
	size_t len = 0;

	if (!s)
		return -1;
	for (int i = from; i < nr; i++)
		if (!strcmp(word(i), s))
			return i;
	for (int i = from; i < nr; i++) {
		suggest(s, node->len, word(i), &distance, &best);
		len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%s",
					i == from ? "" : ", ", word(i));
	}
	if (best)
		schema_wrong(r, node, "%s%s is not known: did you mean '%s'? (%s)", what,
			     schema_word(node).text, best, words);
	else
		schema_wrong(r, node, "%s%s is not known (%s)", what, schema_word(node).text,
			     words);
	return -1;
}

bool schema_read_number(struct reader *r, const struct yaml_node *node, const char *what,
			uint32_t min, uint32_t max, uint32_t *out_number)
{
	uint64_t n = 0;
	size_t i;

	if (!schema_is_kind(r, node, YAML_TREE_SCALAR, what))
		return false;
	for (i = 0; i < node->len && isdigit((unsigned char)node->text[i]) && i < 10; i++)
		n = n * 10 + (uint64_t)(node->text[i] - '0');
	if (!node->plain || i == 0 || i < node->len || (node->text[0] == '0' && node->len > 1) ||
	    n < min || n > max) {
		schema_wrong(r, node, "%s must be a whole number from %u to %u", what, min, max);
		return false;
	}
	*out_number = (uint32_t)n;
	return true;
}

const char *schema_path_fault(const char *s)
{
	const char *p = s;

	if (*s != '/')
		return "is not an absolute path";
	while (*p) {
		size_t n = strcspn(++p, "/");

		if (n == 0)
			return p[0] || p == s + 1 ? "has an empty component" : "ends with a slash";
		if ((n == 1 && p[0] == '.') || (n == 2 && !strncmp(p, "..", 2)))
			return "has a component `.` or `..`, which no path that the kernel tells "
			       "has";
		p += n;
	}
	return NULL;
}
