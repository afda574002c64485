// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schema of `settings`: every key with its range. What they mean is docs/policy.md's.
 */
#include <limits.h>
#include <string.h>

#include "policy/schema-internal.h"

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
	int word = schema_read_word(r, value, field->key, cmdline_word, CMDLINE_NONE,
				    CMDLINE_FULL + 1);

	if (word >= 0)
		r->policy->settings.cmdline = (enum cmdline_mode)word;
}

static const char *switch_word(int i)
{
	static const char *const words[] = {"off", "on"};

	return words[i];
}

static void read_switch(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, field->key, switch_word, 0, 2);

	if (word >= 0)
		*(bool *)setting(r, field) = word;
}

static const char *reads_word(int i)
{
	static const char *const words[] = {"open", "exact"};

	return words[i];
}

static void read_reads(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	int word = schema_read_word(r, value, field->key, reads_word, READS_OPEN, READS_EXACT + 1);

	if (word >= 0)
		r->policy->settings.reads = (enum reads_mode)word;
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
	const char *s = schema_read_string(r, value, field->key), *fault;

	if (!s)
		return;
	fault = sd_id_fault(s);
	if (fault)
		schema_wrong(r, value, "sd_id '%.64s' %s", s, fault);
	else
		r->policy->settings.sd_id = schema_keep(r, value);
}

/* max: longest path in bytes; min: 0 if the empty string turns the thing off. */
static void read_path_setting(struct reader *r, const struct yaml_node *value,
			      const struct field *field)
{
	const char *s = schema_read_string(r, value, field->key), *fault;

	if (!s)
		return;
	fault = *s || field->min ? schema_path_fault(s) : NULL;
	if (fault)
		schema_wrong(r, value, "%s '%.128s' %s", field->key, s, fault);
	else if (value->len > field->max)
		schema_wrong(r, value, "%s is longer than %u bytes", field->key, field->max);
	else
		*(const char **)setting(r, field) = schema_keep(r, value);
}

static void read_number_setting(struct reader *r, const struct yaml_node *value,
				const struct field *field)
{
	uint32_t number;

	if (schema_read_number(r, value, field->key, field->min, field->max, &number))
		*(uint32_t *)setting(r, field) = number;
}

static void read_ring_setting(struct reader *r, const struct yaml_node *value,
			      const struct field *field)
{
	uint32_t number;

	if (!schema_read_number(r, value, field->key, field->min, field->max, &number))
		return;
	if (number & (number - 1))
		schema_wrong(r, value, "%s must be a power of two (KiB)", field->key);
	else
		*(uint32_t *)setting(r, field) = number;
}

static const struct field scan_fields[] = {
#define SCAN(key_, read_, min_, max_)                                                        \
	{                                                                                    \
		.key = #key_, .read = read_, .offset = offsetof(struct settings, scan.key_), \
		.min = min_, .max = max_                                                     \
	}
	SCAN(on, read_switch, 0, 0),
	SCAN(max_size_mib, read_number_setting, 1, 16777216),
	SCAN(max_time_s, read_number_setting, 1, 86400),
	SCAN(children, read_number_setting, 1, 16),
	SCAN(queue, read_number_setting, 1, 1024),
	SCAN(needles, read_path_setting, 0, PATH_MAX - 1),
	{0},
#undef SCAN
};

static void read_scan(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_map(r, value, scan_fields, "scan");
}

static const struct field journal_fields[] = {
#define JOURNAL(key_, max_)                                                              \
	{                                                                                \
		.key = #key_, .read = read_number_setting,                               \
		.offset = offsetof(struct settings, journal.key_), .min = 0, .max = max_ \
	}
	JOURNAL(max_size_mib, 16777216),
	JOURNAL(keep_days, 36500),
	{0},
#undef JOURNAL
};

static void read_journal(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_map(r, value, journal_fields, "journal");
}

#define TREES_MAX 64

static void read_trees(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	struct policy *policy = r->policy;
	const struct yaml_node *node;

	if (!schema_is_kind(r, value, YAML_TREE_LIST, field->key))
		return;
	/* The file that is read last has them all. */
	policy->nr_discover_trees = 0;
	for (node = yaml_node(r->tree, value->first); node; node = yaml_node(r->tree, node->next)) {
		const char *s = schema_read_string(r, node, field->key);
		const char *fault = s ? schema_path_fault(s) : NULL;

		if (!s)
			continue;
		if (policy->nr_discover_trees == TREES_MAX)
			schema_wrong(r, node, "trees has more than %d items", TREES_MAX);
		else if (fault)
			schema_wrong(r, node, "trees '%.128s' %s", s, fault);
		else if (node->len >= PATH_MAX)
			schema_wrong(r, node, "an item of trees is longer than %d bytes",
				     PATH_MAX - 1);
		else if (policy_grow(&policy->discover_trees, policy->nr_discover_trees,
				     sizeof(*policy->discover_trees)) < 0)
			r->no_memory = true;
		else
			policy->discover_trees[policy->nr_discover_trees++] = schema_keep(r, node);
	}
}

static const struct field discover_fields[] = {
#define DISCOVER(key_, read_, min_, max_)                                                        \
	{                                                                                        \
		.key = #key_, .read = read_, .offset = offsetof(struct settings, discover.key_), \
		.min = min_, .max = max_                                                         \
	}
	DISCOVER(content, read_switch, 0, 0),
	DISCOVER(homes, read_switch, 0, 0),
	{.key = "trees", .read = read_trees},
	DISCOVER(network, read_switch, 0, 0),
	DISCOVER(look_s, read_number_setting, 1, 86400),
	DISCOVER(again_s, read_number_setting, 60, 2592000),
	DISCOVER(names_per_s, read_number_setting, 10, 1000000),
	DISCOVER(files_per_s, read_number_setting, 1, 100000),
	DISCOVER(max_size_kib, read_number_setting, 1, 64),
	DISCOVER(max_names, read_number_setting, 1000, 100000000),
	{0},
#undef DISCOVER
};

static void read_discover(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	schema_read_map(r, value, discover_fields, "discover");
}

#define SUN_PATH_MAX 107 /* sizeof(sun_path) - 1 */

#define SETTING(key_, read_, min_, max_)                                                \
	{                                                                               \
		.key = #key_, .read = read_, .offset = offsetof(struct settings, key_), \
		.min = min_, .max = max_                                                \
	}

/* What this host is called in `hosts` of zones, beside others. */
static void read_labels(struct reader *r, const struct yaml_node *value, const struct field *field)
{
	schema_read_wanted_list(r, value, "labels", &r->policy->labels, &r->policy->nr_labels);
}

static const struct field setting_fields[] = {
	{.key = "cmdline", .read = read_cmdline},
	{.key = "reads", .read = read_reads},
	{.key = "sd_id", .read = read_sd_id},
	{.key = "labels", .read = read_labels},
	SETTING(syslog_socket, read_path_setting, 1, SUN_PATH_MAX),
	SETTING(syslog_fallback, read_path_setting, 1, SUN_PATH_MAX),
	SETTING(jsonl, read_path_setting, 0, PATH_MAX - 1),
	SETTING(alert_burst, read_number_setting, 1, 1000),
	SETTING(alert_window_s, read_number_setting, 1, 86400),
	SETTING(alert_share, read_number_setting, 1, 1000000),
	SETTING(ring_critical_kib, read_ring_setting, 64, 1048576),
	SETTING(ring_bulk_kib, read_ring_setting, 64, 1048576),
	SETTING(marks_max, read_number_setting, 1024, 16777216),
	SETTING(marks_quota, read_number_setting, 0, 16777216),
	SETTING(memory, read_switch, 0, 0),
	SETTING(refused, read_switch, 0, 0),
	SETTING(trail_rules, read_switch, 0, 0),
	SETTING(canary_s, read_number_setting, 0, 86400),
	{.key = "scan", .read = read_scan},
	{.key = "journal", .read = read_journal},
	{.key = "discover", .read = read_discover},
	SETTING(heartbeat_s, read_number_setting, 0, 86400),
	SETTING(trail_keep_days, read_number_setting, 0, 36500),
	SETTING(dump_threshold, read_number_setting, 0, UINT32_MAX),
	{0},
};

static int setting_row(const char *key)
{
	for (int i = 0; setting_fields[i].key; i++)
		if (!strcmp(setting_fields[i].key, key))
			return i;
	return -1;
}

void schema_read_settings(struct reader *r, const struct yaml_node *value,
			  const struct field *field)
{
	const struct yaml_node *key, *node;

	_Static_assert(ARRAY_SIZE(setting_fields) <= SETTINGS_MAX, "a place for each setting");
	schema_read_map(r, value, setting_fields, "settings");
	if (value->kind != YAML_TREE_MAP)
		return;
	for (key = yaml_node(r->tree, value->first); key; key = yaml_node(r->tree, node->next)) {
		int row = setting_row(key->text);

		node = yaml_node(r->tree, key->next);
		if (row < 0)
			continue;
		r->policy->setting_places[row] = (struct place){r->file, node->line, node->column};
		r->policy->setting_texts[row] =
			node->kind == YAML_TREE_SCALAR ? schema_keep(r, node) : "";
	}
}

const char *schema_setting_key(size_t i)
{
	return i < ARRAY_SIZE(setting_fields) ? setting_fields[i].key : NULL;
}

/* The keys of a setting that is a map, NULL: it is none. */
static const struct field *map_of(const struct field *field)
{
	return field->read == read_scan	      ? scan_fields
	       : field->read == read_journal  ? journal_fields
	       : field->read == read_discover ? discover_fields
					      : NULL;
}

static void put_map(const struct policy *policy, const struct field *fields, char *out,
		    size_t size);

static void put_trees(const struct policy *policy, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");

	out[0] = '\0';
	if (!f)
		return;
	fputs("[", f);
	for (size_t i = 0; i < policy->nr_discover_trees; i++)
		fprintf(f, "%s%s", i ? ", " : "", policy->discover_trees[i]);
	fputs("]", f);
	fclose(f);
	out[size - 1] = '\0';
}

/* text: as it was written, if it was. */
static void put_setting(const struct policy *policy, const struct field *field, const char *text,
			char *out, size_t size)
{
	const void *value = (const char *)&policy->settings + field->offset;

	if (text && *text)
		snprintf(out, size, "%s", text);
	else if (field->read == read_number_setting || field->read == read_ring_setting)
		snprintf(out, size, "%u", *(const uint32_t *)value);
	else if (field->read == read_path_setting)
		snprintf(out, size, "%s", *(const char *const *)value);
	else if (field->read == read_switch)
		snprintf(out, size, "%s", switch_word(*(const bool *)value));
	else if (field->read == read_cmdline)
		snprintf(out, size, "%s", cmdline_word((int)policy->settings.cmdline));
	else if (field->read == read_sd_id)
		snprintf(out, size, "%s", policy->settings.sd_id);
	else if (field->read == read_trees)
		put_trees(policy, out, size);
	else if (map_of(field))
		put_map(policy, map_of(field), out, size);
	else
		snprintf(out, size, "(built-in)");
}

/* As it would be written. */
static void put_map(const struct policy *policy, const struct field *fields, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");
	char value[1024];

	out[0] = '\0';
	for (size_t i = 0; f && fields[i].key; i++) {
		put_setting(policy, &fields[i], NULL, value, sizeof(value));
		fprintf(f, "%s%s: %s", i ? ", " : "{", fields[i].key, *value ? value : "\"\"");
	}
	if (!f)
		return;
	fputs("}", f);
	fclose(f);
	out[size - 1] = '\0';
}

void schema_setting_text(const struct policy *policy, size_t i, char *out, size_t size)
{
	put_setting(policy, &setting_fields[i], policy->setting_texts[i], out, size);
}
