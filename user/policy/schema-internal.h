/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the schema is written down: each map has a table of its keys. For the files schema*.c only.
 *
 * What is wrong is told and remembered in the reader; the functions go on after it, so that a
 * person sees all that is wrong at once. `what` names the thing in messages ("a watch entry").
 */
#pragma once

#include "policy/policy-internal.h"
#include "policy/yamltree.h"

struct reader {
	struct policy *policy; /* is appended to */
	const char *file; /* kept by the policy */
	const struct yaml_tree *tree;
	struct diag_list *diags;
	struct watch_rule *watch; /* the entry or override that is being read */
	struct rule *rule; /* that is being read */
	include_fn include; /* NULL: nothing can be included */
	void *include_ctx;
	bool wrong, no_memory;
};

struct field {
	const char *key; /* NULL ends the table */
	bool required;
	void (*read)(struct reader *r, const struct yaml_node *value, const struct field *field);
	size_t offset; /* settings: into struct settings */
	uint32_t min, max; /* settings: meaning depends on read */
};

void schema_wrong(struct reader *r, const struct yaml_node *at, const char *fmt, ...)
	_printf_(3, 4);

/*
 * " 'TEXT'" if it could be a word of the policy that somebody mistyped: letters, digits, `_-.`, and
 * no longer than those are. Else "": the file may be anything that was named by mistake, a private
 * key too, and what is wrong is printed, logged and sent.
 */
#define SCHEMA_WORD_MAX 24
struct schema_word {
	char text[SCHEMA_WORD_MAX + 4];
};
struct schema_word schema_word(const struct yaml_node *node);

/* The first value of a key; NULL: the map has none of this name. */
const struct yaml_node *schema_value_of(const struct reader *r, const struct yaml_node *map,
					const char *key);

/* Tells if it is not. A scalar without value (null) is of no kind. */
bool schema_is_kind(struct reader *r, const struct yaml_node *node, enum yaml_kind kind,
		    const char *what);

/* Reads a map by its table, which has less than 32 rows. */
void schema_read_map(struct reader *r, const struct yaml_node *node, const struct field *fields,
		     const char *what);

/* A single value without NUL, as it stands in the tree; NULL after telling what is wrong. */
const char *schema_read_string(struct reader *r, const struct yaml_node *node, const char *what);

/* One of the words word(from) ... word(nr - 1), as its number; -1 after telling. */
int schema_read_word(struct reader *r, const struct yaml_node *node, const char *what,
		     const char *(*word)(int), int from, int nr);

/* `true` or `false`; false after telling, too. */
bool schema_read_bool(struct reader *r, const struct yaml_node *node, const char *what);

/* Decimal, without sign or quotes. False after telling. */
bool schema_read_number(struct reader *r, const struct yaml_node *node, const char *what,
			uint32_t min, uint32_t max, uint32_t *out_number);

/* A day, 2030-01-31; its end in CLOCK_REALTIME ns. False after telling. */
bool schema_read_day(struct reader *r, const struct yaml_node *value, const char *what,
		     uint64_t *out_end_ns);

/* A copy that lives as long as the policy; NULL if out of memory, which is remembered. */
const char *schema_keep(struct reader *r, const struct yaml_node *node);

/* What is wrong with a path that names one thing, as the end of a sentence; NULL = nothing. */
const char *schema_path_fault(const char *path);

#define SCHEMA_NAME_MAX	 64
#define SCHEMA_ITEMS_MAX 256 /* of a list of names or patterns */

/* The value of a key `name` and of what names one; kept. NULL after telling. */
const char *schema_read_name(struct reader *r, const struct yaml_node *value, const char *what);

/* A list of path patterns, appended to *patterns. */
void schema_read_patterns(struct reader *r, const struct yaml_node *list, const char *what,
			  bool is_exclude, size_t max, struct pattern ***patterns, size_t *nr);

/* Is it, as `image` of a rule, an image's id ("sha256:...") and no name? */
bool schema_is_image_id(struct span text);

/* Could no image be called so, nor any by this pattern? A clause that says why, else NULL. */
const char *schema_image_fault(struct span text);

/* A list of names or patterns of names, appended. */
bool schema_read_wanted_list(struct reader *r, const struct yaml_node *value, const char *what,
			     struct wanted **list, size_t *nr);

/* Bits of `on`; 0 after telling. */
uint32_t schema_read_on(struct reader *r, const struct yaml_node *value);

/* A list of rules, appended to the policy's for `watch`. */
void schema_read_rules(struct reader *r, const struct yaml_node *list, enum rule_kind kind,
		       uint32_t watch);

/* Keys `exceptions` and `zones` of a file. */
void schema_read_exceptions(struct reader *r, const struct yaml_node *list,
			    const struct field *field);
void schema_read_zones(struct reader *r, const struct yaml_node *list, const struct field *field);

/* Row i of the settings' table; NULL past the end. For `keytrail policy show`. */
const char *schema_setting_key(size_t i);
/* Its value as it would be written, into `out`. */
void schema_setting_text(const struct policy *policy, size_t i, char *out, size_t size);

/* Key `settings` of a file. */
void schema_read_settings(struct reader *r, const struct yaml_node *value,
			  const struct field *field);
