// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The policy's schema: which keys there are, and what their values may be.
 *
 * Every key is a row in a table of its map. A wrong value does not end the reading, so that a
 * person sees all that is wrong at once; whatever is half built then is only good to be freed.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "policy/policy-internal.h"
#include "policy/suggest.h"
#include "policy/yamltree.h"

#define WATCHES_MAX    4096
#define PATHS_MAX      1024
#define EXCLUDES_MAX   256
#define NAME_MAX_BYTES 64

struct reader {
	struct policy *policy;
	const char *file; /* kept by the policy */
	const struct yaml_tree *tree;
	struct diag_list *diags;
	bool wrong, no_memory;
};

struct field {
	const char *key;
	bool required;
	void (*read)(struct reader *r, const struct yaml_node *value, const struct field *field);
	/* settings only */
	size_t offset;
	uint32_t min, max;
};

static void _printf_(3, 4) wrong(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(r->diags, DIAG_ERROR, r->file, at->line, at->column, "%s", text);
	r->wrong = true;
}

static bool is_kind(struct reader *r, const struct yaml_node *node, enum yaml_kind kind,
		    const char *what)
{
	if (node->kind == kind && !(kind == YAML_TREE_SCALAR && yaml_node_is_null(node)))
		return true;
	if (yaml_node_is_null(node))
		wrong(r, node, "%s has no value: %s is expected", what, yaml_kind_str(kind));
	else
		wrong(r, node, "%s must be %s, not %s", what, yaml_kind_str(kind),
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
	const char *best = NULL;
	unsigned distance = UINT_MAX;

	for (; fields->key; fields++)
		suggest(key->text, key->len, fields->key, &distance, &best);
	if (best)
		wrong(r, key, "%s has no key '%.64s': did you mean '%s'?", what, key->text, best);
	else
		wrong(r, key, "%s has no key '%.64s'", what, key->text);
}

/* Reads a map by its table; `fields` ends with a row without key and has less than 32 rows. */
static void read_map(struct reader *r, const struct yaml_node *node, const struct field *fields,
		     const char *what)
{
	const struct yaml_node *seen[32] = {0};
	const struct yaml_node *key, *value;
	const struct field *field;

	if (!is_kind(r, node, YAML_TREE_MAP, what))
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
			wrong(r, key, "'%s' stands twice, first at %u:%u", field->key,
			      (*first)->line, (*first)->column);
			continue;
		}
		*first = key;
		field->read(r, value, field);
	}
	for (field = fields; field->key; field++)
		if (field->required && !seen[field - fields])
			wrong(r, node, "%s needs the key '%s'", what, field->key);
}

static const char *keep(struct reader *r, const struct yaml_node *node)
{
	const char *s = policy_keep(r->policy, node->text, node->len);

	if (!s)
		r->no_memory = true;
	return s;
}

/* A single value without NUL; NULL after telling what is wrong. */
static const char *read_string(struct reader *r, const struct yaml_node *node, const char *what)
{
	if (!is_kind(r, node, YAML_TREE_SCALAR, what))
		return NULL;
	if (strlen(node->text) != node->len) {
		wrong(r, node, "%s has a NUL byte", what);
		return NULL;
	}
	return node->text;
}

/* One of the words word(1) ... word(nr - 1) (or from 0), as its number; -1 after telling. */
static int read_word(struct reader *r, const struct yaml_node *node, const char *what,
		     const char *(*word)(int), int from, int nr)
{
	const char *s = read_string(r, node, what), *best = NULL;
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
		wrong(r, node, "%s '%.64s' is not known: did you mean '%s'? (%s)", what, s, best,
		      words);
	else
		wrong(r, node, "%s '%.64s' is not known (%s)", what, s, words);
	return -1;
}

static bool read_number(struct reader *r, const struct yaml_node *node, const char *what,
			uint32_t min, uint32_t max, uint32_t *out_number)
{
	uint64_t n = 0;
	size_t i;

	if (!is_kind(r, node, YAML_TREE_SCALAR, what))
		return false;
	for (i = 0; i < node->len && isdigit((unsigned char)node->text[i]) && i < 10; i++)
		n = n * 10 + (uint64_t)(node->text[i] - '0');
	if (!node->plain || i == 0 || i < node->len || (node->text[0] == '0' && node->len > 1) ||
	    n < min || n > max) {
		wrong(r, node, "%s must be a whole number from %u to %u", what, min, max);
		return false;
	}
	*out_number = (uint32_t)n;
	return true;
}

/* What is wrong with a path that names one thing; NULL = nothing. */
static const char *path_fault(const char *s)
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

/* --- settings ----------------------------------------------------------------------------------
 */

static void *setting(struct reader *r, const struct field *field)
{
	return (char *)&r->policy->settings + field->offset;
}

static const char *cmdline_word(int i)
{
	static const char *const words[] = {"none", "redacted", "full"};

	return words[i];
}

static void read_cmdline(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = read_word(r, value, field->key, cmdline_word, CMDLINE_NONE, CMDLINE_FULL + 1);

	if (word >= 0)
		r->policy->settings.cmdline = (enum cmdline_mode)word;
}

/* RFC 5424, section 6.3.2: name@enterprise-number, the form that needs no registration with IANA.
 */
static const char *sd_id_fault(const char *s)
{
	const char *at = strchr(s, '@');
	size_t digits;

	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("=]\"", *p))
			return "has a character that RFC 5424 forbids in an SD-ID";
	if (strlen(s) > 32)
		return "is longer than the 32 characters of an SD-ID (RFC 5424)";
	if (!at || at == s)
		return "must be NAME@NUMBER, with a private enterprise number (RFC 5424)";
	digits = strspn(at + 1, "0123456789");
	if (digits == 0 || at[1 + digits] || at[1] == '0' || digits > 10 ||
	    strtoull(at + 1, NULL, 10) > UINT32_MAX)
		return "must end in a private enterprise number after the @ (RFC 5424)";
	return NULL;
}

static void read_sd_id(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = read_string(r, value, field->key), *fault;

	if (!s)
		return;
	fault = sd_id_fault(s);
	if (fault)
		wrong(r, value, "sd_id '%.64s' %s", s, fault);
	else
		r->policy->settings.sd_id = keep(r, value);
}

/* max: longest path in bytes; min: 0 if the empty string turns the thing off. */
static void read_path_setting(struct reader *r, const struct yaml_node *value,
			      const struct field *field)
{
	const char *s = read_string(r, value, field->key), *fault;

	if (!s)
		return;
	fault = *s || field->min ? path_fault(s) : NULL;
	if (fault)
		wrong(r, value, "%s '%.128s' %s", field->key, s, fault);
	else if (value->len > field->max)
		wrong(r, value, "%s is longer than %u bytes", field->key, field->max);
	else
		*(const char **)setting(r, field) = keep(r, value);
}

static void read_number_setting(struct reader *r, const struct yaml_node *value,
				const struct field *field)
{
	uint32_t number;

	if (read_number(r, value, field->key, field->min, field->max, &number))
		*(uint32_t *)setting(r, field) = number;
}

static void read_ring_setting(struct reader *r, const struct yaml_node *value,
			      const struct field *field)
{
	uint32_t number;

	if (!read_number(r, value, field->key, field->min, field->max, &number))
		return;
	if (number & (number - 1))
		wrong(r, value, "%s must be a power of two (KiB)", field->key);
	else
		*(uint32_t *)setting(r, field) = number;
}

#define SUN_PATH_MAX 107 /* sizeof(sun_path) - 1 */

#define SETTING(key_, read_, min_, max_)                                                \
	{                                                                               \
		.key = #key_, .read = read_, .offset = offsetof(struct settings, key_), \
		.min = min_, .max = max_                                                \
	}

static const struct field setting_fields[] = {
	{.key = "cmdline", .read = read_cmdline},
	{.key = "sd_id", .read = read_sd_id},
	SETTING(syslog_socket, read_path_setting, 1, SUN_PATH_MAX),
	SETTING(syslog_fallback, read_path_setting, 1, SUN_PATH_MAX),
	SETTING(jsonl, read_path_setting, 0, PATH_MAX - 1),
	SETTING(alert_burst, read_number_setting, 1, 1000),
	SETTING(alert_window_s, read_number_setting, 1, 86400),
	SETTING(ring_critical_kib, read_ring_setting, 64, 1048576),
	SETTING(ring_bulk_kib, read_ring_setting, 64, 1048576),
	SETTING(marks_max, read_number_setting, 1024, 16777216),
	{0},
};

static void read_settings(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	read_map(r, value, setting_fields, "settings");
}

/* --- watch entries -----------------------------------------------------------------------------
 */

static struct watch_rule *this_watch(struct reader *r)
{
	return &r->policy->watches[r->policy->nr_watches - 1];
}

static void read_name(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = read_string(r, value, "name");
	size_t i;

	if (!s)
		return;
	for (i = 0; s[i] && (isalnum((unsigned char)s[i]) || (i && strchr("._-", s[i]))); i++)
		;
	if (s[i] || i == 0 || i > NAME_MAX_BYTES) {
		wrong(r, value,
		      "name '%.64s' is not 1 to %d of a-z, A-Z, 0-9, '.', '_', '-', a "
		      "letter or digit first",
		      s, NAME_MAX_BYTES);
		return;
	}
	for (i = 0; i + 1 < r->policy->nr_watches; i++) {
		const struct watch_rule *other = &r->policy->watches[i];

		if (!other->entry.name || strcmp(other->entry.name, s))
			continue;
		wrong(r, value, "watch entry '%s' is there already: %s:%u:%u", s, other->place.file,
		      other->place.line, other->place.column);
		return;
	}
	this_watch(r)->entry.name = keep(r, value);
}

static const char *class_word(int i)
{
	return object_class_str((enum object_class)i);
}

static void read_class(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = read_word(r, value, "class", class_word, 1, CLASS_NR);

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
	int word = read_word(r, value, "severity", severity_word, 1, SEV_NR);

	if (word > 0)
		this_watch(r)->entry.severity = (enum severity)word;
}

static void read_patterns(struct reader *r, const struct yaml_node *list, const char *what,
			  bool is_exclude, size_t max, struct pattern ***patterns, size_t *nr)
{
	const struct yaml_node *node;

	if (!is_kind(r, list, YAML_TREE_LIST, what))
		return;
	for (node = yaml_node(r->tree, list->first); node; node = yaml_node(r->tree, node->next)) {
		struct pattern *pattern;
		const char *why;
		int err;

		if (!is_kind(r, node, YAML_TREE_SCALAR, is_exclude ? "an exclusion" : "a path"))
			continue;
		if (*nr == max) {
			wrong(r, node, "%s has more than %zu patterns", what, max);
			return;
		}
		err = pattern_new(node->text, node->len, is_exclude, &pattern, &why);
		if (err == -EINVAL)
			wrong(r, node, "%s '%.128s': %s", is_exclude ? "exclusion" : "path",
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
		wrong(r, value, "paths is an empty list: the entry would watch nothing");
}

static void read_exclude(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct watch_rule *watch = this_watch(r);

	read_patterns(r, value, "exclude", true, EXCLUDES_MAX, &watch->excludes,
		      &watch->nr_excludes);
}

static void read_exe(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	const char *s = read_string(r, value, "exe"), *fault;
	struct policy *policy = r->policy;

	if (!s)
		return;
	fault = path_fault(s);
	if (!fault && strpbrk(s, "*?["))
		fault = "has a wildcard: an allowed program is named exactly";
	if (!fault && value->len >= WIRE_EXE_MAX)
		fault = "is longer than any path that can be told";
	if (fault) {
		wrong(r, value, "exe '%.128s' %s", s, fault);
		return;
	}
	if (policy_grow(&policy->rules, policy->nr_rules, sizeof(*policy->rules)) < 0) {
		r->no_memory = true;
		return;
	}
	policy->rules[policy->nr_rules++] = (struct allow_rule){
		.watch = (uint32_t)policy->nr_watches,
		.exe = keep(r, value),
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

	if (!is_kind(r, value, YAML_TREE_LIST, "allow"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		if (node->kind == YAML_TREE_SCALAR && !yaml_node_is_null(node))
			wrong(r, node, "an allow rule is a map: write `exe: %.128s`", node->text);
		else
			read_map(r, node, allow_fields, "an allow rule");
	}
}

static const struct field watch_fields[] = {
	{.key = "name", .required = true, .read = read_name},
	{.key = "class", .required = true, .read = read_class},
	{.key = "severity", .read = read_severity},
	{.key = "paths", .required = true, .read = read_paths},
	{.key = "exclude", .read = read_exclude},
	{.key = "allow", .read = read_allow},
	{0},
};

static void read_watch(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!is_kind(r, value, YAML_TREE_LIST, "watch"))
		return;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		if (policy->nr_watches == WATCHES_MAX) {
			wrong(r, node, "more than %d watch entries", WATCHES_MAX);
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
		read_map(r, node, watch_fields, "a watch entry");
	}
}

/* --- file --------------------------------------------------------------------------------------
 */

static void read_version(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	if (!is_kind(r, value, YAML_TREE_SCALAR, "version"))
		return;
	if (!value->plain || strcmp(value->text, "1"))
		wrong(r, value, "version '%.32s' is not known: this keytrail reads version 1",
		      value->text);
}

static const struct field file_fields[] = {
	{.key = "version", .required = true, .read = read_version},
	{.key = "settings", .read = read_settings},
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
	read_map(&r, yaml_node(&tree, 1), file_fields, "a policy");
	yaml_tree_fini(&tree);
	if (r.no_memory)
		return -ENOMEM;
	return r.wrong ? -EINVAL : 0;
}
