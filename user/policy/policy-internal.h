/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a policy is made of; for the files of this folder only.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "policy/pattern.h"
#include "policy/policy.h"

/* A place in a file. `file` is owned by the policy. */
struct place {
	const char *file;
	unsigned line, column;
};

/* A text that is compared, or a pattern that is matched: one of the two, or neither. */
struct wanted {
	const char *text; /* as written, owned by the policy; NULL = anything will do */
	size_t len;
	struct glob *glob; /* NULL: compared as it is */
};

enum rule_kind { RULE_ALLOW, RULE_EXPECT };

/* Keys of a rule that are compared, and so can be looked up. Bits of rule.keys. */
enum rule_key {
	KEY_EXE = 0x01,
	KEY_UNIT = 0x02,
	KEY_CONTAINER = 0x04,
	KEY_USER = 0x08, /* by name */
	KEY_UID = 0x10,
	KEY_ALL = 0x1f
};

/* Rules of one entry whose keys are all the same, and that differ in what is not looked up. */
#define RULES_ALIKE_MAX 32

enum login_kind { LOGIN_ANY, LOGIN_NONE, LOGIN_SOME };

#define OVERRIDE_BIT 0x80000000U /* rule.watch is an override, until it is resolved */

#define RULE_ON_ALL ((1U << ACTION_NR) - 2) /* of a rule without `on` */

struct rule {
	uint32_t watch; /* 0 once it is taken out */
	enum rule_kind kind;
	uint32_t keys; /* enum rule_key, bits */
	uint64_t hash; /* rule_hash() */
	uint32_t next_alike; /* index + 1, 0 = none */
	const char *exe;
	size_t exe_len;
	struct wanted unit, container, user;
	struct wanted image; /* of the name; if image_by_id, text of the id */
	bool image_by_id;
	const char *package, *digest, *verity; /* NULL = any will do */
	const char *script; /* NULL = whatever the program does; else `exe` is there, too */
	uint32_t uid;
	enum login_kind login;
	enum session_type session; /* SESSION_UNKNOWN: any */
	uint32_t zone; /* number, 0 = any */
	const char *zone_name;
	bool outside; /* counts outside of the entry's zone, too */
	uint32_t on; /* bits 1 << enum policy_action */
	bool on_written; /* it has an `on`; else it is for all that the entry judges */
	const char *until; /* as written, NULL = for ever */
	uint64_t until_ns; /* CLOCK_REALTIME ns at which it ends */
	const char *reason;
	const char *exception; /* its name; NULL = stands in an entry */
	const char *ended; /* sentence for people, NULL without an end */
	struct place place, zone_place;
};

/* An exception: a rule for several entries. */
struct exception {
	struct rule rule;
	const char *name;
	const char **watches; /* names */
	struct place *places; /* of those */
	size_t nr_watches;
	struct place place;
};

struct zone {
	const char *name;
	struct place place;
	struct pattern **paths;
	struct pattern **mounts; /* each for all that is below */
	size_t nr_paths, nr_mounts;
	struct wanted *units, *containers, *users, *hosts;
	size_t nr_units, nr_containers, nr_users, nr_hosts;
	bool here; /* its host labels are this host's, or it has none */
	bool used;
};

/* Which keys of an override are there. Bits. */
enum given { GIVEN_SEVERITY = 1, GIVEN_ON = 2, GIVEN_MODE = 4, GIVEN_ZONE = 8, GIVEN_OFF = 16 };
/* Whose list an override begins anew. Bits. */
enum list_bit { LIST_PATHS = 1, LIST_EXCLUDE = 2, LIST_ALLOW = 4, LIST_EXPECT = 8 };

struct watch_rule {
	struct watch_entry entry;
	struct place place;
	struct place severity_place, on_place, mode_place, zone_place; /* file NULL: the default */
	struct pattern **paths, **excludes;
	size_t nr_paths, nr_excludes;
	const char *zone_name; /* NULL = none */
	uint32_t zone;
	uint32_t keys_used; /* bit i: some rule has keys == i */
	/* overrides only */
	uint32_t given, begin; /* enum given, enum list_bit */
	bool off;
	struct place name_place;
};

#define SETTINGS_MAX 32

struct policy {
	struct settings settings;
	struct place
		setting_places[SETTINGS_MAX]; /* by row of the schema's table; file NULL: default */
	const char *setting_texts[SETTINGS_MAX]; /* as written, "" = a list, NULL = the default */
	const char **discover_trees;
	size_t nr_discover_trees;
	struct wanted *labels; /* of this host */
	size_t nr_labels;
	char **strings; /* all that the structs point to */
	size_t nr_strings;
	struct watch_rule *watches; /* [0] is watch entry 1 */
	size_t nr_watches;
	struct watch_rule *overrides; /* empty once resolved */
	size_t nr_overrides;
	struct zone *zones; /* [0] is zone 1 */
	size_t nr_zones;
	struct exception *exceptions;
	size_t nr_exceptions;
	struct place *files; /* line 0: read because it was named; else where it is included */
	const char **file_names;
	size_t nr_files;
	uint32_t *by_name; /* watch entries in the order of their names */
	const char **exes; /* each allowed path once, sorted */
	size_t nr_exes;
	const char **scripts; /* that are named, sorted; one may stand there twice */
	size_t nr_scripts;
	const char **inspected; /* of these those whose package or digest is asked for, sorted */
	size_t nr_inspected;
	struct rule *rules;
	size_t nr_rules, nr_ending; /* of those that have an end */
	uint32_t *rule_slots; /* open addressing by rule.hash: index into rules + 1, 0 = free */
	size_t nr_rule_slots; /* power of two, 0 = no rules */
};

/* --- policy.c --- */

#define POLICY_ON_MAX 64 /* of the text, with its NUL */

/* The words of `on` as they are written in a list, without its brackets. */
void policy_on_text(uint32_t on, char out[static POLICY_ON_MAX]);

/* --- judge.c --- */

/* Indexes the rules, once they are resolved. -EINVAL with diags, -ENOMEM. */
int rules_index(struct policy *policy, struct diag_list *diags);
bool zone_holds_subject(const struct policy *policy, uint32_t zone,
			const struct policy_subject *subject);
bool zone_holds_path(const struct policy *policy, uint32_t zone, struct span path);
/* One rule, all its conditions but the end and the trust. */
bool rule_meets(const struct policy *policy, const struct rule *rule,
		const struct policy_subject *subject, enum policy_action action);
bool wanted_is(const struct wanted *wanted, struct span text);
/* dpkg's name may have an architecture (libssl3:amd64), which a rule need not say. */
bool policy_is_package(struct span found, const char *wanted);

/*
 * Is the rule about programs in containers of root's? There a path is what the container's own file
 * system has, with no file of the host to compare with.
 */
static inline bool rule_in_container(const struct rule *rule)
{
	return rule->container.text || rule->image.text;
}

/* Is the subject's container of the image that the rule asks for? True of a rule that asks for
 * none. */
bool rule_image_is(const struct rule *rule, const struct policy_subject *subject);

/* Does the rule ask what the executable is, beyond its path? */
static inline bool rule_inspects(const struct rule *rule)
{
	return rule->package || rule->digest || rule->verity;
}

/* --- covers.c --- */

/* What is left of the subject's keys is the same, so one of the two never decides? */
bool rule_covers(const struct rule *rule, const struct rule *later);

/* --- resolve.c --- */

/*
 * Once all files are read: overrides take effect, exceptions and zones find what they name, entries
 * that are off go, and numbers are final. -EINVAL with diags, -ENOMEM.
 */
int policy_resolve(struct policy *policy, struct diag_list *diags);

/*
 * Sorts and indexes what the loader has appended; by then names are unique and all is resolved.
 * -EINVAL with diags, -ENOMEM.
 */
int policy_index(struct policy *policy, struct diag_list *diags);

/* --- deny.c --- */

/* Whether the kernel side can keep what entries with `mode: deny` say. -EINVAL with diags. */
int policy_check_deny(const struct policy *policy, struct diag_list *diags);

struct yaml_node;

/* Reads files that another one includes. Told: by whom, which, and where that stands. */
typedef int (*include_fn)(void *ctx, struct policy *policy, const char *by, const char *which,
			  const struct yaml_node *at, struct diag_list *diags);

/*
 * Appends the content of one file, after what it includes. include NULL: nothing can be included.
 * -EINVAL with diags, -ENOMEM; the policy is then only to be freed.
 */
int schema_read(struct policy *policy, const char *name, const char *text, size_t len,
		include_fn include, void *ctx, struct diag_list *diags);
/* Warnings about what stands twice or can never match, which only the whole policy shows. -ENOMEM.
 */
int policy_warn(const struct policy *policy, struct diag_list *diags);

/* Why it may or may not be read, by class. */
const char *object_class_verdict(enum object_class object_class, bool allowed);
void rule_fini(struct rule *rule); /* what it owns; rules are in an array */
void watch_rule_fini(struct watch_rule *watch);

struct policy *policy_new(void); /* with default settings; NULL = out of memory */
/* Copies a string into the policy; NULL = out of memory. */
const char *policy_keep(struct policy *policy, const char *text, size_t len);

/*
 * Makes room for one more element after `nr`; grows at powers of two, so that no capacity need be
 * kept. `array` is the address of the pointer. -ENOMEM.
 */
static inline int policy_grow(void *array, size_t nr, size_t size)
{
	void **p = array, *bigger;

	if (nr && (nr & (nr - 1)))
		return 0;
	bigger = realloc(*p, (nr ? nr * 2 : 1) * size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	return 0;
}
